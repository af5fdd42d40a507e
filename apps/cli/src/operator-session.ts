// SPDX-License-Identifier: Apache-2.0
/** Signing in with a card or key: the operator's own credential signs that this person answers for this station for one shift. */
import type { SessionService } from '@witnessmark/api';
import { buildStatement, isValidAt, operatorSession, toTrustedKeys, type TrustedRoot } from '@witnessmark/attestation';
import { formatInstant, RefusedError, STATEMENT_PAYLOAD_TYPE, type Clock, type Envelope } from '@witnessmark/core';
import { signEnvelope, type Signer } from '@witnessmark/custody';
import { CliError } from './error.ts';

interface SessionRequest {
  readonly credential: Signer;
  readonly trustedRoot: TrustedRoot;
  readonly station: { readonly id: string; readonly line: string };
  /** Draws the challenge that the session is bound to, and says what it may ask for. */
  readonly line: Pick<SessionService, 'sessionChallenge' | 'openSessions'>;
  readonly id: string;
  readonly clock: Clock;
  readonly durationMs: number;
  /** Ends the person's session at another station, if there is one. */
  readonly endsOther?: boolean;
}

/**
 * Who the person is follows from the key, not from what was typed. Throws `ERR_CLI_CONFIG` for a key nobody enrolled, and
 * LS-301 for one that is enrolled from a later time on: a clock that was set back is named before anybody doubts a key.
 */
export async function signSession(request: SessionRequest): Promise<Envelope> {
  const { credential, trustedRoot, station, line, id, clock, durationMs, endsOther = false } = request;
  const { keyid } = credential.publicKey;
  const now = clock.now();
  const enrolled = toTrustedKeys(trustedRoot).find((entry) => entry.key.keyid === keyid);
  if (enrolled !== undefined && now < enrolled.validFrom) {
    const from = formatInstant(enrolled.validFrom);
    throw new RefusedError(
      'LS-301',
      `the clock says ${formatInstant(now)}; the key of ${enrolled.owner} began ${from}`,
    );
  }
  if (enrolled?.role !== 'operator' || !isValidAt(enrolled, now)) {
    throw new CliError('ERR_CLI_CONFIG', `--operator-key is not the key of an operator in ${trustedRoot.name}`);
  }
  const { challenge, terms } = await line.sessionChallenge(station.id);
  const elsewhere = endsOther ? await findSessionElsewhere(enrolled.owner, station.id, line) : null;
  const openedAt = clock.now();
  const payload = buildStatement(
    operatorSession,
    { name: 'operator', digest: { sha256: keyid } },
    {
      session: {
        id,
        openedAt: formatInstant(openedAt),
        expiresAt: formatInstant(openedAt + durationMs),
        idleMinutes: terms.idleMinutes,
        batchUnits: terms.batchUnits,
        challenge,
        supersedes: elsewhere === null ? null : { sha256: elsewhere },
      },
      operator: { id: enrolled.owner, role: enrolled.role, credentialKeyDigest: { sha256: keyid } },
      credential: { kind: credential.custody === 'hardware' ? 'piv' : 'software-key' },
      station,
    },
  );
  return signEnvelope(STATEMENT_PAYLOAD_TYPE, payload, [credential]);
}

async function findSessionElsewhere(
  operator: string,
  station: string,
  line: SessionRequest['line'],
): Promise<string | null> {
  const sessions = await line.openSessions();
  return sessions.find((open) => open.operator === operator && open.station !== station)?.digest ?? null;
}
