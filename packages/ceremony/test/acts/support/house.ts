// SPDX-License-Identifier: Apache-2.0
/**
 * A house with tokens, a registry and a repository, in which ceremonies are held from their script files, one after the
 * other. Programs may be ended before and after the effect of every act; the disk is a real one.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeBase64, sha256Hex, type Bytes, type Instant, type RefusedError } from '@witnessmark/core';
import { generateSoftwareKey, openPkcs11Module, PivTool } from '@witnessmark/custody';
import { nodeFiles } from '@witnessmark/trust';
import {
  Ceremony,
  ceremonyActs,
  closeCeremony,
  conductCeremony,
  nodeCeremonyFiles,
  parseScript,
  RegistryFile,
  toActTable,
  WorkFolder,
  type ActContext,
  type ActPorts,
  type ActResult,
  type AnyAct,
  type BreakGlassPort,
  type CeremonyState,
  type PersonRef,
  type ResultView,
  type SecretRequest,
} from '@witnessmark/ceremony';
import { TestRoom, type RoomHabits } from '../../support/room.ts';
import { SOFTHSM_MODULE } from './soft-hsm.ts';

export const OPENSC_MODULE = '/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so';
export const SCRIPTS = join(import.meta.dirname, '../../../scripts');
const SIGNERS = [generateSoftwareKey('ecdsa-sha2-nistp256'), generateSoftwareKey('ecdsa-sha2-nistp256')] as const;

/** What is typed: by the id of the secret, or by who types it, a slash and the id. */
export type Secrets = Readonly<Record<string, string>>;

export interface Occasion {
  readonly id: string;
  /** Without its ending. */
  readonly script: string;
  readonly rehearsal?: boolean;
  readonly holders: readonly string[];
  /** Label and serial by name. */
  readonly equipment?: Readonly<Record<string, readonly [label: string, serial: string]>>;
  readonly inputs?: Readonly<Record<string, string>>;
  readonly secrets: Secrets;
  /** Whether the program ends before and after every act. */
  readonly isInterrupted?: boolean;
  readonly habits?: RoomHabits;
  /** What hands do before a step. */
  readonly before?: (step: string) => Promise<void>;
}

export interface Held {
  readonly state: CeremonyState;
  readonly room: TestRoom;
  /** How often each act had its effect, by step. */
  readonly effects: ReadonlyMap<string, number>;
  readonly dir: string;
  result(step: string): ActResult;
}

export class ProgramEnded extends Error {}

/** The first refusal ends the ceremony; before each step somebody may put another card into a reader. */
class StrictRoom extends TestRoom {
  readonly #before: (step: string) => Promise<void>;

  constructor(habits: RoomHabits, before: (step: string) => Promise<void>) {
    super(habits);
    this.#before = before;
  }

  /** The hands of the people come after the witness has seen the step before. */
  override async witness(view: ResultView): ReturnType<TestRoom['witness']> {
    const next = view.state.steps[view.number]?.step.id;
    if (next !== undefined) await this.#before(next);
    return super.witness(view);
  }

  override refused(error: RefusedError): Promise<void> {
    this.refusals.push(error);
    return Promise.reject(error);
  }
}

export class House {
  readonly dir: string;
  readonly registry: RegistryFile;
  readonly repository: string;
  readonly pivRoots: Bytes[] = [];
  breakGlass: BreakGlassPort | null = null;
  #now: Instant;

  constructor(now: Instant = Date.UTC(2026, 10, 20, 9)) {
    this.#now = now;
    this.dir = mkdtempSync(join(tmpdir(), 'witnessmark-house-'));
    this.registry = new RegistryFile(join(this.dir, 'key-registry.json'), nodeFiles);
    this.repository = join(this.dir, 'repository');
  }

  get clock() {
    return { now: () => (this.#now += 1_000), monotonic: () => this.#now };
  }

  workOf(id: string): WorkFolder {
    return new WorkFolder(join(this.dir, id, 'work'), nodeFiles);
  }

  ports(id: string): ActPorts {
    return {
      openHsmModule: () => openPkcs11Module(SOFTHSM_MODULE),
      openCardModule: () => openPkcs11Module(OPENSC_MODULE),
      pivTool: new PivTool(),
      pivRoots: this.pivRoots,
      registry: this.registry,
      work: this.workOf(id),
      repository: { directory: this.repository, files: nodeFiles },
      randomBytes: (length) => Uint8Array.from(randomBytes(length)),
      breakGlass: this.breakGlass,
    };
  }

  /** Holds a ceremony to its end, and closes it. */
  async hold(occasion: Occasion): Promise<Held> {
    const dir = join(this.dir, occasion.id);
    mkdirSync(dir, { recursive: true });
    const files = nodeCeremonyFiles(dir);
    const { clock } = this;
    const reviewed = parseScript(Uint8Array.from(readFileSync(join(SCRIPTS, `${occasion.script}.ceremony.json`))));
    const habits = { secret: (request: SecretRequest) => typed(occasion.secrets, request), ...occasion.habits };
    const room = new StrictRoom(habits, occasion.before ?? (() => Promise.resolve()));
    const effects = new Map<string, number>();
    const interruptions = new Map<string, number>();
    let ceremony = await Ceremony.begin({ files, clock, reviewed, settings: settingsOf(occasion) });
    for (;;) {
      const own = ceremonyActs(this.ports(occasion.id)).map((act) => counting(act, effects));
      const acts = occasion.isInterrupted === true ? own.map((act) => interrupted(act, interruptions)) : own;
      const { signal } = new AbortController();
      try {
        const outcome = await conductCeremony({ ceremony, acts: toActTable(acts), room, clock, signal });
        if (outcome === 'done') break;
        throw new Error(`the ceremony was ${outcome}`);
      } catch (error) {
        await ceremony.close();
        if (!(error instanceof ProgramEnded)) throw error;
        ceremony = await Ceremony.open({ files, clock });
      }
    }
    await closeCeremony({ ceremony, files, signers: [...SIGNERS], log: null });
    const { state } = ceremony;
    await ceremony.close();
    const result = (step: string): ActResult => state.steps.find((candidate) => candidate.step.id === step)!.result!;
    return { state, room, effects, dir, result };
  }

  /** One act by itself, as the program with this id would perform it. */
  perform(id: string, kind: string, context: Partial<ActContext>): Promise<ActResult> {
    const act = ceremonyActs(this.ports(id)).find((candidate) => candidate.kind === kind)!;
    const prompts = { secret: () => Promise.reject(new Error('nobody may be asked')), notice: () => undefined };
    return act.perform({
      ceremonyId: id,
      stepId: kind,
      isRehearsal: false,
      parameters: null,
      clock: this.clock,
      prompts,
      signal: new AbortController().signal,
      person: (ref) => ref,
      equipment: (name) => ({ name, label: name, serial: name, bag: null }),
      input: (name) => name,
      result: () => ({ facts: [], digests: [], keys: [] }),
      ...context,
    });
  }

  /** I16: every byte any ceremony left behind. */
  everything(): string {
    return readAll(this.dir);
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}

export function digestOf(result: ActResult, name: string): string {
  return result.digests.find((digest) => digest.name === name)!.sha256;
}

export function factOf(result: ActResult, name: string): string {
  return result.facts.find((fact) => fact.name === name)!.value;
}

export function sha256Of(path: string): string {
  return sha256Hex(Uint8Array.from(readFileSync(path)));
}

function settingsOf({ id, rehearsal = false, holders, equipment = {}, inputs = {} }: Occasion) {
  const spki = (index: 0 | 1): string => encodeBase64(SIGNERS[index].publicKey.spki);
  return {
    ceremonyId: id,
    environment: { simulated: true, rehearsal },
    location: 'room K2',
    people: [
      { id: 'a.rossi', role: 'administrator' as const, publicKey: spki(0) },
      { id: 'j.abe', role: 'witness' as const, publicKey: spki(1) },
      ...holders.map((holder) => ({ id: holder, role: 'holder' as const, publicKey: null })),
    ],
    equipment: Object.entries(equipment).map(([name, [label, serial]]) => ({ name, label, serial, bag: null })),
    inputs: Object.entries(inputs).map(([name, value]) => ({ name, value })),
    tool: { version: '0.1.0', sha256: 'ab'.repeat(32) },
  };
}

function typed(secrets: Secrets, { from, id }: SecretRequest): string {
  const own = secrets[`${from satisfies PersonRef}/${id}`] ?? secrets[`${from}/${id.replace(/-again$/, '')}`];
  const found = own ?? secrets[id] ?? secrets[id.replace(/-again$/, '')];
  if (found === undefined) throw new Error(`nobody was asked to know ${from}/${id}`);
  return found;
}

function counting(act: AnyAct, effects: Map<string, number>): AnyAct {
  return {
    ...act,
    perform: async (context) => {
      const result = await act.perform(context);
      effects.set(context.stepId, (effects.get(context.stepId) ?? 0) + 1);
      return result;
    },
  };
}

/** The first program ends before the effect, the second after it, and only the third lives to write it down. */
function interrupted(act: AnyAct, interruptions: Map<string, number>): AnyAct {
  return {
    ...act,
    perform: async (context) => {
      const before = interruptions.get(context.stepId) ?? 0;
      interruptions.set(context.stepId, before + 1);
      if (before === 0) throw new ProgramEnded('before');
      const result = await act.perform(context);
      if (before === 1) throw new ProgramEnded('after');
      return result;
    },
  };
}

function readAll(dir: string): string {
  return readdirSync(dir)
    .map((name) => join(dir, name))
    .map((path) => (statSync(path).isDirectory() ? readAll(path) : readFileSync(path, 'latin1')))
    .join('\n');
}
