// SPDX-License-Identifier: Apache-2.0
import { posix } from 'node:path';
import type { Bytes } from '@witnessmark/core';
import type { FileSystem } from './file-system.ts';

/**
 * Replaces a file as a whole, by way of a draft in the same directory. Durable when it resolves; a crash leaves the old one
 * or the new one, never a part of it.
 */
export async function replaceFile(
  files: Pick<FileSystem, 'open' | 'rename' | 'syncDirectory'>,
  { path, draft }: { readonly path: string; readonly draft: string },
  bytes: Bytes,
): Promise<void> {
  const file = await files.open(draft, 'create');
  await file.write(bytes);
  await file.sync();
  await file.close();
  await files.rename(draft, path);
  await files.syncDirectory(posix.dirname(path));
}
