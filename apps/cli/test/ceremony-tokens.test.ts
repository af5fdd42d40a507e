// SPDX-License-Identifier: Apache-2.0
/** The shipped scripts that need an HSM, at a terminal, with real PKCS#11 tokens. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  CeremonyOffice,
  factOf,
  hasSoftHsm,
  SO_PIN,
  SOFTHSM_MODULE,
  USER_PIN,
  type Occasion,
} from './ceremony-office.ts';

interface Registry {
  readonly keys: readonly {
    readonly keyid: string;
    readonly policy: string;
    readonly ceremony: string;
    readonly rehearsal: boolean;
  }[];
}

describe.skipIf(!hasSoftHsm())(
  'scripts with an HSM, left at question after question and resumed',
  { timeout: 120_000 },
  () => {
    const holders = ['s.kim', 'l.meyer'];
    let office: CeremonyOffice;
    let serial = '';

    beforeAll(() => {
      office = new CeremonyOffice();
    });
    afterAll(() => {
      office.remove();
    });

    const registry = (): Registry => JSON.parse(readFileSync(office.path('key-registry.json'), 'utf8')) as Registry;

    it('I17: HSM initialisation', async () => {
      const equipment = { 'service-hsm': ['line-3', 'HSM-0042'] } as const;
      const occasion: Occasion = { id: 'line-hsm', script: 'hsm-initialisation-line', holders, equipment };
      const { programs, predicate } = await office.holdInterrupted(occasion);
      expect(programs).toBeGreaterThan(2 * predicate.steps.length);
      expect(predicate.breaks).toHaveLength(programs - 1);
      const made = predicate.keys.filter(({ change }) => change === 'made').map(({ name }) => name);
      expect(new Set(made)).toEqual(new Set(['line-evidence', 'log-checkpoint', 'line-unsealing']));
      serial = factOf(predicate, 'initialise', 'token serial');
      const login = ['--token-label', 'line-3', '--login', '--pin', USER_PIN];
      const list = ['--module', SOFTHSM_MODULE, ...login, '--list-objects', '--type', 'privkey'];
      const listed = execFileSync('pkcs11-tool', list, { encoding: 'utf8', stdio: 'pipe' });
      expect(listed.match(/Private Key Object/g)).toHaveLength(3);
    });

    it('I17: device CA', async () => {
      const equipment = { 'service-hsm': ['line-3', serial] } as const;
      const inputs = { 'common-name': 'ACME Device CA 1' };
      await office.holdInterrupted({ id: 'device-ca', script: 'device-ca', holders, equipment, inputs });
    });

    it('I17: key destruction', async () => {
      const key = registry().keys.find(({ policy }) => policy === 'line-unsealing')!.keyid;
      const { predicate } = await office.holdInterrupted({
        id: 'destruction',
        script: 'key-destruction',
        holders: ['l.meyer'],
        equipment: { 'service-hsm': ['line-3', serial] },
        inputs: { key, reason: 'the line is closed' },
      });
      expect(predicate.keys).toContainEqual(expect.objectContaining({ keyid: key, change: 'destroyed' }));
    });

    it('I16, I17: transport key under split knowledge', async () => {
      const components = [1, 2, 3].map(() => randomBytes(32));
      const key = combine(components);
      const parts = components.map((component, index) => [`component-${index + 1}`, checkValueOf(component)]);
      const { predicate } = await office.holdInterrupted({
        id: 'transport',
        script: 'transport-key',
        holders: ['s.kim', 'l.meyer', 'd.okafor', 'n.lee', 'p.silva'],
        equipment: { 'transport-token': ['transport-7', 'TT-0001'] },
        inputs: { ...Object.fromEntries(parts), key: checkValueOf(key) },
        say: (question) => {
          const holder = /^holder-([345]), and nobody else looks/.exec(question)?.[1];
          return holder === undefined ? null : components[Number(holder) - 3]!.toString('hex');
        },
      });
      expect(predicate.keys).toContainEqual(expect.objectContaining({ keyid: null, checkValue: checkValueOf(key) }));
      const written = ['transport/journal', 'transport/setup.json', 'transport.transcript.json', 'transport.html']
        .map((name) => readFileSync(office.path('ceremonies', name), 'latin1'))
        .join('\n');
      for (const secret of [...components, key]) expect(written).not.toContain(secret.toString('hex'));
      for (const pin of [SO_PIN, USER_PIN]) expect(written).not.toContain(pin);
    });

    it('A39: a rehearsal says so on every line, and its keys are marked in the registry', async () => {
      const equipment = { 'service-hsm': ['spare-1', 'HSM-0099'] } as const;
      const occasion: Occasion = { id: 'rehearsal-office', script: 'hsm-initialisation-office', holders, equipment };
      const { predicate, seen } = await office.hold(occasion);
      for (const line of seen.trimEnd().split('\n')) expect(line).toMatch(/^REHEARSAL \| /);
      expect(predicate.environment.rehearsal).toBe(true);
      const own = registry().keys.filter(({ ceremony }) => ceremony === occasion.id);
      expect(own.map(({ rehearsal }) => rehearsal)).toEqual([true, true]);
    });
  },
);

/** Both by OpenSSL alone: what the sender of the components computes. */
function checkValueOf(key: Buffer): string {
  const options = ['mac', '-cipher', 'AES-256-CBC', '-macopt', `hexkey:${key.toString('hex')}`, '-in', '-', 'CMAC'];
  return execFileSync('openssl', options, { input: Buffer.alloc(16), encoding: 'utf8' })
    .slice(0, 6)
    .toLowerCase();
}

function combine([first, ...others]: readonly Buffer[]): Buffer {
  return others.reduce<Buffer>((key, component) => {
    const args = ['enc', '-aes-256-cbc', '-nopad', '-K', key.toString('hex'), '-iv', '0'.repeat(32)];
    return execFileSync('openssl', args, { input: component });
  }, first!);
}
