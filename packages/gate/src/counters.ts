// SPDX-License-Identifier: Apache-2.0
/**
 * Counters never fall: measured against everything that was ever published for a product, withdrawn or not (A36). A
 * security counter may fall under a recorded exception; a release counter never does.
 */
import type { ReleaseManifest } from '@witnessmark/attestation';
import { RefusedError } from '@witnessmark/core';
import type { SignedException } from './counter-exception.ts';

export interface CounterFloor {
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

/**
 * Throws PL-108 for a counter below what was published, PL-121 for an exception that is for something else, and PL-113 for
 * a release counter that was used before.
 */
export function checkCounters(manifest: ReleaseManifest, floor: CounterFloor, exception: SignedException | null): void {
  const { releaseCounter } = manifest;
  if (floor.releaseCounter !== null && releaseCounter < floor.releaseCounter) {
    throw new RefusedError('PL-108', `release counter ${releaseCounter}; ${floor.releaseCounter} was published before`);
  }
  for (const component of manifest.components) {
    const { name, securityCounter } = component;
    const published = floor.securityCounters.get(name) ?? 0;
    if (securityCounter >= published) continue;
    if (exception === null) {
      throw new RefusedError('PL-108', `security counter of ${name} is ${securityCounter}; ${published} was published`);
    }
    const { sku, allowed, component: excepted, published: known, exceptionId } = exception.predicate;
    const isForIt = sku === manifest.product.sku && excepted === name && exception.imageDigest === component.sha256;
    if (!isForIt || securityCounter < allowed || published > known) {
      throw new RefusedError('PL-121', `${exceptionId} is not for ${name} with security counter ${securityCounter}`);
    }
  }
  if (releaseCounter === floor.releaseCounter) {
    throw new RefusedError('PL-113', `release counter ${releaseCounter} belongs to a release that was published`);
  }
}
