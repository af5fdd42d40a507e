// SPDX-License-Identifier: Apache-2.0
import {
  buildStatement,
  formatReleaseManifest,
  releaseApproval,
  releaseCandidate,
  type EffectivityRule,
  type KeyRole,
  type ReleaseApproval,
  type ReleaseManifest,
  type TrustedKey,
} from '@witnessmark/attestation';
import {
  encodeUtf8,
  formatEnvelope,
  formatInstant,
  sha256Hex,
  STATEMENT_PAYLOAD_TYPE,
  type Envelope,
} from '@witnessmark/core';
import { generateSoftwareKey, signEnvelope, type SoftwareKey } from '@witnessmark/custody';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  approvalPath,
  candidatePath,
  effectivityPath,
  missingApprovals,
  readApproval,
  readRelease,
  releaseManifestPath,
  signStagedMetadata,
  toTargetContent,
  verifyRelease,
  withdrawalPath,
  type PublishedRelease,
} from '../src/index.ts';
import { copyWorld, createWorld, DAY, KEYS, NOW, type World } from './support/world.ts';

const AUTHOR = generateSoftwareKey('ecdsa-sha2-nistp256');
const SECOND_CARD = generateSoftwareKey('ecdsa-sha2-nistp256');
const AUTHOR_AS_APPROVER = generateSoftwareKey('ecdsa-sha2-nistp256');

function enrol(key: SoftwareKey, role: KeyRole, owner: string, scope: string, validUntil = Infinity): TrustedKey {
  const keeping = { custody: 'software', custodyGrade: 'asserted', isRehearsal: false, token: null } as const;
  return { role, owner, scope, ...keeping, key: key.publicKey, validFrom: NOW - DAY, validUntil };
}

const TRUSTED: readonly TrustedKey[] = [
  enrol(AUTHOR, 'author', 'dana', 'release'),
  enrol(KEYS.alice, 'approver', 'alice', 'release'),
  enrol(SECOND_CARD, 'approver', 'alice', 'security'),
  enrol(KEYS.bob, 'approver', 'bob', 'security'),
  enrol(KEYS.carol, 'approver', 'carol', 'quality', NOW),
  enrol(AUTHOR_AS_APPROVER, 'approver', 'dana', 'security'),
];
const RULE = { threshold: 2, requiredRoles: ['security'] };

const MANIFEST: ReleaseManifest = {
  mediaType: 'application/vnd.witnessmark.release.v1+json',
  releaseId: 'GW-210-4.2.1',
  version: '4.2.1',
  releaseCounter: 41,
  product: { sku: 'GW-210', hwModel: 'GW', hwVersions: ['C'] },
  components: [
    {
      name: 'app',
      targetPath: 'images/gw.bin',
      mediaType: 'application/octet-stream',
      sha256: sha256Hex(encodeUtf8('image')),
      length: 5,
      address: 0,
      version: '4.2.1',
      securityCounter: 13,
    },
  ],
  recipe: { name: 'spi-nor', version: '1', steps: ['program', 'measure', 'lock'] },
  labelRule: 'derived',
  notes: '',
  supersedes: null,
};
const EFFECTIVITY: EffectivityRule = {
  sku: 'GW-210',
  hwVersions: ['C'],
  workOrders: null,
  releaseId: MANIFEST.releaseId,
  eco: 'ECO-7731',
  validFrom: formatInstant(NOW),
  validUntil: null,
  maxUnits: null,
};

async function propose(key = AUTHOR, by = 'dana', manifest = MANIFEST): Promise<Envelope> {
  const digest = { sha256: sha256Hex(formatReleaseManifest(manifest)) };
  const payload = buildStatement(
    releaseCandidate,
    { name: 'manifest', digest },
    {
      promotionId: 'P-0001',
      manifest,
      effectivity: EFFECTIVITY,
      targets: { version: 2, digest: { sha256: '0'.repeat(64) } },
      proposedBy: { id: by },
      proposedAt: formatInstant(NOW),
      expiresAt: formatInstant(NOW + DAY),
      ticket: 'ECO-7731',
      reason: 'fix',
    },
  );
  return signEnvelope(STATEMENT_PAYLOAD_TYPE, payload, [key]);
}

type Change = Partial<ReleaseApproval> & { readonly subject?: string };

async function approve(
  candidate: Envelope,
  key: SoftwareKey,
  id: string,
  role: string,
  change: Change = {},
): Promise<Envelope> {
  const { subject = sha256Hex(candidate.payload), ...rest } = change;
  const payload = buildStatement(
    releaseApproval,
    { name: 'candidate', digest: { sha256: subject } },
    {
      promotionId: 'P-0001',
      releaseId: MANIFEST.releaseId,
      decision: 'approve',
      approver: { id, role },
      meaning: 'reviewed',
      ticket: 'ECO-7731',
      approvedAt: formatInstant(NOW),
      expiresAt: formatInstant(NOW + DAY),
      ...rest,
    },
  );
  return signEnvelope(STATEMENT_PAYLOAD_TYPE, payload, [key]);
}

let candidate: Envelope;
let byAlice: Envelope;
let byBob: Envelope;
beforeAll(async () => {
  candidate = await propose();
  byAlice = await approve(candidate, KEYS.alice, 'alice', 'release');
  byBob = await approve(candidate, KEYS.bob, 'bob', 'security');
});

function released(approvals: readonly Envelope[], change: Partial<PublishedRelease> = {}): PublishedRelease {
  return { manifest: MANIFEST, manifestBytes: formatReleaseManifest(MANIFEST), candidate, approvals, ...change };
}

describe('verifyRelease', () => {
  it('returns the candidate that two people approved', () => {
    const statement = verifyRelease(released([byAlice, byBob]), TRUSTED, RULE);
    expect(statement.predicate.manifest.releaseId).toBe(MANIFEST.releaseId);
  });

  it('refuses one approval (LS-202)', () => {
    for (const approvals of [[], [byAlice], [byBob]]) {
      expect(() => verifyRelease(released(approvals), TRUSTED, RULE)).toThrow(
        expect.objectContaining({ code: 'LS-202' }),
      );
    }
  });

  it('A27 counts a person with two cards once, A28 a key that signed twice too (LS-202)', async () => {
    const secondCard = await approve(candidate, SECOND_CARD, 'alice', 'security');
    const again = await approve(candidate, KEYS.alice, 'alice', 'release');
    for (const approvals of [
      [byAlice, secondCard],
      [byAlice, again],
      [byAlice, byAlice],
    ]) {
      expect(() => verifyRelease(released(approvals), TRUSTED, RULE)).toThrow(
        expect.objectContaining({ code: 'LS-202' }),
      );
    }
  });

  it('A26 does not count the author, whatever card he uses (LS-202)', async () => {
    const byAuthor = await approve(candidate, AUTHOR_AS_APPROVER, 'dana', 'security');
    expect(() => verifyRelease(released([byAlice, byAuthor]), TRUSTED, RULE)).toThrow(
      expect.objectContaining({ code: 'LS-202' }),
    );
  });

  it('asks for the roles it was told to (LS-202)', async () => {
    const trusted = [...TRUSTED, enrol(KEYS.dave, 'approver', 'dave', 'quality')];
    const byDave = await approve(candidate, KEYS.dave, 'dave', 'quality');
    expect(() => verifyRelease(released([byAlice, byDave]), trusted, RULE)).toThrow(/nobody of: security/);
    expect(verifyRelease(released([byAlice, byDave]), trusted, { ...RULE, requiredRoles: [] })).toBeDefined();
  });

  it.each([
    ['denies', { decision: 'deny' }],
    ['approves another candidate', { subject: '1'.repeat(64) }],
    ['claims another person', { approver: { id: 'bob', role: 'release' } }],
    ['claims another role', { approver: { id: 'alice', role: 'security' } }],
    ['was signed before the key was valid', { approvedAt: formatInstant(NOW - 2 * DAY) }],
  ] as const)('does not count an approval that %s (LS-202)', async (_, change) => {
    const other = await approve(candidate, KEYS.alice, 'alice', 'release', change);
    expect(() => verifyRelease(released([other, byBob]), TRUSTED, RULE)).toThrow(
      expect.objectContaining({ code: 'LS-202' }),
    );
  });

  it('does not count a key that ran out, a stranger, or a statement of another kind (LS-202)', async () => {
    const byCarol = await approve(candidate, KEYS.carol, 'carol', 'quality');
    const byStranger = await approve(candidate, KEYS.stranger, 'alice', 'release');
    const candidateByAlice = await signEnvelope(STATEMENT_PAYLOAD_TYPE, candidate.payload, [KEYS.alice]);
    const otherType = { ...byAlice, payloadType: 'text/plain' };
    for (const other of [byCarol, byStranger, candidateByAlice, otherType]) {
      expect(() => verifyRelease(released([other, byBob]), TRUSTED, RULE)).toThrow(
        expect.objectContaining({ code: 'LS-202' }),
      );
    }
  });

  it.each([
    ['by a stranger', () => propose(KEYS.stranger)],
    ['by an approver', () => propose(KEYS.alice, 'alice')],
    ['in the name of somebody else', () => propose(AUTHOR, 'alice')],
    ['for another manifest', () => propose(AUTHOR, 'dana', { ...MANIFEST, releaseCounter: 42 })],
  ])('refuses a candidate %s (LS-201)', async (_, make) => {
    const other = await make();
    const approvals = [
      await approve(other, KEYS.alice, 'alice', 'release'),
      await approve(other, KEYS.bob, 'bob', 'security'),
    ];
    expect(() => verifyRelease(released(approvals, { candidate: other }), TRUSTED, RULE)).toThrow(
      expect.objectContaining({ code: 'LS-201' }),
    );
  });
});

describe('missingApprovals', () => {
  it('says who is missing', () => {
    const approvals = [byAlice].map((envelope) => readApproval(envelope, TRUSTED)!);
    expect(missingApprovals(approvals, { author: 'dana', builder: null }, RULE)).toMatchObject({
      people: 1,
      roles: ['security'],
    });
    expect(
      missingApprovals([...approvals, readApproval(byBob, TRUSTED)!], { author: 'dana', builder: null }, RULE),
    ).toBeNull();
  });
});

describe('readRelease', () => {
  const publish = async (world: World) => {
    const author = await world.open();
    const manifest = toTargetContent(releaseManifestPath(MANIFEST.releaseId), formatReleaseManifest(MANIFEST));
    const staged = author.stageTargets({ add: [manifest], expiresAt: NOW + DAY });
    const signatures = [await signStagedMetadata(staged, KEYS.alice), await signStagedMetadata(staged, KEYS.bob)];
    const delegated = [
      toTargetContent(candidatePath(MANIFEST.releaseId), formatEnvelope(candidate)),
      toTargetContent(approvalPath(MANIFEST.releaseId, 1), formatEnvelope(byAlice)),
      toTargetContent(approvalPath(MANIFEST.releaseId, 2), formatEnvelope(byBob)),
    ];
    await author.publish({
      now: NOW,
      targets: { staged, signatures },
      contents: [manifest],
      delegated: { add: delegated },
    });
    return author;
  };

  it('finds manifest, candidate and every approval, for clients and authors alike', async () => {
    const world = copyWorld(await createWorld());
    const author = await publish(world);
    const client = world.client();
    await client.update(NOW);
    for (const reader of [author, client]) {
      const release = await readRelease(reader, MANIFEST.releaseId);
      expect(release.approvals).toEqual([byAlice, byBob]);
      expect(verifyRelease(release, TRUSTED, RULE).subject[0].digest.sha256).toBe(sha256Hex(release.manifestBytes));
      await expect(readRelease(reader, 'GW-210-9.9.9')).rejects.toMatchObject({ code: 'TR-108' });
    }
  });
});

describe('names', () => {
  it('become target paths', () => {
    expect(effectivityPath('PEN', 'L3')).toBe('effectivity/PEN.L3.json');
    expect(withdrawalPath('GW-210-4.2.1')).toBe('attestations/GW-210-4.2.1.withdrawal.dsse.json');
  });

  it.each(['', '..', '.x', 'a/b', 'a b', 'x'.repeat(65)])('refuse %j (TR-108)', (name) => {
    for (const make of [releaseManifestPath, candidatePath, withdrawalPath]) {
      expect(() => make(name)).toThrow(expect.objectContaining({ code: 'TR-108' }));
    }
  });
});
