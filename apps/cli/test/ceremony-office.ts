// SPDX-License-Identifier: Apache-2.0
/**
 * An office that holds the shipped ceremonies with real tokens, at a terminal that goes away again and again: every program
 * goes on from the last witnessed step.
 */
import { createPublicKey } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Ceremony } from '@witnessmark/attestation';
import { generateSoftwareKey, saveSoftwareKey } from '@witnessmark/custody';
import { converse, goodAnswer, type PeopleOptions } from './ceremony-people.ts';
import { hasProgram } from './programs.ts';
import { run } from './run.ts';

export const SOFTHSM_MODULE = '/usr/lib/softhsm/libsofthsm2.so';
export const OPENSC_MODULE = '/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so';
export const SO_PIN = 'so-pin-4f19c2aa';
export const USER_PIN = 'user-pin-77e0d1';
const SCRIPTS = join(import.meta.dirname, '../../../packages/ceremony/scripts');
/** Questions that one step may ask before something of it is on record. */
const MAX_PATIENCE = 12;

/** SoftHSM, its tools, and the module's binding, which a machine without a compiler leaves out. */
export function hasSoftHsm(): boolean {
  return existsSync(SOFTHSM_MODULE) && hasProgram('pkcs11-tool') && hasProgram('openssl') && hasBinding();
}

export interface Occasion {
  readonly id: string;
  /** Without its ending. */
  readonly script: string;
  readonly holders: readonly string[];
  /** Label and serial by name. */
  readonly equipment?: Readonly<Record<string, readonly [label: string, serial: string]>>;
  readonly inputs?: Readonly<Record<string, string>>;
  /** Answers to what is not asked of everybody: PINs of cards, components. */
  readonly say?: PeopleOptions['say'];
}

export interface Held {
  readonly programs: number;
  /** What was on the terminal of the last program. */
  readonly seen: string;
  readonly predicate: Ceremony;
}

export class CeremonyOffice {
  readonly folder: string;
  /** Vendor roots of cards, files. */
  readonly pivRoots: string[] = [];

  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'witnessmark-ceremony-office-'));
    mkdirSync(this.path('tokens'));
    const conf = this.path('softhsm2.conf');
    const tokens = `directories.tokendir = ${this.path('tokens')}`;
    writeFileSync(conf, `${tokens}\nobjectstore.backend = file\nlog.level = ERROR\n`);
    process.env['SOFTHSM2_CONF'] = conf;
    for (const role of ['administrator', 'witness']) {
      const key = generateSoftwareKey('ecdsa-sha2-nistp256');
      saveSoftwareKey(this.path(`${role}.pem`), key);
      const spki = createPublicKey({ key: Buffer.from(key.publicKey.spki), format: 'der', type: 'spki' });
      writeFileSync(this.path(`${role}.pub.pem`), spki.export({ type: 'spki', format: 'pem' }));
    }
  }

  path(...names: readonly string[]): string {
    return join(this.folder, ...names);
  }

  /** Every program answers a few questions – one more only where it did not come further – until the terminal goes away. */
  async holdInterrupted(occasion: Occasion): Promise<Held> {
    const say = people(occasion);
    let programs = 1;
    let patience = 1;
    let progress = 0;
    let last = await converse(this.begin(occasion), { goneAt: 1, say });
    while (last.exit === 130) {
      const reached = this.#progressOf(occasion.id);
      patience = reached > progress ? 1 : patience + 1;
      progress = reached;
      programs += 1;
      if (patience > MAX_PATIENCE) throw new Error(`no end in sight:\n${last.stderr.slice(-2_000)}`);
      last = await converse(['ceremony', 'resume', occasion.id, ...this.#place], { goneAt: patience, say });
    }
    expect(`${last.exit} ${last.stderr.slice(-2_000)}`).toMatch(/^5 /);
    return { programs, seen: last.stderr, predicate: await this.close(occasion.id) };
  }

  async hold(occasion: Occasion): Promise<Held> {
    const { exit, stderr } = await converse(this.begin(occasion), { say: people(occasion) });
    expect(`${exit} ${stderr.slice(-2_000)}`).toMatch(/^5 /);
    return { programs: 1, seen: stderr, predicate: await this.close(occasion.id) };
  }

  /** The command line that begins it. */
  begin({ id, script, holders, equipment = {}, inputs = {} }: Occasion): readonly string[] {
    const setup = this.path(`${id}.setup.json`);
    const signers = [
      { id: 'a.rossi', role: 'administrator', publicKey: 'administrator.pub.pem' },
      { id: 'j.abe', role: 'witness', publicKey: 'witness.pub.pem' },
    ];
    writeFileSync(
      setup,
      JSON.stringify({
        mediaType: 'application/vnd.witnessmark.ceremony-setup.v1+json',
        ceremonyId: id,
        location: 'room K2',
        simulated: true,
        people: [...signers, ...holders.map((holder) => ({ id: holder, role: 'holder', publicKey: null }))],
        equipment: Object.entries(equipment).map(([name, [label, serial]]) => ({ name, label, serial, bag: null })),
        inputs: Object.entries(inputs).map(([name, value]) => ({ name, value })),
        acts: {
          hsmModule: SOFTHSM_MODULE,
          cardModule: OPENSC_MODULE,
          pivRoots: this.pivRoots,
          registry: 'key-registry.json',
          repository: 'repository',
        },
      }),
    );
    const verb = id.startsWith('rehearsal-') ? 'rehearse' : 'run';
    return ['ceremony', verb, join(SCRIPTS, `${script}.ceremony.json`), ...this.#place, '--setup', setup];
  }

  /** Closed, replayed, VERIFIED; what was signed. */
  async close(id: string): Promise<Ceremony> {
    const keys = ['administrator', 'witness'].flatMap((role) => ['--key', this.path(`${role}.pem`)]);
    expect((await run(['ceremony', 'close', id, ...this.#place, ...keys, '--unlogged'])).exit).toBe(0);
    const transcript = this.path('ceremonies', `${id}.transcript.json`);
    const signers = [
      '--signer',
      `a.rossi=${this.path('administrator.pub.pem')}`,
      '--signer',
      `j.abe=${this.path('witness.pub.pem')}`,
    ];
    const replayed = await run(['ceremony', 'replay', transcript, ...signers, '--unlogged', '-q']);
    expect(replayed).toMatchObject({ exit: 0, stderr: '' });
    const { envelope } = JSON.parse(readFileSync(transcript, 'utf8')) as { envelope: { payload: string } };
    const statement = JSON.parse(Buffer.from(envelope.payload, 'base64').toString()) as { predicate: Ceremony };
    expect(statement.predicate).toMatchObject({ outcome: 'completed', open: [] });
    return statement.predicate;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  get #place(): readonly string[] {
    return ['--directory', this.path('ceremonies')];
  }

  /** How far the ceremony is: results and witnesses, not tries. */
  #progressOf(id: string): number {
    const journal = readFileSync(this.path('ceremonies', id, 'journal'), 'utf8');
    return journal.split('\n').filter((line) => /"kind":"(?:performed|witnessed)"/.test(line)).length;
  }
}

/** A fact that a step put on record. */
export function factOf({ steps }: Ceremony, step: string, name: string): string {
  return steps.find(({ id }) => id === step)!.facts.find((fact) => fact.name === name)!.value;
}

/** Answers with PINs and with what is printed on things, else as the script says. */
function people({ equipment = {}, inputs = {}, say }: Occasion): NonNullable<PeopleOptions['say']> {
  return (question, seen) => {
    const said = say?.(question, seen) ?? null;
    if (said !== null) return said;
    if (question.includes('nobody else looks')) return question.includes('security officer PIN') ? SO_PIN : USER_PIN;
    if (question.includes('serial on the HSM')) return Object.values(equipment)[0]![1].slice(-4);
    // What is read from the token itself, as the step shows it.
    if (question.includes('serial of the token')) return [...seen.matchAll(/serial\s+(\S+)\)/g)].at(-1)![1]!.slice(-4);
    if (question.includes('serial on the card')) return equipment['card']![1].slice(-4);
    if (question.includes('characters of the key id')) return inputs['key']!.slice(0, 4);
    if (question.includes('look at the thing itself')) return 'done';
    if (question.includes('Why, for the record')) return 'we saw it';
    return goodAnswer(question, seen);
  };
}

function hasBinding(): boolean {
  try {
    createRequire(import.meta.resolve('@witnessmark/custody')).resolve('pkcs11js');
    return true;
  } catch {
    return false;
  }
}
