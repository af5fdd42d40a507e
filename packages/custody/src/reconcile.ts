// SPDX-License-Identifier: Apache-2.0
/**
 * Balances three accounts (I15): what custody signed, what the evidence log holds, and what the token counted. Pure: the
 * caller reads journal, log and token. A statement is known by the SHA-256 of the bytes that were signed, which for an
 * envelope is its pre-authentication encoding.
 */
import { parseInstant, type ReasonCode } from '@witnessmark/core';
import type { AccountedRequest } from './service/account.ts';

export interface LoggedSignature {
  /** Where it is, for people: a log index. */
  readonly entry: string;
  readonly keyid: string;
  readonly digest: string;
  /** Base64. */
  readonly signature: string;
}

/** What the token says it did with a key, over the same time. */
export interface TokenCount {
  readonly keyid: string;
  readonly signatures: number;
}

export interface ReconcileInput {
  readonly requests: readonly AccountedRequest[];
  readonly logged: readonly LoggedSignature[];
  /** Keys of this custody; signatures of others are not its business. */
  readonly keyids: ReadonlySet<string>;
  /** Purposes whose signatures must appear in the log; a permit or a checkpoint does not. */
  readonly loggedPurposes: ReadonlySet<string>;
  /** RFC 3339: what was asked for since may still be on its way to the log, and is no finding; null when nothing is. */
  readonly recentFrom?: string | null;
  /** Null when the token has no audit log. */
  readonly token: { readonly counts: readonly TokenCount[]; readonly findings: readonly ReconcileFinding[] } | null;
}

export interface ReconcileFinding {
  readonly code: ReasonCode;
  readonly object: string;
  readonly detail: string;
}

export interface Reconciliation {
  readonly signed: number;
  readonly failed: number;
  readonly unknown: number;
  readonly logged: number;
  /** Null when the token has no audit log. */
  readonly tokenSignatures: number | null;
  readonly findings: readonly ReconcileFinding[];
}

export function reconcile(input: ReconcileInput): Reconciliation {
  const own = input.requests.filter(({ keyid }) => input.keyids.has(keyid));
  const logged = input.logged.filter(({ keyid }) => input.keyids.has(keyid));
  const count = (outcome: AccountedRequest['outcome']): number =>
    own.filter((request) => request.outcome === outcome).length;
  const { recentFrom = null } = input;
  const isSettled = ({ at }: AccountedRequest): boolean =>
    recentFrom === null || parseInstant(at) < parseInstant(recentFrom);
  return {
    signed: count('signed'),
    failed: count('failed'),
    unknown: count('unknown'),
    logged: logged.length,
    tokenSignatures: input.token?.counts.reduce((sum, { signatures }) => sum + signatures, 0) ?? null,
    findings: [
      ...withoutEntry(own.filter(isSettled), logged, input.loggedPurposes),
      ...withoutSignature(own, logged),
      ...undecided(own.filter(isSettled), logged),
      ...(input.token === null ? [] : againstToken(countMade(own), input.token.counts, input.keyids)),
      ...(input.token?.findings ?? []),
    ],
  };
}

function withoutEntry(
  requests: readonly AccountedRequest[],
  logged: readonly LoggedSignature[],
  purposes: ReadonlySet<string>,
): ReconcileFinding[] {
  const entries = new Set(logged.map(nameOf));
  return requests
    .filter((request) => request.outcome === 'signed' && purposes.has(request.purpose) && !entries.has(nameOf(request)))
    .map((request) => ({
      code: 'CU-161',
      object: `request ${request.id}`,
      detail: `${request.client} signed ${request.digest} for ${request.purpose} at ${request.at}; no entry holds it`,
    }));
}

/**
 * A request whose outcome is unknown explains an entry: it may have signed, and somebody did. ECDSA never signs twice
 * alike, so a second signature of one statement needs a second request; the same one in two logs does not.
 */
function withoutSignature(
  requests: readonly AccountedRequest[],
  logged: readonly LoggedSignature[],
): ReconcileFinding[] {
  const asked = new Map<string, number>();
  for (const request of requests) {
    if (request.outcome !== 'failed') asked.set(nameOf(request), (asked.get(nameOf(request)) ?? 0) + 1);
  }
  const explained = new Map<string, Set<string>>();
  return logged.flatMap((entry): ReconcileFinding[] => {
    const name = nameOf(entry);
    const signatures = explained.get(name) ?? new Set();
    explained.set(name, signatures);
    if (signatures.has(entry.signature)) return [];
    const isExplained = signatures.size < (asked.get(name) ?? 0);
    signatures.add(entry.signature);
    if (isExplained) return [];
    const times = signatures.size === 1 ? 'was never asked for it' : `was asked ${asked.get(name) ?? 0} times for it`;
    const detail = `${entry.digest} is signed by ${entry.keyid}; custody ${times}`;
    return [{ code: 'CU-162', object: `entry ${entry.entry}`, detail }];
  });
}

function undecided(requests: readonly AccountedRequest[], logged: readonly LoggedSignature[]): ReconcileFinding[] {
  const entries = new Set(logged.map(nameOf));
  return requests
    .filter((request) => request.outcome === 'unknown' && !entries.has(nameOf(request)))
    .map((request) => ({
      code: 'CU-158',
      object: `request ${request.id}`,
      detail: `${request.client} asked for ${request.digest} at ${request.at}; whether it was signed is not known`,
    }));
}

/** What custody made with a key, as far as it knows. */
interface Made {
  readonly signed: number;
  readonly unknown: number;
}

function countMade(requests: readonly AccountedRequest[]): ReadonlyMap<string, Made> {
  const byKey = Map.groupBy(requests, ({ keyid }) => keyid);
  return new Map(
    [...byKey].map(([keyid, own]) => {
      const count = (wanted: AccountedRequest['outcome']): number =>
        own.filter(({ outcome }) => outcome === wanted).length;
      return [keyid, { signed: count('signed'), unknown: count('unknown') }];
    }),
  );
}

/** Between what custody knows it signed and that plus what it cannot tell, the token's count is explained. */
export function againstToken(
  made: ReadonlyMap<string, Made>,
  counts: readonly TokenCount[],
  keyids: ReadonlySet<string>,
): ReconcileFinding[] {
  return [...keyids].flatMap((keyid): ReconcileFinding[] => {
    const { signed: least, unknown } = made.get(keyid) ?? { signed: 0, unknown: 0 };
    const most = least + unknown;
    const found = counts.find((count) => count.keyid === keyid)?.signatures ?? 0;
    if (found >= least && found <= most) return [];
    const expected = least === most ? String(least) : `${least} to ${most}`;
    const detail = `custody made ${expected} signatures, the token counts ${found}`;
    return [{ code: found > most ? 'CU-163' : 'CU-164', object: `key ${keyid}`, detail }];
  });
}

function nameOf(of: { readonly keyid: string; readonly digest: string }): string {
  return `${of.keyid} ${of.digest}`;
}
