// SPDX-License-Identifier: Apache-2.0
/** Who answers for this station: a session statement signed with the operator's own credential. */
import {
  parseInstant,
  sha256Hex,
  STATEMENT_PAYLOAD_TYPE,
  verifyEnvelope,
  WitnessmarkError,
  type Envelope,
  type Instant,
  type PublicKey,
} from '@witnessmark/core';
import { operatorSession, parseStatement, type OperatorSession } from '@witnessmark/attestation';
import { StationRefusal } from './error.ts';
import type { LineTrust } from './line-trust.ts';
import type { SignedInSession, StationIdentity } from './ports.ts';

interface VerifiedSession extends SignedInSession {
  readonly operatorKey: PublicKey;
}

/** Verifies a session for this station and time. Throws LS-501. */
export function verifySession(
  envelope: Envelope,
  context: { readonly trust: LineTrust; readonly station: StationIdentity; readonly now: Instant },
): VerifiedSession {
  const { trust, station, now } = context;
  try {
    const claimed = readSession(envelope);
    const { signers } = verifyEnvelope(envelope, {
      keys: trust.operatorKeys(claimed.operator.id, now),
      threshold: 1,
      payloadType: STATEMENT_PAYLOAD_TYPE,
    });
    const operatorKey = signers[0] as PublicKey;
    requireEqual('credential', operatorKey.keyid, claimed.operator.credentialKeyDigest.sha256);
    requireEqual('station', station.id, claimed.station.id);
    requireEqual('line', station.line, claimed.station.line);
    const { openedAt, expiresAt } = claimed.session;
    if (now >= parseInstant(expiresAt)) throw refused('a session that lasts', `one that ended at ${expiresAt}`);
    if (parseInstant(openedAt) > now) throw refused('a session that has begun', `one that begins at ${openedAt}`);
    return { statement: claimed, digest: sha256Hex(envelope.payload), operatorKey };
  } catch (error) {
    if (error instanceof StationRefusal || !(error instanceof WitnessmarkError)) throw error;
    throw refused('a session signed by an enrolled operator', `${error.code}: ${error.message}`, error);
  }
}

/** Only the operator's name may be used before the signature verifies: it tells whose key to take. */
function readSession(envelope: Envelope): OperatorSession {
  return parseStatement(operatorSession, envelope.payload).predicate;
}

function requireEqual(what: string, expected: string, observed: string): void {
  if (expected !== observed) throw refused(`a session for ${what} ${expected}`, `one for ${observed}`);
}

function refused(expected: string, observed: string, cause?: unknown): StationRefusal {
  return new StationRefusal('LS-501', { expected, observed, cause });
}
