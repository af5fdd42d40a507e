// SPDX-License-Identifier: Apache-2.0
/**
 * Refusals of the office as evidence (I12, spec/gate-refusal.md): each "no" is signed and logged; a flood is logged up to
 * a number in each window and then as one sum, so that nobody can fill the log with refusals.
 */
import { join } from 'node:path';
import {
  buildStatement,
  gateRefusal,
  type GateAction,
  type GateRefusal,
  type TrustedKey,
} from '@witnessmark/attestation';
import {
  encodeUtf8,
  formatInstant,
  sha256Hex,
  STATEMENT_PAYLOAD_TYPE,
  WitnessmarkError,
  type Bytes,
  type Clock,
  type Envelope,
  type RefusedError,
} from '@witnessmark/core';
import { signEnvelope, type Signer } from '@witnessmark/custody';
import { readFile, replaceFile, type Files } from '@witnessmark/trust';
import { GATE_LIMITS } from './limits.ts';
import {
  formatRefusalMemory,
  isWindowOver,
  newRefusalMemory,
  parseRefusalMemory,
  type RefusalMemory,
} from './refusal-memory.ts';
import type { Site } from './workspace.ts';

const MEMORY_FILE = 'refusals.json';
const MAX_DETAIL_LENGTH = 1000;

/** One request to the office, and who a signature has proved to be behind it. */
export class Attempt {
  readonly action: GateAction;
  /** The promotion, exception or change it is about. */
  readonly about: string | null;
  #requestedBy: GateRefusal['requestedBy'] = null;
  #digest: string | null = null;

  constructor(action: GateAction, about: string | null) {
    this.action = action;
    this.about = about;
  }

  /** To be called when a signature by `key` over `payload` was verified, and not before. */
  prove({ owner, role, key }: TrustedKey, payload: Bytes): void {
    this.#requestedBy = { id: owner, role, keyid: key.keyid };
    this.#digest = sha256Hex(payload);
  }

  get requestedBy(): GateRefusal['requestedBy'] {
    return this.#requestedBy;
  }

  /** Of what was signed, or of the request's own names. */
  get digest(): string {
    return this.#digest ?? sha256Hex(encodeUtf8(`${this.action} ${this.about ?? ''}`));
  }
}

export interface GateRefusalsOptions {
  readonly directory: string;
  readonly files: Files;
  readonly clock: Clock;
  readonly site: Site;
  /** The office's own key. */
  readonly signer: Signer;
  readonly newId: () => string;
  readonly record: (envelope: Envelope) => Promise<void>;
}

/** Used by one process at a time: the gate's lock is held around every call. */
export class GateRefusals {
  readonly #options: GateRefusalsOptions;

  constructor(options: GateRefusalsOptions) {
    this.#options = options;
  }

  /** Logs or counts a refusal. What cannot be recorded is not: the answer stays "no". */
  async record(refused: RefusedError, attempt: Attempt): Promise<void> {
    try {
      await this.#record(refused, attempt);
    } catch (error) {
      if (!(error instanceof WitnessmarkError)) throw error;
    }
  }

  /** Logs the sum of a window that is over. */
  async settle(): Promise<void> {
    const memory = await this.#read();
    const isDue = memory?.summary != null && isWindowOver(memory, this.#now(), GATE_LIMITS.refusalWindowMs);
    if (isDue) await this.#startWindow(memory);
  }

  async #record(refused: RefusedError, attempt: Attempt): Promise<void> {
    const now = this.#now();
    const found = await this.#read();
    const isOld = found === null || isWindowOver(found, now, GATE_LIMITS.refusalWindowMs);
    const memory = isOld ? await this.#startWindow(found) : found;
    if (memory.logged < GATE_LIMITS.refusalsPerWindow) {
      await this.#log(toStatement(refused, attempt, this.#options, formatInstant(now)), attempt.digest);
      await this.#write({ ...memory, logged: memory.logged + 1 });
      return;
    }
    await this.#write({ ...memory, summary: this.#count(memory, `${attempt.action} ${refused.code}`) });
  }

  #count({ summary }: RefusalMemory, name: string): NonNullable<RefusalMemory['summary']> {
    const at = formatInstant(this.#now());
    const known = summary ?? { id: this.#options.newId(), firstAt: at, lastAt: at, counts: {} };
    return { ...known, lastAt: at, counts: { ...known.counts, [name]: (known.counts[name] ?? 0) + 1 } };
  }

  /** Logs what the last window left, first; a crash in between logs the same statement once more. */
  async #startWindow(last: RefusalMemory | null): Promise<RefusalMemory> {
    if (last?.summary != null) {
      const sum = toSummary(last.summary, this.#options.site);
      await this.#log(sum, sha256Hex(encodeUtf8(sum.detail)));
    }
    const memory = newRefusalMemory(formatInstant(this.#now()));
    await this.#write(memory);
    return memory;
  }

  async #log(predicate: GateRefusal, digest: string): Promise<void> {
    const { signer, record } = this.#options;
    const payload = buildStatement(gateRefusal, { name: 'request', digest: { sha256: digest } }, predicate);
    await record(await signEnvelope(STATEMENT_PAYLOAD_TYPE, payload, [signer]));
  }

  async #read(): Promise<RefusalMemory | null> {
    const { files, directory } = this.#options;
    const bytes = await readFile(files, join(directory, MEMORY_FILE), GATE_LIMITS.maxRefusalMemoryBytes);
    return bytes === null ? null : parseRefusalMemory(bytes);
  }

  async #write(memory: RefusalMemory): Promise<void> {
    const { files, directory } = this.#options;
    await replaceFile(files, join(directory, MEMORY_FILE), [formatRefusalMemory(memory)]);
  }

  #now(): number {
    return this.#options.clock.now();
  }
}

function toStatement(
  refused: RefusedError,
  { action, about, requestedBy }: Attempt,
  { newId, site }: Pick<GateRefusalsOptions, 'newId' | 'site'>,
  at: string,
): GateRefusal {
  const detail = toDetail(refused.message);
  return {
    id: newId(),
    action,
    code: refused.code,
    about,
    requestedBy,
    site,
    detail,
    count: 1,
    firstAt: at,
    refusedAt: at,
  };
}

/** The sum names the action and code that came most often; `detail` has all of them. */
function toSummary({ id, firstAt, lastAt, counts }: NonNullable<RefusalMemory['summary']>, site: Site): GateRefusal {
  const ranked = Object.entries(counts).sort(([, left], [, right]) => right - left);
  const [action, code] = (ranked[0]?.[0] ?? '').split(' ') as [GateAction, string];
  return {
    id,
    action,
    code,
    about: null,
    requestedBy: null,
    site,
    detail: toDetail(ranked.map(([name, count]) => `${name} × ${count}`).join(', ')),
    count: ranked.reduce((sum, [, count]) => sum + count, 0),
    firstAt,
    refusedAt: lastAt,
  };
}

/** Cut to what a statement may carry, never in the middle of a character. */
function toDetail(text: string): string {
  return text.slice(0, MAX_DETAIL_LENGTH).toWellFormed();
}
