// SPDX-License-Identifier: Apache-2.0
/** Looking at an image file while it is copied, so that what was looked at is what is kept. */
import { createHash } from 'node:crypto';
import { RefusedError, type Bytes } from '@witnessmark/core';
import type { Chunks } from '@witnessmark/trust';
import { GATE_LIMITS } from './limits.ts';
import { McubootReader, type McubootImage } from './mcuboot.ts';

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
