// SPDX-License-Identifier: Apache-2.0
/** A release with its candidate and approvals, really signed, and a book that holds it. */
import {
  formatInstant,
  sha256Hex,
  STATEMENT_PAYLOAD_TYPE,
  type Bytes,
  type Envelope,
  type Instant,
  type RefusedError,
} from '@witnessmark/core';
import {
  buildStatement,
  formatEffectivity,
  formatReleaseManifest,
  releaseApproval,
  releaseCandidate,
  type Effectivity,
  type EffectivityRule,
  type ReleaseManifest,
} from '@witnessmark/attestation';
import { signEnvelope } from '@witnessmark/custody';
import { partakersOf } from '@witnessmark/trust';
import type { KnownRelease, ReleaseBook, ReleaseSource } from '../../src/release-book.ts';
import { CAST, PLACE, START, toTrustedRoot, type Name } from './cast.ts';

const HOUR_MS = 3_600_000;

export const SKU = 'GW-210';
export const PRODUCT = { sku: SKU, hwModel: 'GW', hwVersion: 'B', workOrder: 'WO-1', lot: null } as const;

export function toManifest(changes: Partial<ReleaseManifest> = {}): ReleaseManifest {
  return {
    mediaType: 'application/vnd.witnessmark.release.v1+json',
    releaseId: 'gw-1.4.0',
    version: '1.4.0',
    releaseCounter: 4,
    product: { sku: SKU, hwModel: 'GW', hwVersions: ['A', 'B'] },
    components: [
      {
        name: 'application',
        targetPath: 'images/application.bin',
        mediaType: 'application/octet-stream',
        sha256: 'ab'.repeat(32),
        length: 4096,
        address: 0x1000,
        version: '1.4.0',
        securityCounter: 2,
      },
    ],
    recipe: { name: 'standard', version: '1', steps: ['program', 'measure', 'lock'] },
    labelRule: 'derived',
    notes: '',
    supersedes: null,
    ...changes,
  };
}

export function toRule(changes: Partial<EffectivityRule> = {}): EffectivityRule {
  return {
    sku: SKU,
    hwVersions: ['A', 'B'],
    workOrders: null,
    releaseId: 'gw-1.4.0',
    eco: 'ECO-1',
    validFrom: formatInstant(START - HOUR_MS),
    validUntil: null,
    maxUnits: null,
    ...changes,
  };
}

export interface SignedRelease {
  readonly manifest: ReleaseManifest;
  readonly manifestBytes: Bytes;
  readonly candidate: Envelope;
  readonly approvals: readonly Envelope[];
}

export async function signRelease(
  manifest: ReleaseManifest,
  approvers: readonly Name[] = ['approver', 'secondApprover'],
): Promise<SignedRelease> {
  const manifestBytes = formatReleaseManifest(manifest);
  const candidatePayload = buildStatement(
    releaseCandidate,
    { name: 'release', digest: { sha256: sha256Hex(manifestBytes) } },
    {
      promotionId: `promotion ${manifest.releaseId}`,
      manifest,
      effectivity: toRule({ releaseId: manifest.releaseId }),
      targets: { version: 2, digest: { sha256: '00'.repeat(32) } },
      proposedBy: { id: CAST.author.owner },
      proposedAt: formatInstant(START - 20 * HOUR_MS),
      expiresAt: formatInstant(START + 20 * HOUR_MS),
      ticket: 'T-1',
      reason: 'planned',
    },
  );
  const candidate = await signEnvelope(STATEMENT_PAYLOAD_TYPE, candidatePayload, [CAST.author.key]);
  const approvals = await Promise.all(
    approvers.map((name) => {
      const { owner, scope, key } = CAST[name];
      const payload = buildStatement(
        releaseApproval,
        { name: 'candidate', digest: { sha256: sha256Hex(candidatePayload) } },
        {
          promotionId: `promotion ${manifest.releaseId}`,
          releaseId: manifest.releaseId,
          decision: 'approve',
          approver: { id: owner, role: scope },
          meaning: 'may be produced',
          ticket: 'T-1',
          approvedAt: formatInstant(START - 10 * HOUR_MS),
          expiresAt: formatInstant(START + 20 * HOUR_MS),
        },
      );
      return signEnvelope(STATEMENT_PAYLOAD_TYPE, payload, [key]);
    }),
  );
  return { manifest, manifestBytes, candidate, approvals };
}

export function toKnownRelease(release: SignedRelease, objection: RefusedError | null = null): KnownRelease {
  const { manifest, candidate, approvals } = release;
  const candidateDigest = sha256Hex(candidate.payload);
  return { manifest, candidate, candidateDigest, approvals, partakers: partakersOf(release), objection };
}

export function toEffectivity(
  rules: readonly EffectivityRule[],
  withdrawn: Effectivity['withdrawn'] = [],
): Effectivity {
  return {
    mediaType: 'application/vnd.witnessmark.effectivity.v1+json',
    plant: PLACE.plant,
    line: PLACE.line,
    version: 7,
    rules: [...rules],
    withdrawn,
    default: 'STOP',
  };
}

/** A source whose book the test writes; `fail` makes the repository refuse. */
export class TestReleases implements ReleaseSource {
  rules: readonly EffectivityRule[] = [toRule()];
  withdrawn: Effectivity['withdrawn'] = [];
  trustedRoot: ReleaseBook['trustedRoot'] = toTrustedRoot();
  releases = new Map<string, KnownRelease | RefusedError>();
  failure: RefusedError | null = null;

  static async create(...manifests: readonly ReleaseManifest[]): Promise<TestReleases> {
    const source = new TestReleases();
    for (const manifest of manifests.length === 0 ? [toManifest()] : manifests) await source.add(manifest);
    return source;
  }

  async add(manifest: ReleaseManifest): Promise<void> {
    this.releases.set(manifest.releaseId, toKnownRelease(await signRelease(manifest)));
  }

  current(now: Instant): Promise<ReleaseBook> {
    if (this.failure !== null) return Promise.reject(this.failure);
    const effectivity = toEffectivity(this.rules, this.withdrawn);
    return Promise.resolve({
      state: {
        rootVersion: 1,
        targetsVersion: 3,
        snapshotVersion: 5,
        timestampVersion: 9,
        timestampExpiresAt: formatInstant(now + HOUR_MS),
        effectivityVersion: 2,
      },
      effectivity,
      effectivityDigest: sha256Hex(formatEffectivity(effectivity)),
      trustedRoot: this.trustedRoot,
      releases: this.releases,
    });
  }

  release(releaseId: string): Promise<KnownRelease | null> {
    const release = this.releases.get(releaseId);
    return Promise.resolve(release === undefined || release instanceof Error ? null : release);
  }
}
