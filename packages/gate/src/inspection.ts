// SPDX-License-Identifier: Apache-2.0
/**
 * What a promotion is, recomputed from the bytes on this machine: the candidate's signature, the manifest, the image and
 * the metadata to be signed must say the same thing. Whatever does not is PL-103, and no approval survives it.
 */
import {
  formatReleaseManifest,
  parseReleaseManifest,
  type EffectivityRule,
  type ReleaseCandidate,
  type ReleaseManifest,
  type TrustedKey,
} from '@witnessmark/attestation';
import { equalBytes, formatEnvelope, RefusedError, sha256Hex, WitnessmarkError } from '@witnessmark/core';
import {
  candidatePath,
  parseStagedMetadata,
  readCandidate,
  releaseManifestPath,
  verifyContent,
  type StagedMetadata,
  type TargetContent,
} from '@witnessmark/trust';
import type { PromotionStore, StoredPromotion } from './promotion-store.ts';
import type { Site, Workspace } from './workspace.ts';

/** A promotion whose parts agree. */
export interface Promotion {
  readonly promotionId: string;
  readonly stored: StoredPromotion;
  readonly candidate: ReleaseCandidate;
  /** SHA-256 of the candidate statement's payload: what approvals name and approvers compare. */
  readonly candidateDigest: string;
  readonly authorKey: TrustedKey;
  readonly manifest: ReleaseManifest;
  readonly staged: StagedMetadata;
  /** Manifest and images, as targets. */
  readonly contents: readonly TargetContent[];
}

/** Reads the parts and compares them, images excepted; throws PL-103. */
export function inspectPromotion(
  stored: StoredPromotion,
  { keys }: Pick<Workspace, 'keys'>,
  site: Site,
  store: PromotionStore,
): Promotion {
  const { promotionId } = stored;
  const signed = readCandidate(stored.candidate, keys);
  if (signed === null) throw changed(promotionId, 'the candidate is not signed by an enrolled author');
  const candidate = signed.statement.predicate;
  const { plant, line } = candidate.site ?? { plant: 'no plant', line: 'no line' };
  if (candidate.promotionId !== promotionId) throw changed(promotionId, `it is ${candidate.promotionId}`);
  if (plant !== site.plant || line !== site.line) throw changed(promotionId, `it is for ${plant} ${line}`);

  const digest = sha256Hex(stored.manifest);
  if (digest !== signed.statement.subject[0].digest.sha256) throw changed(promotionId, 'the manifest is another one');
  const manifest = recompute(promotionId, 'the manifest', () => parseReleaseManifest(stored.manifest));
  if (!equalBytes(formatReleaseManifest(candidate.manifest), stored.manifest)) {
    throw changed(promotionId, 'the candidate describes another manifest');
  }
  if (!isRuleFor(candidate.effectivity, manifest)) throw changed(promotionId, 'its rule is about another release');
  const staged = recompute(promotionId, 'the staged metadata', () => parseStagedMetadata('targets', stored.staged));
  if (staged.digest !== candidate.targets.digest.sha256 || staged.version !== candidate.targets.version) {
    throw changed(promotionId, 'the staged metadata is not what the candidate names');
  }
  return {
    promotionId,
    stored,
    candidate,
    candidateDigest: sha256Hex(stored.candidate.payload),
    authorKey: signed.key,
    manifest,
    staged,
    contents: toContents(stored, manifest, digest, store),
  };
}

/** Hashes the images; throws PL-103 when one is not what the manifest says. */
export async function verifyImages(promotion: Promotion): Promise<void> {
  for (const content of promotion.contents) {
    try {
      await verifyContent(content, await content.open());
    } catch (cause) {
      if (!(cause instanceof WitnessmarkError)) throw cause;
      throw changed(promotion.promotionId, cause.message, cause);
    }
  }
}

/** Whether the repository publishes exactly this candidate. */
export function isPublished(promotion: Promotion, { author }: Pick<Workspace, 'author'>): boolean {
  const { manifest, stored } = promotion;
  const targets = author.listTargets();
  return (
    targets.get(releaseManifestPath(manifest.releaseId))?.sha256 === sha256Hex(stored.manifest) &&
    targets.get(candidatePath(manifest.releaseId))?.sha256 === sha256Hex(formatEnvelope(stored.candidate))
  );
}

/** Whether a rule puts this release in effect, for the product it is made for and no other. */
export function isRuleFor(rule: EffectivityRule, { releaseId, product }: ReleaseManifest): boolean {
  const areHwVersions = rule.hwVersions.every((version) => product.hwVersions.includes(version));
  return rule.releaseId === releaseId && rule.sku === product.sku && areHwVersions;
}

/**
 * Throws PL-115 when another release was published since the proposal, PL-113 when one of its names belongs to another
 * release, and PL-103 when the staged metadata does anything else than add this manifest and these images.
 */
export function checkStaged(promotion: Promotion, { author }: Pick<Workspace, 'author'>): void {
  const { staged, contents, promotionId } = promotion;
  const current = author.state.targetsVersion;
  if (staged.version !== current + 1) {
    throw new RefusedError(
      'PL-115',
      `${promotionId} follows targets version ${staged.version - 1}; published is ${current}`,
    );
  }
  const published = author.listTargets();
  for (const { path } of contents) {
    if (published.has(path)) throw new RefusedError('PL-113', `${path} belongs to a release that was published`);
  }
  if (author.stageTargets({ add: contents, expiresAt: staged.expiresAt }).digest !== staged.digest) {
    throw changed(promotionId, 'the staged metadata does more than add this release');
  }
}

function toContents(
  stored: StoredPromotion,
  manifest: ReleaseManifest,
  manifestDigest: string,
  store: PromotionStore,
): readonly TargetContent[] {
  const { promotionId } = stored;
  const images = manifest.components.map(({ targetPath, length, sha256 }) => ({
    path: targetPath,
    length,
    sha256,
    open: async () => {
      const image = await store.openImage(promotionId, targetPath);
      if (image === null) throw changed(promotionId, `${targetPath} is missing`);
      return image.chunks;
    },
  }));
  const path = releaseManifestPath(manifest.releaseId);
  const bytes = stored.manifest;
  return [{ path, length: bytes.length, sha256: manifestDigest, open: () => Promise.resolve([bytes]) }, ...images];
}

function recompute<T>(promotionId: string, what: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof WitnessmarkError)) throw cause;
    throw changed(promotionId, `${what} cannot be read: ${cause.message}`, cause);
  }
}

function changed(promotionId: string, what: string, cause?: unknown): RefusedError {
  return new RefusedError('PL-103', `${promotionId} is not what was proposed: ${what}`, { cause });
}
