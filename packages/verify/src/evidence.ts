// SPDX-License-Identifier: Apache-2.0
/**
 * The facts of a unit evidence file, established once: who signed which statement, and where the log holds it. The checks
 * judge these facts and do no cryptography themselves.
 */
import { decodeUtf8, formatEnvelope, WitnessmarkError, type Bytes } from '@witnessmark/core';
import { hashLeaf, parseLogProof, verifyInclusion, type LogProof, type ProvenPath } from '@witnessmark/tlog';
import type { LoggedEnvelope, ReleaseEvidence, UnitEvidence } from '@witnessmark/bundle';
import { readLogHead, type LogHead, type LogHeadReading } from './log-head.ts';
import { readStatements } from './statement-reader.ts';
import type { Signed, SignedStatement, UnreadStatement } from './signed-statement.ts';
import type { Memory } from './memory.ts';
import type { TrustStore } from './trust-store.ts';

/** Where the log holds an entry, as far as its proof shows. */
export type LogPlace =
  | { readonly state: 'no proof' }
  | { readonly state: 'unreadable'; readonly detail: string }
  | Exclude<LogHeadReading, LogHead>
  | {
      readonly state: 'placed';
      readonly index: number;
      readonly head: LogHead;
      /** Whether the leaf, recomputed from the envelope being judged, is at that place of that tree. */
      readonly isIncluded: boolean;
    };

interface Position {
  /** 1-based place in the file, for people. */
  readonly entry: number;
  readonly place: LogPlace;
}

type OfKind<Kind extends SignedStatement['kind']> = Extract<SignedStatement, Signed<Kind, unknown>>;
export type Logged<Kind extends SignedStatement['kind']> = OfKind<Kind> & Position;
/** The kinds of statements that a line logs about a unit. */
export type LoggedStatement = Logged<Exclude<SignedStatement['kind'], 'candidate' | 'approval'>>;
/** The records that make up a device's chain. */
export type ChainRecord = Logged<'intent'> | Logged<'event'>;

export interface ReleaseRecord {
  readonly candidate: OfKind<'candidate'>;
  readonly approvals: readonly OfKind<'approval'>[];
}

export interface Unread {
  /** Which record, for people. */
  readonly what: string;
  readonly reason: Pick<UnreadStatement, 'code' | 'detail'>;
}

export interface Evidence {
  readonly serial: string;
  readonly deviceId: string;
  readonly places: readonly LogPlace[];
  /** In file order, which must be log order. */
  readonly records: readonly LoggedStatement[];
  readonly chain: readonly ChainRecord[];
  readonly releases: readonly ReleaseRecord[];
  readonly unread: readonly Unread[];
  /** From the trusted root, not from the file. */
  readonly rootThresholds: TrustStore['rootThresholds'];
}

/** Establishes the facts; never throws for bad evidence. */
export function readEvidence(file: UnitEvidence, trust: TrustStore, memory: Memory): Evidence {
  const { serial, deviceId } = file;
  const envelopes = [
    ...file.entries.map(({ envelope }) => envelope),
    ...file.releases.flatMap(({ candidate, approvals }) => [candidate, ...approvals]),
  ];
  const statements = readStatements(envelopes, trust, memory);
  const paths = new Map<LogHead, ProvenPath>();
  const places = file.entries.map((entry) => findPlace(entry, trust, memory, paths));
  const unread: Unread[] = [];
  const records = toRecords(statements.slice(0, places.length), places, unread);
  const releases = toReleases(file.releases, statements.slice(places.length), unread);
  const chain = records.filter((record) => record.kind === 'intent' || record.kind === 'event');
  return { serial, deviceId, places, records, chain, releases, unread, rootThresholds: trust.rootThresholds };
}

export function recordsOf<Kind extends LoggedStatement['kind']>(
  evidence: Evidence,
  kind: Kind,
): readonly Logged<Kind>[] {
  return evidence.records.filter((record): record is Logged<Kind> => record.kind === kind);
}

/** The newest event of the chain, if the chain ends in one. */
export function lastEvent({ chain }: Evidence): Logged<'event'> | undefined {
  const last = chain.at(-1);
  return last?.kind === 'event' ? last : undefined;
}

/** How people find a record: its kind and its place in the file. */
export function describeRecord({ kind, entry }: LoggedStatement): string {
  return `${kind.replaceAll(/([A-Z])/g, ' $1').toLowerCase()} (entry ${entry})`;
}

function findPlace(
  { envelope, proof }: LoggedEnvelope,
  trust: TrustStore,
  memory: Memory,
  paths: Map<LogHead, ProvenPath>,
): LogPlace {
  if (proof === '') return { state: 'no proof' };
  let logProof: LogProof;
  try {
    logProof = parseLogProof(proof);
  } catch (error) {
    if (!(error instanceof WitnessmarkError)) throw error;
    return { state: 'unreadable', detail: error.message };
  }
  const head = findHead(logProof.checkpoint, trust, memory);
  if (head.state !== 'signed') return head;
  // The log entry is recomputed from the very envelope that is judged: a valid proof of another entry proves nothing here.
  const isIncluded = isEntryIncluded(hashLeaf(formatEnvelope(envelope)), logProof, head, paths);
  return { state: 'placed', index: logProof.index, head, isIncluded };
}

function findHead(checkpoint: Bytes, trust: TrustStore, memory: Memory): LogHeadReading {
  const text = decodeUtf8(checkpoint);
  const remembered = memory.heads.get(text);
  if (remembered !== undefined) return remembered;
  const head = readLogHead(text, trust);
  memory.heads.keep(text, head);
  return head;
}

function isEntryIncluded(
  leafHash: Bytes,
  { index, proof }: LogProof,
  head: LogHead,
  paths: Map<LogHead, ProvenPath>,
): boolean {
  const { treeSize, rootHash } = head;
  try {
    paths.set(head, verifyInclusion({ leafHash, index, treeSize, proof, rootHash }, paths.get(head)));
    return true;
  } catch (error) {
    if (!(error instanceof WitnessmarkError)) throw error;
    return false;
  }
}

type Reading = SignedStatement | UnreadStatement;

function toRecords(
  statements: readonly Reading[],
  places: readonly LogPlace[],
  unread: Unread[],
): readonly LoggedStatement[] {
  return statements.flatMap((statement, index) => {
    const entry = index + 1;
    if (statement.kind === 'unread') {
      unread.push({ what: `entry ${entry}`, reason: statement });
      return [];
    }
    if (statement.kind === 'candidate' || statement.kind === 'approval') {
      unread.push({ what: `entry ${entry}`, reason: misplaced('a release statement is not a log entry of a unit') });
      return [];
    }
    return [{ ...statement, entry, place: places[index] as LogPlace }];
  });
}

/** `statements` holds, for each release in turn, its candidate and then its approvals. */
function toReleases(
  releases: readonly ReleaseEvidence[],
  statements: readonly Reading[],
  unread: Unread[],
): readonly ReleaseRecord[] {
  let next = 0;
  function take<Kind extends 'candidate' | 'approval'>(kind: Kind, what: string): readonly OfKind<Kind>[] {
    const statement = statements[next] as Reading;
    next += 1;
    const problem = findReleaseProblem(statement, kind);
    if (problem === undefined) return [statement as OfKind<Kind>];
    unread.push({ what, reason: problem });
    return [];
  }
  return releases.flatMap(({ approvals: given }, index) => {
    const what = `release ${index + 1}`;
    const [candidate] = take('candidate', what);
    const approvals = given.flatMap((_, position) => take('approval', `${what}, approval ${position + 1}`));
    return candidate === undefined ? [] : [{ candidate, approvals }];
  });
}

function findReleaseProblem(statement: Reading, kind: 'candidate' | 'approval'): Unread['reason'] | undefined {
  if (statement.kind === 'unread') return statement;
  if (statement.kind !== kind) return misplaced(`a ${statement.kind} stands in the place of a ${kind}`);
  if (statement.signers.length === statement.signatureCount) return undefined;
  // These are not log entries, so no leaf hash holds their signatures together: each must be one we can judge.
  return { code: 'EV-102', detail: 'one of its signatures is not by a trusted key, or is there twice' };
}

function misplaced(detail: string): Unread['reason'] {
  return { code: 'EV-101', detail };
}
