// SPDX-License-Identifier: Apache-2.0
/** Who appears in the evidence worlds: people and machines with their keys, and the trusted root that lists them. */
import {
  encodeBase64,
  formatInstant,
  formatNoteVerifierKey,
  NOTE_TYPE_COSIGNATURE_ED25519,
  toNoteVerifierKey,
  type CustodyGrade,
  type Instant,
} from '@witnessmark/core';
import { NoteSigner } from '@witnessmark/custody';
import type { KeyRole, TrustedRoot, TrustedRootKey } from '@witnessmark/attestation';
import type { Policy } from '@witnessmark/verify';
import { TestKey } from './test-key.ts';

/** The fixed calendar of the worlds. */
export const CALENDAR = {
  keysFrom: Date.UTC(2026, 0, 1),
  keysUntil: Date.UTC(2027, 0, 1),
  revokedAt: Date.UTC(2026, 1, 1),
  proposedAt: Date.UTC(2026, 1, 20, 9),
  firstApprovalAt: Date.UTC(2026, 1, 21, 10),
  secondApprovalAt: Date.UTC(2026, 1, 22, 11),
  proposalExpiresAt: Date.UTC(2026, 2, 1),
  sessionOpenedAt: Date.UTC(2026, 2, 2, 6),
  sessionExpiresAt: Date.UTC(2026, 2, 2, 14),
  intendedAt: Date.UTC(2026, 2, 2, 6, 10),
  checkedAt: Date.UTC(2026, 5, 1),
} as const;

export const LINE = { id: 'L1', plant: 'P1', origin: 'log.example/line-1' } as const;

interface Member {
  readonly key: TestKey;
  readonly role: KeyRole;
  readonly owner: string;
  readonly scope: string;
  readonly validFrom: Instant;
  readonly validUntil: Instant;
  readonly revokedAt?: Instant;
  readonly custodyGrade?: CustodyGrade;
  readonly rehearsal?: true;
  readonly token?: { readonly label: string; readonly serial: string };
}

function member(
  role: KeyRole,
  owner: string,
  scope: string,
  changes: Partial<Member> & { keyName?: string } = {},
): Member {
  const { keyName = `${role} ${owner}`, ...rest } = changes;
  return {
    key: new TestKey(keyName),
    role,
    owner,
    scope,
    validFrom: CALENDAR.keysFrom,
    validUntil: CALENDAR.keysUntil,
    ...rest,
  };
}

const EXPIRED = { validUntil: CALENDAR.revokedAt } as const;
const REVOKED = { revokedAt: CALENDAR.revokedAt } as const;
const SELF_REPORTED = { custodyGrade: 'selfReported' } as const;
/** A key whose token's vendor attested it. */
function onCard(serial: string): Pick<Member, 'custodyGrade' | 'token'> {
  return { custodyGrade: 'vendorAttested', token: { label: `card ${serial}`, serial } };
}

/** Role keys by a short name; the first group does everything right, the second is there for defects. */
export const CAST = {
  line: member('evidence', 'L1', LINE.id, SELF_REPORTED),
  station: member('station', 'ST-07', LINE.id, SELF_REPORTED),
  operator: member('operator', 'op-3310', LINE.id),
  supervisor: member('supervisor', 'sv-07', LINE.id),
  author: member('author', 'a.meyer', 'engineering'),
  releaseApprover: member('approver', 'b.okafor', 'release', onCard('11000001')),
  securityApprover: member('approver', 'c.lind', 'security', onCard('11000002')),
  qualityApprover: member('approver', 'd.sato', 'quality'),

  otherLine: member('evidence', 'L2', 'L2'),
  otherStation: member('station', 'ST-08', LINE.id),
  softStation: member('station', 'ST-10', LINE.id, {
    key: new TestKey('station ST-10', 'ecdsa-sha2-nistp256', 'software'),
  }),
  expiredStation: member('station', 'ST-11', LINE.id, EXPIRED),
  revokedStation: member('station', 'ST-12', LINE.id, REVOKED),
  revokedLine: member('evidence', 'L1 old', LINE.id, REVOKED),
  expiredOperator: member('operator', 'op-1001', LINE.id, EXPIRED),
  expiredSupervisor: member('supervisor', 'sv-01', LINE.id, EXPIRED),
  expiredAuthor: member('author', 'f.quit', 'engineering', EXPIRED),
  expiredApprover: member('approver', 'g.left', 'security', EXPIRED),
  secondCard: member('approver', 'b.okafor', 'security', { keyName: 'approver b.okafor, second card' }),
  authorAsApprover: member('approver', 'a.meyer', 'security'),
  borrowedCard: member('approver', 'e.novak', 'security', onCard('11000001')),
  rehearsalStation: member('station', 'ST-13', LINE.id, { ...SELF_REPORTED, rehearsal: true }),
} as const satisfies Record<string, Member>;

/** A key that no trusted root lists. */
export const STRANGER = new TestKey('stranger');

/** Log and witness keys; `unlistedLog` is in no trusted root. */
export const LOG_KEYS = {
  line: new NoteSigner(LINE.origin, new TestKey('log line-1', 'ed25519')),
  impostor: new NoteSigner(LINE.origin, new TestKey('log line-1 impostor', 'ed25519')),
  expired: new NoteSigner('log.example/line-0', new TestKey('log line-0', 'ed25519')),
  unlisted: new NoteSigner('log.example/line-9', new TestKey('log line-9', 'ed25519')),
} as const;

export interface TestWitness {
  readonly name: string;
  readonly owner: string;
  readonly key: TestKey;
}

export const WITNESSES: readonly [TestWitness, TestWitness, TestWitness] = [
  { name: 'witness.example/oem', owner: 'oem', key: new TestKey('witness oem', 'ed25519') },
  { name: 'witness.example/customer', owner: 'customer', key: new TestKey('witness customer', 'ed25519') },
  { name: 'witness.example/oem-2', owner: 'oem', key: new TestKey('witness oem 2', 'ed25519') },
];

/** Root version 5 was made while the team was on holiday. */
const ROOT_THRESHOLDS = [
  { version: 4, rootThreshold: 2, targetsThreshold: 2 },
  { version: 5, rootThreshold: 2, targetsThreshold: 1 },
];

/** The verifier's own copy of every key that counts. */
export function testTrustedRoot(): TrustedRoot {
  const validFrom = formatInstant(CALENDAR.keysFrom);
  const validUntil = formatInstant(CALENDAR.keysUntil);
  const members: readonly Member[] = Object.values(CAST);
  return {
    mediaType: 'application/vnd.witnessmark.trusted-root.v1+json',
    name: 'vectors',
    version: 1,
    logs: [
      { verifierKey: formatNoteVerifierKey(LOG_KEYS.line.verifierKey), owner: 'L1', validFrom, validUntil },
      {
        verifierKey: formatNoteVerifierKey(LOG_KEYS.expired.verifierKey),
        owner: 'L0',
        validFrom,
        validUntil: formatInstant(CALENDAR.revokedAt),
      },
    ],
    witnesses: WITNESSES.map(({ name, owner, key }) => ({
      verifierKey: formatNoteVerifierKey(toNoteVerifierKey(name, key.publicKey, NOTE_TYPE_COSIGNATURE_ED25519)),
      owner,
      validFrom,
      validUntil,
    })),
    keys: members.map(toTrustedRootKey),
    certificateAuthorities: [],
    revocations: members.flatMap(({ key, revokedAt }) =>
      revokedAt === undefined
        ? []
        : [{ keyid: key.publicKey.keyid, revokedAt: formatInstant(revokedAt), reason: 'lost' }],
    ),
    repository: { roots: ROOT_THRESHOLDS, holders: [] },
  };
}

function toTrustedRootKey(member: Member): TrustedRootKey {
  const { key, role, owner, scope, validFrom, validUntil, custodyGrade, rehearsal, token } = member;
  return {
    role,
    publicKey: encodeBase64(key.publicKey.spki),
    owner,
    scope,
    custody: key.custody,
    ...(custodyGrade && { custodyGrade }),
    ...(rehearsal && { rehearsal }),
    ...(token && { token }),
    validFrom: formatInstant(validFrom),
    validUntil: formatInstant(validUntil),
  };
}

/** What production asks for; the vectors' default. */
export const PRODUCTION_POLICY: Policy = {
  mediaType: 'application/vnd.witnessmark.policy.v1+json',
  name: 'production',
  version: 1,
  approvals: { threshold: 2, requiredRoles: ['security'] },
  witnesses: { threshold: 0 },
  clock: { accept: ['SANE'] },
  grades: { content: 'readBack', protection: 'readBack' },
  allow: { simulated: false, rehearsal: false, breakGlass: false, softwareKeys: false },
};

/** What is enough to try things out. */
export const TRIAL_POLICY: Policy = {
  ...PRODUCTION_POLICY,
  name: 'trial',
  clock: { accept: ['SANE', 'DEGRADED'] },
  grades: { content: 'commanded', protection: 'commanded' },
  allow: {
    ...{ simulated: true, rehearsal: true, breakGlass: true, softwareKeys: true, debugReleases: true },
    offline: true,
  },
};

export const WITNESSED_POLICY: Policy = { ...PRODUCTION_POLICY, name: 'witnessed', witnesses: { threshold: 2 } };

/** Asks for everything that a policy may ask for. */
export const STRICT_POLICY: Policy = {
  ...PRODUCTION_POLICY,
  name: 'strict',
  approvals: { threshold: 2, requiredRoles: ['security'], coolingOffMinutes: 30 },
  custody: { minimumGrades: { approver: 'vendorAttested', station: 'selfReported', evidence: 'selfReported' } },
  signIn: { credentials: ['piv'] },
  trustRoot: { minThreshold: 2 },
};
