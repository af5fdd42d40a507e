// SPDX-License-Identifier: Apache-2.0
/** The people, machines and keys of the tests, and the trusted root that lists them. */
import { encodeBase64, formatInstant, type Instant } from '@witnessmark/core';
import type { KeyRole, TrustedRoot } from '@witnessmark/attestation';
import { generateSoftwareKey, NoteSigner, type SoftwareKey } from '@witnessmark/custody';

export const PLACE = { plant: 'P1', line: 'L1' } as const;
/** When the tests begin. */
export const START: Instant = Date.UTC(2026, 2, 2, 6);
const KEYS_FROM = Date.UTC(2026, 0, 1);

interface Member {
  readonly key: SoftwareKey;
  readonly role: KeyRole;
  readonly owner: string;
  readonly scope: string;
  readonly validUntil?: Instant;
}

function member(role: KeyRole, owner: string, scope: string, validUntil?: Instant): Member {
  const key = generateSoftwareKey('ecdsa-sha2-nistp256');
  return { key, role, owner, scope, ...(validUntil === undefined ? {} : { validUntil }) };
}

export const CAST = {
  evidence: member('evidence', 'L1', PLACE.line),
  otherEvidence: member('evidence', 'L2', 'L2'),
  station: member('station', 'ST-1', PLACE.line),
  secondStation: member('station', 'ST-2', PLACE.line),
  otherLineStation: member('station', 'ST-9', 'L2'),
  expiredStation: member('station', 'ST-3', PLACE.line, START - 1),
  operator: member('operator', 'op-anna', PLACE.line),
  secondOperator: member('operator', 'op-ben', PLACE.line),
  supervisor: member('supervisor', 'sv-kim', PLACE.line),
  author: member('author', 'au-lee', 'engineering'),
  approver: member('approver', 'ap-ada', 'release'),
  secondApprover: member('approver', 'ap-bo', 'security'),
  thirdApprover: member('approver', 'ap-cy', 'quality'),
} as const satisfies Record<string, Member>;

export type Name = keyof typeof CAST;

/** A key nobody enrolled. */
export const STRANGER: SoftwareKey = generateSoftwareKey('ecdsa-sha2-nistp256');
export const LOG_SIGNER: NoteSigner = new NoteSigner('line.example/L1', generateSoftwareKey('ed25519'));

export function toTrustedRoot(version = 1, without: readonly Name[] = []): TrustedRoot {
  const members = Object.entries<Member>(CAST).filter(([name]) => !without.includes(name as Name));
  return {
    mediaType: 'application/vnd.witnessmark.trusted-root.v1+json',
    name: 'tests',
    version,
    logs: [],
    witnesses: [],
    keys: members.map(([, { key, role, owner, scope, validUntil }]) => ({
      role,
      publicKey: encodeBase64(key.publicKey.spki),
      owner,
      scope,
      custody: 'software',
      validFrom: formatInstant(KEYS_FROM),
      validUntil: validUntil === undefined ? null : formatInstant(validUntil),
    })),
    certificateAuthorities: [],
    revocations: [],
  };
}
