// SPDX-License-Identifier: Apache-2.0
/** Signing in and out at a station: what is said here counts when the line has it in the log. */
import { formatInstant, type Envelope } from '@witnessmark/core';
import { ApiError, LineRefusedError, type LoggedEntry } from '@witnessmark/api';
import { StationRefusal } from './error.ts';
import type { FlowTools } from './flow-tools.ts';
import type { SignedInSession } from './ports.ts';
import { formatBadgeSignIn, formatSignOut, verifySession } from './session.ts';
import { signStatement } from './signing.ts';

export interface BadgeOrder {
  /** As the reader gave it. */
  readonly badge: string;
  /** Goes to the line and nowhere else. */
  readonly pin: string;
  readonly durationMinutes: number;
  /** Whether the person's session at another station is to end. */
  readonly endsOther?: boolean;
}

interface SignedIn {
  readonly session: SignedInSession;
  readonly entry: LoggedEntry;
}

/** Verifies a session and has it logged. Throws LS-501, LS-521, LS-301, the line's refusal, or an `ApiError`. */
export async function signInWithCredential(envelope: Envelope, tools: FlowTools): Promise<SignedIn> {
  const { ports, recorder, time } = tools;
  await time.synchronise();
  const { now } = time.requireSane();
  const { author, ...session } = await verifyHere(envelope, tools);
  const entry = await recorder.submit(envelope, { author, at: now });
  await ports.journal.saveFloor();
  return { session, entry };
}

/** Has the line check a badge, and verifies the session it answers with. Throws as above, LS-517 and LS-518 besides. */
export async function signInWithBadge(order: BadgeOrder, tools: FlowTools): Promise<SignedIn> {
  const { ports, recorder, time } = tools;
  const { identity, signer, newId, sessions } = ports;
  if (sessions === undefined) throw new TypeError('this station has no way to the badges of its line');
  await time.synchronise();
  const { now } = time.requireSane();
  const { badge, pin, durationMinutes, endsOther = false } = order;
  const requestId = newId();
  const station = { id: identity.id, line: identity.line };
  const requestedAt = formatInstant(now);
  const request = { requestId, badge, station, endsOther, durationMinutes, requestedAt };
  const envelope = await signStatement(signer, formatBadgeSignIn(request, signer.publicKey));
  const entry = await recorder.signInWithBadge(sessions, envelope, { pin, at: now });
  const { statement, digest, use } = await verifyHere(entry.envelope, tools);
  const { credential, session: term } = statement;
  if (credential.kind !== 'badge-pin' || term.id !== requestId) {
    throw new StationRefusal('LS-501', {
      expected: 'the session that was asked for',
      observed: `session ${term.id} by ${credential.kind}`,
    });
  }
  await ports.journal.saveFloor();
  return { session: { statement, digest, use }, entry };
}

/**
 * Has the end of a session logged. Null when the line did not hear it, or had ended the session before: a session that
 * nobody works in ends by itself.
 */
export async function recordSignOut(
  session: SignedInSession,
  { ports, recorder, time }: FlowTools,
): Promise<LoggedEntry | null> {
  const at = time.bestInstant();
  try {
    const envelope = await signStatement(ports.signer, formatSignOut(session, ports.newId(), at));
    return await recorder.submit(envelope, { author: ports.signer.publicKey, at });
  } catch (error) {
    if (error instanceof ApiError || error instanceof LineRefusedError || error instanceof StationRefusal) return null;
    throw error;
  }
}

/** A sign-in that is refused here is on record as one the line refuses is. */
async function verifyHere(
  envelope: Envelope,
  { ports, time, refusals }: FlowTools,
): Promise<ReturnType<typeof verifySession>> {
  const { now } = time.requireSane();
  try {
    return verifySession(envelope, { trust: ports.lineTrust, station: ports.identity, now });
  } catch (error) {
    if (!(error instanceof StationRefusal)) throw error;
    const context = { transactionId: ports.newId(), deviceId: null, labelSerial: null, operatorId: null };
    await refusals.record(error, context);
    throw error;
  }
}
