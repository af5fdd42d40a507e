// SPDX-License-Identifier: Apache-2.0
/**
 * Checks a transcript again, offline: its own journal and script must give exactly the statement that administrator and
 * witness signed. Whether those two are who they should be, and whether the log has it, only the reader's own keys can say.
 */
import {
  decodeBase64,
  equalBytes,
  formatEnvelope,
  hasCode,
  parsePublicKey,
  RefusedError,
  STATEMENT_PAYLOAD_TYPE,
  verifyEnvelope,
  WitnessmarkError,
  type Bytes,
  type Instant,
  type NoteVerifierKey,
  type PublicKey,
  type ReasonCode,
} from '@witnessmark/core';
import { parseLogProof, verifyLogProof } from '@witnessmark/tlog';
import { parseJournal, readCeremonyId } from './journal-format.ts';
import { parseScript } from './script.ts';
import { replayRecords, type CeremonyState } from './state.ts';
import { buildTranscript } from './transcript.ts';
import { parseTranscriptFile, type TranscriptFile } from './transcript-file.ts';
import type { Participant } from './roles.ts';

/** A key the reader trusts, whoever gave it. */
export interface VouchedKey {
  /** The person who holds it. */
  readonly owner: string;
  readonly key: PublicKey;
  readonly validFrom: Instant;
  /** Exclusive. */
  readonly validUntil: Instant;
}

export interface ReplayOptions {
  readonly vouched: readonly VouchedKey[];
  readonly logKeys: readonly NoteVerifierKey[];
  /** Accepts a transcript that is in no log yet, as in the room right after the ceremony. */
  readonly allowUnlogged: boolean;
}

export interface ReplayCheck {
  readonly check: 'file' | 'journal' | 'signatures' | 'statement' | 'people' | 'log';
  readonly outcome: 'passed' | 'failed' | 'notVerified';
  readonly code: ReasonCode | null;
  readonly detail: string;
}

export interface ReplayReport {
  /** FAILED when a check failed; VERIFIED when all passed. */
  readonly verdict: 'VERIFIED' | 'FAILED' | 'NOT VERIFIED';
  readonly checks: readonly ReplayCheck[];
  /** What the journal tells; null when it could not be read. */
  readonly state: CeremonyState | null;
}

/** Never throws for what a file holds. */
export function replayTranscript(bytes: Bytes, options: ReplayOptions): ReplayReport {
  const checks: ReplayCheck[] = [];
  const run = <T>(
    check: ReplayCheck['check'],
    work: () => { readonly value: T; readonly detail: string },
  ): T | null => {
    try {
      const { value, detail } = work();
      checks.push({ check, outcome: 'passed', code: null, detail });
      return value;
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      const outcome = CANNOT_TELL.has(error.code) ? 'notVerified' : 'failed';
      checks.push({ check, outcome, code: error.code, detail: error.message });
      return null;
    }
  };
  const file = run('file', () => ({ value: parseTranscriptFile(bytes), detail: 'the file is a transcript' }));
  const told = file === null ? null : run('journal', () => readJournal(file));
  if (file === null || told === null) return toReport(checks, null);
  const { state, digest } = told;
  run('signatures', () => checkSignatures(file, state));
  run('statement', () => checkStatement(file, state, digest));
  run('people', () => checkPeople(state, options.vouched));
  run('log', () => checkLog(file, state, options));
  return toReport(checks, state);
}

const CANNOT_TELL: ReadonlySet<ReasonCode> = new Set<ReasonCode>(['CE-121', 'CE-125', 'CE-128']);

function toReport(checks: readonly ReplayCheck[], state: CeremonyState | null): ReplayReport {
  const has = (outcome: ReplayCheck['outcome']): boolean => checks.some((check) => check.outcome === outcome);
  const verdict = has('failed') ? 'FAILED' : has('notVerified') ? 'NOT VERIFIED' : 'VERIFIED';
  return { verdict, checks, state };
}

/** Chain, order, witnesses and script digest, all at once: the state machine accepts the records or it does not. */
function readJournal({ script, journal }: TranscriptFile): {
  value: { state: CeremonyState; digest: string };
  detail: string;
} {
  try {
    const { records, digest, validLength } = parseJournal(readCeremonyId(journal), journal);
    if (validLength !== journal.length)
      throw new RefusedError('CE-109', 'the journal has bytes behind its last record');
    const state = replayRecords(parseScript(script), records);
    if (state.phase !== 'closed') throw new RefusedError('CE-127', 'the ceremony is not closed');
    return {
      value: { state, digest },
      detail: `${records.length} records follow from one another, and from the script`,
    };
  } catch (cause) {
    if (!(cause instanceof WitnessmarkError)) throw cause;
    throw new RefusedError('CE-123', `${(cause as WitnessmarkError).code}: ${cause.message}`, { cause });
  }
}

function checkSignatures({ envelope }: TranscriptFile, state: CeremonyState): { value: true; detail: string } {
  const both = signersOf(state);
  const keys = both.map(({ key }) => key);
  try {
    verifyEnvelope(envelope, { keys, threshold: both.length, payloadType: STATEMENT_PAYLOAD_TYPE });
  } catch (cause) {
    if (!(cause instanceof WitnessmarkError)) throw cause;
    throw new RefusedError('CE-122', cause.message, { cause });
  }
  return {
    value: true,
    detail: `signed by ${both.map(({ person }) => `${person.id} (${person.role})`).join(' and ')}`,
  };
}

function checkStatement(
  { envelope }: TranscriptFile,
  state: CeremonyState,
  digest: string,
): { value: true; detail: string } {
  if (!equalBytes(envelope.payload, buildTranscript(state, digest))) {
    throw new RefusedError('CE-123', 'the signed statement is not the one that script and journal give');
  }
  return { value: true, detail: 'the signed statement is exactly what script and journal give' };
}

function checkPeople(state: CeremonyState, vouched: readonly VouchedKey[]): { value: true; detail: string } {
  for (const { person, key } of signersOf(state)) {
    const known = vouched.find(
      (candidate) =>
        candidate.key.keyid === key.keyid &&
        candidate.owner === person.id &&
        candidate.validFrom <= state.lastAt &&
        state.lastAt < candidate.validUntil,
    );
    if (known === undefined) {
      throw new RefusedError('CE-125', `nobody vouches for key ${key.keyid} of ${person.id} (${person.role})`);
    }
  }
  return { value: true, detail: 'you trust the keys of administrator and witness' };
}

function checkLog(
  { envelope, logProof }: TranscriptFile,
  { settings }: CeremonyState,
  { logKeys, allowUnlogged }: ReplayOptions,
): { value: true; detail: string } {
  if (logProof === null) {
    if (settings.environment.rehearsal) return { value: true, detail: 'a rehearsal, in no log' };
    if (allowUnlogged) return { value: true, detail: 'in no log yet, which you accept' };
    throw new RefusedError('CE-128', 'the transcript is in no log');
  }
  for (const key of logKeys) {
    try {
      const { treeSize } = verifyLogProof(formatEnvelope(envelope), parseLogProof(logProof), key);
      return { value: true, detail: `in the log ${key.name}, within its first ${treeSize} entries` };
    } catch (cause) {
      if (hasCode(cause, 'ERR_TLOG_CHECKPOINT_ORIGIN') || hasCode(cause, 'ERR_NOTE_UNVERIFIED')) continue;
      if (!(cause instanceof WitnessmarkError)) throw cause;
      throw new RefusedError('CE-124', cause.message, { cause });
    }
  }
  throw new RefusedError('CE-128', 'none of the log keys you trust signed the checkpoint of the proof');
}

function signersOf({ settings }: CeremonyState): readonly { readonly person: Participant; readonly key: PublicKey }[] {
  return settings.people
    .filter(({ role }) => role === 'administrator' || role === 'witness')
    .flatMap((person) =>
      person.publicKey === null ? [] : [{ person, key: parsePublicKey(decodeBase64(person.publicKey)) }],
    );
}
