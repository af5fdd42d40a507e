// SPDX-License-Identifier: Apache-2.0
/** A supervisor's decision about a line stop or a held unit, signed with the supervisor's own key. */
import {
  buildStatement,
  disposition,
  isValidAt,
  parseStatement,
  PREDICATE_TYPES,
  provisioningEvent,
  readPredicateType,
  toTrustedKeys,
  type Disposition,
  type TrustedRoot,
} from '@witnessmark/attestation';
import type { OpenStop } from '@witnessmark/api';
import { parseUnitEvidence } from '@witnessmark/bundle';
import {
  formatInstant,
  sha256Hex,
  STATEMENT_PAYLOAD_TYPE,
  type Bytes,
  type Envelope,
  type Instant,
} from '@witnessmark/core';
import { signEnvelope, type Signer } from '@witnessmark/custody';
import { CliError } from './error.ts';

/** What waits for a decision. */
export interface Matter {
  readonly id: string;
  /** SHA-256 of its statement's payload. */
  readonly digest: string;
  readonly code: string;
  readonly deviceId: string | null;
  readonly station: { readonly id: string; readonly line: string };
}

interface DecisionRequest {
  readonly matter: Matter;
  readonly action: Disposition['action'];
  readonly reason: string;
  readonly signer: Signer;
  readonly trustedRoot: TrustedRoot;
  readonly id: string;
  readonly now: Instant;
}

export function matterOfStop({ refusalId, refusalDigest, code, deviceId, station, line }: OpenStop): Matter {
  return { id: refusalId, digest: refusalDigest, code, deviceId, station: { id: station, line } };
}

/** The held event of a unit: the last link of its chain, when that carries a code. Null for a unit that is not held. */
export function matterOfUnit(evidence: Bytes): Matter | null {
  const payloads = parseUnitEvidence(evidence).entries.map(({ envelope }) => envelope.payload);
  const last = payloads.findLast((payload) => readPredicateType(payload) === PREDICATE_TYPES.provisioningEvent);
  if (last === undefined) return null;
  const { event, identity, station, code } = parseStatement(provisioningEvent, last).predicate;
  if (code === null) return null;
  const { id, line } = station;
  return { id: event.id, digest: sha256Hex(last), code, deviceId: identity.deviceId, station: { id, line } };
}

/** Who decides follows from the key. Throws `ERR_CLI_CONFIG` for a key that is no supervisor's. */
export async function signDisposition(request: DecisionRequest): Promise<Envelope> {
  const { matter, action, reason, signer, trustedRoot, id, now } = request;
  const { keyid } = signer.publicKey;
  const enrolled = toTrustedKeys(trustedRoot).find((entry) => entry.key.keyid === keyid && isValidAt(entry, now));
  if (enrolled?.role !== 'supervisor') {
    throw new CliError('ERR_CLI_CONFIG', `--key is not the key of a supervisor in ${trustedRoot.name}`);
  }
  const payload = buildStatement(
    disposition,
    { name: 'refusal', digest: { sha256: matter.digest } },
    {
      id,
      refusalId: matter.id,
      refusalDigest: { sha256: matter.digest },
      code: matter.code,
      action,
      deviceId: matter.deviceId,
      station: matter.station,
      decidedBy: { id: enrolled.owner, role: enrolled.role },
      reason,
      decidedAt: formatInstant(now),
    },
  );
  return signEnvelope(STATEMENT_PAYLOAD_TYPE, payload, [signer]);
}
