// SPDX-License-Identifier: Apache-2.0
/** The repository as the gate finds it at one moment, checked from the pinned root down, and what follows from it. */
import {
  parseEffectivity,
  parseReleaseManifest,
  parseTrustedRoot,
  toTrustedKeys,
  type Effectivity,
  type EffectivityRule,
  type ReleaseManifest,
  type TrustedKey,
  type TrustedRoot,
} from '@witnessmark/attestation';
import { RefusedError, type Instant } from '@witnessmark/core';
import {
  effectivityPath,
  releaseInEffect,
  releaseManifestPath,
  TRUSTED_ROOT_PATH,
  type TrustAuthor,
} from '@witnessmark/trust';

export interface Site {
  readonly plant: string;
  readonly line: string;
}

export interface Workspace {
  readonly author: TrustAuthor;
  /** Enrolled keys, as the approvers signed them into the repository. */
  readonly keys: readonly TrustedKey[];
  /** The document they come from. */
  readonly trustedRoot: TrustedRoot;
  readonly effectivity: Effectivity;
  /** Every release ever published, by id. */
  readonly manifests: ReadonlyMap<string, ReleaseManifest>;
}

const MANIFEST_PATH = /^releases\/(.+)\.json$/;

export async function openWorkspace(author: TrustAuthor, site: Site): Promise<Workspace> {
  const trustedRoot = parseTrustedRoot(await author.readTarget(TRUSTED_ROOT_PATH));
  const manifests = new Map<string, ReleaseManifest>();
  for (const path of author.listTargets().keys()) {
    if (!MANIFEST_PATH.test(path)) continue;
    const manifest = parseReleaseManifest(await author.readTarget(path));
    if (releaseManifestPath(manifest.releaseId) === path) manifests.set(manifest.releaseId, manifest);
  }
  return {
    author,
    keys: toTrustedKeys(trustedRoot),
    trustedRoot,
    effectivity: await readEffectivity(author, site),
    manifests,
  };
}

/** The release in effect for the units a rule is about; null when there is none. */
export function findInEffect(
  { effectivity, manifests }: Workspace,
  { sku, hwVersions, workOrders }: Pick<EffectivityRule, 'sku' | 'hwVersions' | 'workOrders'>,
  at: Instant,
): ReleaseManifest | null {
  for (const hwVersion of hwVersions) {
    try {
      const { releaseId } = releaseInEffect(effectivity, { sku, hwVersion, workOrder: workOrders?.[0] ?? null, at });
      return manifests.get(releaseId) ?? null;
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
    }
  }
  return null;
}

/** The effectivity of a site; one without rules when nothing was ever released there. */
async function readEffectivity(author: TrustAuthor, { plant, line }: Site): Promise<Effectivity> {
  const path = effectivityPath(plant, line);
  if (await author.hasTarget(path)) return parseEffectivity(await author.readTarget(path));
  return {
    mediaType: 'application/vnd.witnessmark.effectivity.v1+json',
    plant,
    line,
    version: 0,
    rules: [],
    withdrawn: [],
    default: 'STOP',
  };
}
