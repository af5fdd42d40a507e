// SPDX-License-Identifier: Apache-2.0
/** Signing in: the operator's own credential signs that this person answers for this station for one shift. */
import { buildStatement, isValidAt, operatorSession, toTrustedKeys, type TrustedRoot } from '@witnessmark/attestation';
import { formatInstant, STATEMENT_PAYLOAD_TYPE, type Envelope, type Instant } from '@witnessmark/core';
import { signEnvelope, type Signer } from '@witnessmark/custody';
import { CliError } from './error.ts';

interface SessionRequest {
  readonly credential: Signer;
  readonly trustedRoot: TrustedRoot;
  readonly station: { readonly id: string; readonly line: string };
  readonly id: string;
  readonly now: Instant;
  readonly durationMs: number;
}

/** Who the person is follows from the key, not from what was typed. Throws `ERR_CLI_CONFIG` for a key nobody enrolled. */
export async function signSession(request: SessionRequest): Promise<Envelope> {
  const { credential, trustedRoot, station, id, now, durationMs } = request;
  const { keyid } = credential.publicKey;
  const enrolled = toTrustedKeys(trustedRoot).find((entry) => entry.key.keyid === keyid && isValidAt(entry, now));
  if (enrolled?.role !== 'operator') {
    throw new CliError('ERR_CLI_CONFIG', `--operator-key is not the key of an operator in ${trustedRoot.name}`);
  }
  const payload = buildStatement(
    operatorSession,
    { name: 'operator', digest: { sha256: keyid } },
    {
      session: { id, openedAt: formatInstant(now), expiresAt: formatInstant(now + durationMs) },
      operator: { id: enrolled.owner, role: enrolled.role, credentialKeyDigest: { sha256: keyid } },
      station,
    },
  );
  return signEnvelope(STATEMENT_PAYLOAD_TYPE, payload, [credential]);
}
