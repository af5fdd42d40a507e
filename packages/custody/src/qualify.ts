// SPDX-License-Identifier: Apache-2.0
/** Whether a token can do its work: latency under parallel load, session limit, stability, measured and said in plain words. */
import { encodeUtf8, isSignedBy, RefusedError, type Clock } from '@witnessmark/core';
import { findKey, type KeyRef } from './pkcs11/key.ts';
import { formatToken, type TokenIdentity } from './token-identity.ts';
import type { Pkcs11Token } from './pkcs11/token.ts';

export interface QualifyOptions {
  readonly key: KeyRef;
  readonly clock: Clock;
  /** Signatures of each run. */
  readonly signatures?: number;
  /** How many callers at a time, one run each. */
  readonly callers?: readonly number[];
  /** Sessions are opened up to this many, to see whether the token sets a limit. */
  readonly maxSessions?: number;
  /** Slower than this in the worst of a hundred, and units wait for the token. */
  readonly acceptableMs?: number;
}

export interface LoadRun {
  readonly callers: number;
  readonly signatures: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** How often which code came instead of a signature. */
  readonly failures: Readonly<Record<string, number>>;
  /** Signatures that do not verify. */
  readonly wrong: number;
}

export interface TokenQualification {
  readonly token: TokenIdentity;
  readonly keyid: string;
  /** Null when the token took all that were asked for. */
  readonly sessionLimit: number | null;
  readonly sessionsTried: number;
  readonly runs: readonly LoadRun[];
  readonly acceptableMs: number;
  readonly isQualified: boolean;
}

const DEFAULTS = { signatures: 200, callers: [1, 4, 16], maxSessions: 64, acceptableMs: 250 };

/** Signs many times with the key, which counts as use of it: for a token before it is put to work. */
export async function qualifyToken(token: Pkcs11Token, options: QualifyOptions): Promise<TokenQualification> {
  const { clock } = options;
  const key = findKey(token, options.key);
  const acceptableMs = options.acceptableMs ?? DEFAULTS.acceptableMs;
  const maxSessions = options.maxSessions ?? DEFAULTS.maxSessions;
  const sessions = token.countSessions(maxSessions);
  const runs: LoadRun[] = [];
  for (const callers of options.callers ?? DEFAULTS.callers) {
    runs.push(
      await runLoad(callers, options.signatures ?? DEFAULTS.signatures, clock, async (number) => {
        const message = encodeUtf8(`token qualification ${number}`);
        return isSignedBy(key.publicKey, message, await key.sign(message));
      }),
    );
  }
  const isStable = runs.every(({ failures, wrong }) => Object.keys(failures).length === 0 && wrong === 0);
  return {
    token: token.identity,
    keyid: key.publicKey.keyid,
    sessionLimit: sessions < maxSessions ? sessions : null,
    sessionsTried: maxSessions,
    runs,
    acceptableMs,
    isQualified: isStable && runs.every(({ p99Ms }) => p99Ms <= acceptableMs),
  };
}

/** The qualification as a few sentences, one a line. */
export function formatQualification(qualification: TokenQualification): string {
  const { token, sessionLimit, sessionsTried, runs, acceptableMs, isQualified } = qualification;
  const limit =
    sessionLimit === null ? `takes ${sessionsTried} sessions and more` : `takes ${sessionLimit} sessions and no more`;
  const lines = [
    `Token ${formatToken(token)}, ${token.manufacturer} ${token.model}, firmware ${token.firmware}.`,
    `It ${limit}.`,
    ...runs.map(describeRun),
    isQualified
      ? `QUALIFIED: every signature verifies, and 99 of 100 take at most ${acceptableMs} ms.`
      : `NOT QUALIFIED: ${reasons(qualification).join('; ')}.`,
  ];
  return `${lines.join('\n')}\n`;
}

async function runLoad(
  callers: number,
  signatures: number,
  clock: Clock,
  sign: (number: number) => Promise<boolean>,
): Promise<LoadRun> {
  const times: number[] = [];
  const failures: Record<string, number> = {};
  let wrong = 0;
  let next = 0;
  const start = clock.monotonic();
  const call = async (): Promise<void> => {
    while (next < signatures) {
      const number = (next += 1);
      const before = clock.monotonic();
      try {
        if (!(await sign(number))) wrong += 1;
        times.push(clock.monotonic() - before);
      } catch (error) {
        if (!(error instanceof RefusedError)) throw error;
        failures[error.code] = (failures[error.code] ?? 0) + 1;
      }
    }
  };
  await Promise.all(Array.from({ length: callers }, call));
  const seconds = (clock.monotonic() - start) / 1_000;
  times.sort((left, right) => left - right);
  const at = (share: number): number => times[Math.min(Math.floor(times.length * share), times.length - 1)] ?? 0;
  const perSecond = seconds > 0 ? times.length / seconds : 0;
  return { callers, signatures, perSecond, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1), failures, wrong };
}

function describeRun({ callers, signatures, perSecond, p50Ms, p99Ms, maxMs, failures, wrong }: LoadRun): string {
  const who = callers === 1 ? 'one caller' : `${callers} callers at a time`;
  const rate = `${perSecond.toFixed(0)} signatures a second`;
  const times = `half take ${format(p50Ms)}, 99 of 100 take ${format(p99Ms)}, the slowest took ${format(maxMs)}`;
  const failed = Object.entries(failures).map(([code, count]) => ` ${count} of ${signatures} failed with ${code}.`);
  return `With ${who}: ${rate}; ${times}.${failed.join('')}${wrong === 0 ? '' : ` ${wrong} do not verify.`}`;
}

function reasons({ runs, acceptableMs }: TokenQualification): string[] {
  const failed = runs.some(({ failures }) => Object.keys(failures).length > 0);
  const wrong = runs.some((run) => run.wrong > 0);
  const slow = runs.filter(({ p99Ms }) => p99Ms > acceptableMs).map(({ callers }) => callers);
  return [
    ...(failed ? ['signatures failed'] : []),
    ...(wrong ? ['signatures do not verify'] : []),
    ...(slow.length === 0 ? [] : [`slower than ${acceptableMs} ms with ${slow.join(' and ')} callers`]),
  ];
}

function format(milliseconds: number): string {
  return `${milliseconds < 10 ? milliseconds.toFixed(1) : milliseconds.toFixed(0)} ms`;
}
