// SPDX-License-Identifier: Apache-2.0
/** A medium that can be read several times: a mounted directory, or an archive that somebody sent. */
import { detectArchive, readArchive, type ArchiveForm, type Member } from '../archive/archive.ts';
import { BoundaryError } from '../error.ts';
import { nodeFiles, type BoundaryFiles } from '../files.ts';
import { BOUNDARY_LIMITS, type BoundaryLimits } from '../limits.ts';
import { RefusedFile } from '../refused-file.ts';
import { readDirectory } from './directory.ts';

export interface Medium {
  readonly form: 'directory' | ArchiveForm;
  /** Every file, anew at each call. Throws the BX-10x codes. */
  members(): AsyncIterable<Member>;
  close(): Promise<void>;
}

export interface OpenMediumOptions {
  readonly files?: BoundaryFiles;
  readonly limits?: BoundaryLimits;
}

/** Opens a directory or an archive. Throws BX-109, and `ERR_BOUNDARY_FILE` when there is neither. */
export async function openMedium(
  path: string,
  { files = nodeFiles, limits = BOUNDARY_LIMITS }: OpenMediumOptions = {},
): Promise<Medium> {
  if ((await files.list(path)) !== null) {
    return { form: 'directory', members: () => readDirectory(path, files, limits), close: () => Promise.resolve() };
  }
  const file = await files.open(path);
  if (file === null) throw new BoundaryError('ERR_BOUNDARY_FILE', `there is no ${path}`);
  const form = await detectArchive(file);
  if (form !== null) return { form, members: () => readArchive(file, limits), close: () => file.close() };
  await file.close();
  throw new RefusedFile('BX-109', path, 'neither a directory nor a tar, tar.gz or zip archive');
}
