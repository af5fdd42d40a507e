// SPDX-License-Identifier: Apache-2.0
/** Counters never fall: measured against everything that was ever published for a product, withdrawn or not (A36). */
import type { ReleaseManifest } from '@witnessmark/attestation';
import { RefusedError } from '@witnessmark/core';

interface CounterFloor {
  /** Null when nothing was published for the product. */
  readonly releaseCounter: number | null;
  /** By component name. */
  readonly securityCounters: ReadonlyMap<string, number>;
}

export function counterFloor(manifests: Iterable<ReleaseManifest>, sku: string): CounterFloor {
  let releaseCounter: number | null = null;
  const securityCounters = new Map<string, number>();
  for (const manifest of manifests) {
    if (manifest.product.sku !== sku) continue;
    releaseCounter = Math.max(releaseCounter ?? 0, manifest.releaseCounter);
    for (const { name, securityCounter } of manifest.components) {
      securityCounters.set(name, Math.max(securityCounters.get(name) ?? 0, securityCounter));
    }
  }
  return { releaseCounter, securityCounters };
}

/** Throws PL-108 for a counter below what was published, and PL-113 for a release counter that was used before. */
export function checkCounters(manifest: ReleaseManifest, floor: CounterFloor): void {
  const { releaseCounter } = manifest;
  if (floor.releaseCounter !== null && releaseCounter < floor.releaseCounter) {
    throw new RefusedError('PL-108', `release counter ${releaseCounter}; ${floor.releaseCounter} was published before`);
  }
  for (const { name, securityCounter } of manifest.components) {
    const published = floor.securityCounters.get(name) ?? 0;
    if (securityCounter < published) {
      throw new RefusedError('PL-108', `security counter of ${name} is ${securityCounter}; ${published} was published`);
    }
  }
  if (releaseCounter === floor.releaseCounter) {
    throw new RefusedError('PL-113', `release counter ${releaseCounter} belongs to a release that was published`);
  }
}
