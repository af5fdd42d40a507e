// SPDX-License-Identifier: Apache-2.0
/** The file a build produced, read as it is. */
import { hasCode, RefusedError } from '@witnessmark/core';
import type { Files } from '@witnessmark/trust';
import { GateError } from './error.ts';
import { ImageInspection, type InspectedImage } from './image.ts';

/** Looks at an image without keeping it. Throws PL-114. */
export async function inspectImageFile(imagePath: string, files: Files): Promise<InspectedImage> {
  const inspection = new ImageInspection();
  const chunks = inspection.watch(await openImageFile(imagePath, files))[Symbol.asyncIterator]();
  while (!((await chunks.next()).done ?? false));
  return inspection.finish();
}

/** The bytes of a file the build produced. Throws PL-114 for what is no regular file. */
export async function openImageFile(imagePath: string, files: Files): Promise<AsyncIterable<Uint8Array>> {
  try {
    const file = await files.open(imagePath);
    if (file === null) throw new GateError('ERR_GATE_FILE', `${imagePath} does not exist`);
    return file.chunks;
  } catch (cause) {
    if (!hasCode(cause, 'ERR_TRUST_FILE')) throw cause;
    throw new RefusedError('PL-114', (cause as Error).message, { cause });
  }
}
