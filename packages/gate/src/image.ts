// SPDX-License-Identifier: Apache-2.0
/** Looking at an image file while it is copied, so that what was looked at is what is kept. */
import { createHash } from 'node:crypto';
import type { ReleaseClass, ReleaseComponent } from '@witnessmark/attestation';
import { RefusedError, type Bytes } from '@witnessmark/core';
import type { Chunks } from '@witnessmark/trust';
import { GATE_LIMITS } from './limits.ts';
import { McubootReader, type McubootImage } from './mcuboot.ts';
import { checkProductionImage } from './production-image.ts';

export interface InspectedImage {
  readonly length: number;
  readonly sha256: string;
  /** Null for images of other formats. */
  readonly mcuboot: McubootImage | null;
}

export class ImageInspection {
  readonly #hash = createHash('sha256');
  readonly #mcuboot = new McubootReader();
  #length = 0;

  /** Passes the chunks on; throws PL-114 beyond the size of any image. */
  async *watch(chunks: Chunks): AsyncGenerator<Bytes> {
    for await (const chunk of chunks) {
      this.#length += chunk.length;
      if (this.#length > GATE_LIMITS.maxImageBytes) {
        throw new RefusedError('PL-114', `the image has more than ${GATE_LIMITS.maxImageBytes} bytes`);
      }
      this.#hash.update(chunk);
      this.#mcuboot.push(chunk);
      yield chunk;
    }
  }

  /** After the last chunk. Throws PL-114 for an empty file and for one that contradicts its own header. */
  finish(): InspectedImage {
    if (this.#length === 0) throw new RefusedError('PL-114', 'the image is empty');
    return { length: this.#length, sha256: this.#hash.digest('hex'), mcuboot: this.#mcuboot.finish() };
  }
}

/** Throws PL-114 when the image contradicts what the manifest says of it, PL-118 when it is for another class of release. */
export function checkImage(
  { mcuboot }: InspectedImage,
  { name, securityCounter }: Pick<ReleaseComponent, 'name' | 'securityCounter'>,
  releaseClass: ReleaseClass,
): void {
  const own = mcuboot?.securityCounter ?? null;
  if (own !== null && own !== securityCounter) {
    throw new RefusedError('PL-114', `${name} carries security counter ${own}, the manifest says ${securityCounter}`);
  }
  checkProductionImage(mcuboot, releaseClass);
}
