// SPDX-License-Identifier: Apache-2.0
/** The verifier as commands use it: trust from the one who checks, a stated time, and never a socket. */
import { parseInstant, RefusedError, WitnessmarkError, type Bytes, type Instant } from '@witnessmark/core';
import { inspectBundle, Verifier, type VerificationReport } from '@witnessmark/verify';
import { usageError } from './error.ts';
import { DOCUMENT_BYTES, readFile } from './files.ts';
import type { Session } from './session.ts';

const NO_BYTES: Bytes = new Uint8Array(0);

interface TrustFiles {
  readonly trust: string;
  readonly policy: string;
}

export function statedTime({ clock }: Session, { time }: { readonly time: string | undefined }): Instant {
  if (time === undefined) return clock.now();
  try {
    return parseInstant(time);
  } catch (cause) {
    if (!(cause instanceof WitnessmarkError)) throw cause;
    throw usageError('--time takes an RFC 3339 time in UTC, for example 2026-11-20T08:00:00Z');
  }
}

export type Judge = (evidence: Bytes, fileName?: string) => VerificationReport;

/** A judge with the trust of the one who checks. Without usable trust every file is NOT VERIFIED; that is not an error. */
export function prepareJudge(session: Session, { trust, policy }: TrustFiles, time: Instant): Judge {
  const input = { trustedRoot: readIfPossible(session, trust), policy: readIfPossible(session, policy) };
  try {
    const verifier = new Verifier(input);
    return (evidence, fileName) => verifier.inspect(evidence, time, fileName);
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    return (evidence) => inspectBundle({ ...input, evidence, time });
  }
}

/** An unreadable trusted root or policy is judged like an empty one: it cannot be used. */
function readIfPossible({ output }: Session, path: string): Bytes {
  try {
    return readFile(path, DOCUMENT_BYTES);
  } catch (error) {
    if (!(error instanceof WitnessmarkError)) throw error;
    output.note(`witnessmark: ${error.message}`);
    return NO_BYTES;
  }
}
