// SPDX-License-Identifier: Apache-2.0
/** Making a proposal: the image is read once, and everything that will be signed follows from what was read. */
import {
  buildStatement,
  formatReleaseManifest,
  isValidAt,
  releaseCandidate,
  releaseClassOf,
  type EffectivityRule,
  type ReleaseClass,
  type ReleaseManifest,
  type SealedImage,
  type TrustedKey,
} from '@witnessmark/attestation';
import {
  formatInstant,
  RefusedError,
  sha256Hex,
  STATEMENT_PAYLOAD_TYPE,
  type Bytes,
  type Envelope,
  type Instant,
} from '@witnessmark/core';
import { signEnvelope, type Signer } from '@witnessmark/custody';
import { isTargetName, releaseManifestPath, toTargetContent, type Chunks, type Files } from '@witnessmark/trust';
import { checkException, readException } from './counter-exception.ts';
import { checkCounters, counterFloor } from './counters.ts';
import { GateError } from './error.ts';
import type { ExceptionStore } from './exception-store.ts';
import { ImageInspection, type InspectedImage } from './image.ts';
import { openImageFile } from './image-file.ts';
import { isRuleFor } from './inspection.ts';
import { checkKeyDemands, type KeyDemands } from './key-demands.ts';
import { GATE_LIMITS } from './limits.ts';
import { checkProductionImage } from './production-image.ts';
import type { PromotionStore, ProposedFiles } from './promotion-store.ts';
import { sealNew, type SealingOptions } from './sealing.ts';
import { findInEffect, type Site, type Workspace } from './workspace.ts';

export interface ProposalRequest {
  /** The file the build produced. */
  readonly imagePath: string;
  readonly version: string;
  /** `SKU-VERSION` unless stated. */
  readonly releaseId?: string;
  readonly releaseCounter: number;
  /** Taken from the image when it carries one; 0 for other images unless stated. */
  readonly securityCounter?: number;
  readonly product: ReleaseManifest['product'];
  /** `production` unless stated. */
  readonly releaseClass?: ReleaseClass;
  /** Who built the image, or runs what built it; cannot approve. */
  readonly builder?: string;
  /** An exception under which a security counter may fall. */
  readonly exceptionId?: string;
  /** Name of the one component; `firmware` unless stated. */
  readonly component?: string;
  /** Where the image begins in the device's flash; 0 unless stated. */
  readonly address?: number;
  /** Program, measure and lock unless stated. */
  readonly recipe?: ReleaseManifest['recipe'];
  readonly labelRule?: ReleaseManifest['labelRule'];
  readonly notes?: string;
  /** Publish the image sealed to the line's keys; a gate that requires sealing does so anyway. */
  readonly sealed?: boolean;
  readonly effectivity: Pick<EffectivityRule, 'eco'> & Partial<Omit<EffectivityRule, 'eco' | 'sku' | 'releaseId'>>;
  readonly ticket: string;
  readonly reason: string;
  readonly author: Signer;
}

const DEFAULT_RECIPE: ReleaseManifest['recipe'] = {
  name: 'spi-nor',
  version: '1',
  steps: ['program', 'measure', 'lock'],
};
const MCUBOOT_MEDIA_TYPE = 'application/x-mcuboot-image';
const OTHER_MEDIA_TYPE = 'application/octet-stream';

interface ProposalContext {
  readonly workspace: Workspace;
  readonly site: Site;
  readonly store: PromotionStore;
  readonly files: Files;
  readonly exceptions: ExceptionStore;
  readonly demands: KeyDemands | null;
  readonly sealing: SealingOptions | null;
  readonly now: Instant;
}

/**
 * Copies the image into the store's staging place and signs the candidate; nothing is a promotion yet. Throws PL-116 for
 * somebody who is no author, PL-114 for the image, PL-108 and PL-113 for counters and ids.
 */
export async function prepareProposal(request: ProposalRequest, context: ProposalContext): Promise<ProposedFiles> {
  const { workspace, site, store, now } = context;
  const person = findAuthor(request.author, context);
  const releaseId = request.releaseId ?? `${request.product.sku}-${request.version}`;
  if (!isTargetName(releaseId)) {
    throw new TypeError('a release id holds letters, digits, dots, dashes and underlines, 64 at most');
  }
  if (workspace.manifests.has(releaseId)) throw new RefusedError('PL-113', `${releaseId} was published before`);

  const component = request.component ?? 'firmware';
  const targetPath = `images/${releaseId}.${component}.bin`;
  const image = await copyImage(request.imagePath, targetPath, context);
  const sealing = await sealCopy(request, { targetPath, image }, context);
  const sealed = sealing?.sealed ?? null;
  const manifest = buildManifest(request, { releaseId, component, targetPath, image, sealed, now }, workspace);
  const effectivity = buildRule(request, releaseId, now);
  if (!isRuleFor(effectivity, manifest)) throw new TypeError('the rule names a hardware version the product has not');
  checkProductionImage(image.mcuboot, releaseClassOf(manifest));
  const exception = await readAllowance(request.exceptionId, context);
  checkCounters(
    manifest,
    counterFloor(workspace.manifests.values(), manifest.product.sku),
    exception === null ? null : readException(exception, workspace.keys),
  );

  const manifestBytes = formatReleaseManifest(manifest);
  const staged = workspace.author.stageTargets({
    add: [
      toTargetContent(releaseManifestPath(releaseId), manifestBytes),
      sealed === null
        ? { path: targetPath, length: image.length, sha256: image.sha256 }
        : { path: sealed.targetPath, length: sealed.length, sha256: sealed.sha256 },
    ],
    expiresAt: now + GATE_LIMITS.targetsLifetimeMs,
  });
  const promotionId = await store.nextId();
  const payload = buildStatement(
    releaseCandidate,
    { name: releaseManifestPath(releaseId), digest: { sha256: sha256Hex(manifestBytes) } },
    {
      promotionId,
      manifest,
      effectivity,
      site,
      targets: { version: staged.version, digest: { sha256: staged.digest } },
      proposedBy: { id: person.owner },
      ...(request.builder !== undefined && { builder: { id: request.builder } }),
      ...(exception !== null &&
        request.exceptionId !== undefined && {
          counterException: { id: request.exceptionId, digest: { sha256: sha256Hex(exception.payload) } },
        }),
      proposedAt: formatInstant(now),
      expiresAt: formatInstant(now + GATE_LIMITS.proposalLifetimeMs),
      ticket: request.ticket,
      reason: request.reason,
    },
  );
  const candidate = await signEnvelope(STATEMENT_PAYLOAD_TYPE, payload, [request.author]);
  return {
    promotionId,
    manifest: manifestBytes,
    candidate,
    staged: staged.document,
    exception,
    seed: sealing?.seed ?? null,
  };
}

/** The author a key belongs to; throws PL-116 and, in production, CU-202, CU-203 or CU-135. */
export function findAuthor(
  signer: Signer,
  { workspace, demands, now }: Pick<ProposalContext, 'workspace' | 'demands' | 'now'>,
): TrustedKey {
  const key = workspace.keys.find(
    (entry) => entry.role === 'author' && entry.key.keyid === signer.publicKey.keyid && isValidAt(entry, now),
  );
  if (key === undefined) {
    throw new RefusedError('PL-116', `key ${signer.publicKey.keyid.slice(0, 8)} is no author's key that is valid now`);
  }
  if (demands !== null) checkKeyDemands(key, signer, demands);
  return key;
}

/** Throws PL-121 for an exception that is unknown or does not hold. */
async function readAllowance(
  exceptionId: string | undefined,
  { exceptions, workspace, now }: ProposalContext,
): Promise<Envelope | null> {
  if (exceptionId === undefined) return null;
  const envelope = await exceptions.read(exceptionId);
  checkException(readException(envelope, workspace.keys), now);
  return envelope;
}

async function copyImage(
  imagePath: string,
  targetPath: string,
  { store, files }: Pick<ProposalContext, 'store' | 'files'>,
): Promise<InspectedImage> {
  const file = await openImageFile(imagePath, files);
  const inspection = new ImageInspection();
  await store.stageImage(targetPath, inspection.watch(file));
  return inspection.finish();
}

/** What was copied is sealed, not the file it was copied from. */
async function sealCopy(
  { sealed }: Pick<ProposalRequest, 'sealed'>,
  { targetPath, image }: { readonly targetPath: string; readonly image: InspectedImage },
  context: ProposalContext,
): Promise<{ readonly sealed: SealedImage; readonly seed: Bytes } | null> {
  const { sealing, store } = context;
  if (sealed !== true && sealing?.policy !== 'required') return null;
  if (sealing === null) throw new TypeError('this gate was not given the means to seal');
  const open = async (): Promise<Chunks> => {
    const file = await store.openStaged(targetPath);
    if (file === null) throw new GateError('ERR_GATE_FILE', `the copy of ${targetPath} vanished`);
    return file.chunks;
  };
  return sealNew({ path: targetPath, length: image.length, sha256: image.sha256, open }, sealing, context);
}

interface ManifestParts {
  readonly releaseId: string;
  readonly component: string;
  readonly targetPath: string;
  readonly image: InspectedImage;
  readonly sealed: SealedImage | null;
  readonly now: Instant;
}

function buildManifest(
  request: ProposalRequest,
  { releaseId, component, targetPath, image, sealed, now }: ManifestParts,
  workspace: Workspace,
): ReleaseManifest {
  const { product, version } = request;
  return {
    mediaType: 'application/vnd.witnessmark.release.v1+json',
    releaseId,
    version,
    releaseCounter: request.releaseCounter,
    releaseClass: request.releaseClass ?? 'production',
    product,
    components: [
      {
        name: component,
        targetPath,
        mediaType: image.mcuboot === null ? OTHER_MEDIA_TYPE : MCUBOOT_MEDIA_TYPE,
        sha256: image.sha256,
        length: image.length,
        address: request.address ?? 0,
        version: image.mcuboot?.version ?? version,
        securityCounter: chooseSecurityCounter(request.securityCounter, image),
        ...(sealed !== null && { sealed }),
      },
    ],
    recipe: request.recipe ?? DEFAULT_RECIPE,
    labelRule: request.labelRule ?? 'derived',
    notes: request.notes ?? '',
    supersedes: findInEffect(workspace, buildRule(request, releaseId, now), now)?.releaseId ?? null,
  };
}

/** The image's own counter decides; stating another one is a contradiction. */
function chooseSecurityCounter(stated: number | undefined, image: InspectedImage): number {
  const own = image.mcuboot?.securityCounter ?? null;
  if (own !== null && stated !== undefined && own !== stated) {
    throw new RefusedError('PL-114', `the image carries security counter ${own}, stated is ${stated}`);
  }
  return own ?? stated ?? 0;
}

function buildRule({ product, effectivity }: ProposalRequest, releaseId: string, now: Instant): EffectivityRule {
  return {
    sku: product.sku,
    hwVersions: product.hwVersions,
    workOrders: null,
    validFrom: formatInstant(now),
    validUntil: null,
    maxUnits: null,
    ...effectivity,
    releaseId,
  };
}
