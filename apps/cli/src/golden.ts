// SPDX-License-Identifier: Apache-2.0
/** Registering the units a station proves itself with, signed with the supervisor's own key. */
import {
  buildStatement,
  deviceSubject,
  goldenUnit,
  isValidAt,
  toTrustedKeys,
  type GoldenUnit,
  type TrustedRoot,
} from '@witnessmark/attestation';
import { ApiError, type LineViews } from '@witnessmark/api';
import { formatInstant, STATEMENT_PAYLOAD_TYPE, type Envelope, type Instant } from '@witnessmark/core';
import { signEnvelope, type Signer } from '@witnessmark/custody';
import { GoldenRegister, type LineTrust } from '@witnessmark/station';
import { CliError } from './error.ts';

/** As the line's site records name them. */
const GOLDEN_UNIT_KIND = 'golden-unit';

interface RegistrationRequest {
  readonly unit: Omit<GoldenUnit, 'id' | 'person' | 'registeredAt'>;
  readonly signer: Signer;
  readonly trustedRoot: TrustedRoot;
  readonly id: string;
  readonly now: Instant;
}

/** Who registers follows from the key. Throws `ERR_CLI_CONFIG` for a key that is no supervisor's. */
export async function signGoldenUnit({ unit, signer, trustedRoot, id, now }: RegistrationRequest): Promise<Envelope> {
  const { keyid } = signer.publicKey;
  const enrolled = toTrustedKeys(trustedRoot).find((entry) => entry.key.keyid === keyid && isValidAt(entry, now));
  if (enrolled?.role !== 'supervisor') {
    throw new CliError('ERR_CLI_CONFIG', `--key is not the key of a supervisor in ${trustedRoot.name}`);
  }
  const payload = buildStatement(goldenUnit, deviceSubject(unit.deviceId), {
    ...unit,
    id,
    person: { id: enrolled.owner, role: enrolled.role },
    registeredAt: formatInstant(now),
  });
  return signEnvelope(STATEMENT_PAYLOAD_TYPE, payload, [signer]);
}

/** The units the line has on record. Throws LS-303 for one that is not signed as it must be. */
export async function fetchGoldenRegister(
  line: Pick<LineViews, 'siteRecords'>,
  trust: LineTrust,
): Promise<GoldenRegister> {
  const records = await line.siteRecords(GOLDEN_UNIT_KIND);
  return GoldenRegister.read(
    records.map(({ envelope }) => envelope),
    trust,
  );
}

/** Null while the line does not answer: then it alone refuses these units, once it does. */
export async function tryToFetchGoldenRegister(
  line: Pick<LineViews, 'siteRecords'>,
  trust: LineTrust,
): Promise<GoldenRegister | null> {
  try {
    return await fetchGoldenRegister(line, trust);
  } catch (error) {
    if (error instanceof ApiError) return null;
    throw error;
  }
}
