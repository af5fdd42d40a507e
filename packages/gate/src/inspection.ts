// SPDX-License-Identifier: Apache-2.0
/**
 * What a promotion is, recomputed from the bytes on this machine: the candidate's signature, the manifest, the image and
 * the metadata to be signed must say the same thing. Whatever does not is PL-103, and no approval survives it.
 */
import {
  formatReleaseManifest,
  parseReleaseManifest,
  releaseClassOf,
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
  type Chunks,
  type StagedMetadata,
  type TargetContent,
} from '@witnessmark/trust';
import { changed, recompute } from './changed.ts';
import { checkImage, ImageInspection } from './image.ts';
import type { PromotionStore, StoredPromotion } from './promotion-store.ts';
import { sealAgain, type SealingOptions } from './sealing.ts';
import type { Site, Workspace } from './workspace.ts';

const SEED_BYTES = 32;

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
  /** Manifest and images, as targets; of sealed images the envelopes. */
  readonly contents: readonly TargetContent[];
  /** Images of which the repository holds the envelope only. */
  readonly sealedImages: readonly TargetContent[];
}

/** Reads the parts and compares them, images excepted; throws PL-103. */
export function inspectPromotion(
  stored: StoredPromotion,
  { keys }: Pick<Workspace, 'keys'>,
  site: Site,
  { store, sealing }: { readonly store: PromotionStore; readonly sealing: SealingOptions | null },
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
  if (
    (stored.exception === null ? undefined : sha256Hex(stored.exception.payload)) !==
    candidate.counterException?.digest.sha256
  ) {
    throw changed(promotionId, 'the exception is not the one the candidate names');
  }
  return {
    promotionId,
    stored,
    candidate,
    candidateDigest: sha256Hex(stored.candidate.payload),
    authorKey: signed.key,
    manifest,
    staged,
    ...toContents(stored, { manifest, manifestDigest: digest, keys }, { store, sealing }),
  };
}

/**
 * Hashes the images and looks into them; throws PL-103 when one is not what the manifest names, PL-114 when it says other
 * things of itself than the manifest, and PL-118 when it is not made for the class of the release.
 */
export async function verifyImages({ promotionId, manifest, sealedImages, contents }: Promotion): Promise<void> {
  for (const content of [...sealedImages, ...contents]) {
    const component = manifest.components.find(({ targetPath }) => targetPath === content.path);
    const inspection = new ImageInspection();
    try {
      const chunks = await content.open();
      await verifyContent(content, component === undefined ? chunks : inspection.watch(chunks));
    } catch (cause) {
      if (!(cause instanceof WitnessmarkError)) throw cause;
      throw changed(promotionId, cause.message, cause);
    }
    if (component !== undefined) checkImage(inspection.finish(), component, releaseClassOf(manifest));
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
  {
    manifest,
    manifestDigest,
    keys,
  }: Pick<Workspace, 'keys'> & { readonly manifest: ReleaseManifest; readonly manifestDigest: string },
  { store, sealing }: { readonly store: PromotionStore; readonly sealing: SealingOptions | null },
): Pick<Promotion, 'contents' | 'sealedImages'> {
  const { promotionId, seed } = stored;
  const sealedImages: TargetContent[] = [];
  const images = manifest.components.map(({ targetPath, length, sha256, sealed }): TargetContent => {
    const image = {
      path: targetPath,
      length,
      sha256,
      open: async () => {
        const file = await store.openImage(promotionId, targetPath);
        if (file === null) throw changed(promotionId, `${targetPath} is missing`);
        return file.chunks;
      },
    };
    if (sealed === undefined) return image;
    sealedImages.push(image);
    // Looked for when the envelope is made: what is published stays published without it.
    const open = async (): Promise<Chunks> => {
      if (seed?.length !== SEED_BYTES) throw changed(promotionId, 'the seed of its sealing is missing');
      if (sealing === null) throw new TypeError('this gate was not given the means to seal');
      return sealAgain(image, sealed, { seal: sealing.seal, keys, seed });
    };
    return { path: sealed.targetPath, length: sealed.length, sha256: sealed.sha256, open };
  });
  const path = releaseManifestPath(manifest.releaseId);
  const bytes = stored.manifest;
  const document = { path, length: bytes.length, sha256: manifestDigest, open: () => Promise.resolve([bytes]) };
  return { contents: [document, ...images], sealedImages };
}
