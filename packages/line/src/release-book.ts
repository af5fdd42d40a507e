// SPDX-License-Identifier: Apache-2.0
/** What the trust repository says, read once and held together: which release applies, what it is made of, who approved it. */
import { RefusedError, type Envelope, type Instant } from '@witnessmark/core';
import type {
  Effectivity,
  EffectivityRule,
  ReleaseManifest,
  ReleaseReference,
  TrustedRoot,
} from '@witnessmark/attestation';
import { releaseInEffect, type TrustState } from '@witnessmark/trust';
import { LineRefusal } from './error.ts';

/** A release of the repository, with the outcome of checking its approvals. */
export interface KnownRelease {
  readonly manifest: ReleaseManifest;
  readonly candidate: Envelope;
  /** SHA-256 of the candidate statement's payload, lower-case hexadecimal. */
  readonly candidateDigest: string;
  readonly approvals: readonly Envelope[];
  /** Who proposed, built or approved it. */
  readonly partakers: readonly string[];
  /** Why its approvals do not hold; null when they do. */
  readonly objection: RefusedError | null;
}

export interface ReleaseBook {
  readonly state: TrustState;
  readonly effectivity: Effectivity;
  /** SHA-256 of the effectivity document's bytes, lower-case hexadecimal. */
  readonly effectivityDigest: string;
  /** Who may sign what, as the repository carries it. */
  readonly trustedRoot: TrustedRoot;
  /** The releases the rules name; one that cannot be used is here as the reason why. */
  readonly releases: ReadonlyMap<string, KnownRelease | RefusedError>;
}

/** Where the line reads releases; one implementation on a TUF client, others in simulations. */
export interface ReleaseSource {
  /** The repository as of now. Rejects with a `RefusedError` (TR-1xx) when it cannot be believed. */
  current(now: Instant): Promise<ReleaseBook>;
  /** A release by id, in effect or not; null when there is none, or when the repository cannot be believed now. */
  release(releaseId: string, now: Instant): Promise<KnownRelease | null>;
}

interface ReleaseQuery {
  readonly sku: string;
  readonly hwModel: string;
  readonly hwVersion: string;
  readonly workOrder: string | null;
}

/** The release a unit gets now. */
export interface ReleaseInForce {
  readonly release: KnownRelease;
  readonly rule: EffectivityRule;
  readonly reference: ReleaseReference;
}

/** Throws LS-205, LS-203 or LS-202. There is no "latest": only what a rule names. */
export function findReleaseInForce(book: ReleaseBook, query: ReleaseQuery, at: Instant): ReleaseInForce {
  const rule = releaseInEffect(book.effectivity, { ...query, at });
  const release = book.releases.get(rule.releaseId);
  if (release === undefined) {
    throw new LineRefusal('LS-202', `release ${rule.releaseId} in the trust repository`, 'no such release');
  }
  if (release instanceof RefusedError) throw release;
  if (release.objection !== null) throw release.objection;
  const { product } = release.manifest;
  const isFor =
    product.sku === query.sku && product.hwModel === query.hwModel && product.hwVersions.includes(query.hwVersion);
  if (!isFor) {
    throw new LineRefusal(
      'LS-205',
      `${product.sku} ${product.hwModel} ${product.hwVersions.join(', ')}, as ${rule.releaseId} is made for`,
      `${query.sku} ${query.hwModel} ${query.hwVersion}`,
    );
  }
  return { release, rule, reference: toReleaseReference(book, release, rule) };
}

function toReleaseReference(
  book: ReleaseBook,
  { manifest, candidateDigest }: KnownRelease,
  rule: EffectivityRule,
): ReleaseReference {
  const { rootVersion, targetsVersion, snapshotVersion, timestampVersion, timestampExpiresAt } = book.state;
  return {
    id: manifest.releaseId,
    version: manifest.version,
    releaseCounter: manifest.releaseCounter,
    candidateDigest: { sha256: candidateDigest },
    tuf: { rootVersion, targetsVersion, snapshotVersion, timestampVersion, timestampExpiresAt },
    effectivity: { version: book.effectivity.version, eco: rule.eco, digest: { sha256: book.effectivityDigest } },
  };
}
