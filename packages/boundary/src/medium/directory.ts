// SPDX-License-Identifier: Apache-2.0
/** A mounted medium, read under the rules for archives: it was made by strangers as well. */
import { concatBytes, encodeUtf8, type Bytes } from '@witnessmark/core';
import { join } from 'node:path';
import { parseMemberPath } from '../archive/member-path.ts';
import { NameRegister } from '../archive/name-register.ts';
import type { Member } from '../archive/archive.ts';
import { BoundaryError } from '../error.ts';
import type { BoundaryFiles } from '../files.ts';
import type { BoundaryLimits } from '../limits.ts';
import { RefusedFile, showPathBytes } from '../refused-file.ts';
import { comparePaths } from './tree-digest.ts';

/** What file systems put on every medium they format; empty by nature. */
const FILE_SYSTEM_DIRECTORIES = new Set(['lost+found']);

interface FoundFile {
  readonly path: string;
}

/**
 * The files below a directory, sorted by path; names are judged before the first one is opened. Throws BX-101 to BX-104, and
 * `ERR_BOUNDARY_FILE` when the directory cannot be read.
 */
export async function* readDirectory(
  directory: string,
  files: BoundaryFiles,
  limits: BoundaryLimits,
): AsyncGenerator<Member> {
  const found: FoundFile[] = [];
  await collect({ directory, files, limits, names: new NameRegister(), found, entries: 0 }, '');
  found.sort((left, right) => comparePaths(left.path, right.path));
  let total = 0;
  for (const { path } of found) {
    const content = await readMember(files, join(directory, path), path, limits);
    total += content.length;
    if (total > limits.maxTotalBytes) {
      throw new RefusedFile('BX-104', path, `the medium holds more than ${limits.maxTotalBytes} bytes`);
    }
    yield { path, content };
  }
}

interface Walk {
  readonly directory: string;
  readonly files: BoundaryFiles;
  readonly limits: BoundaryLimits;
  readonly names: NameRegister;
  readonly found: FoundFile[];
  entries: number;
}

async function collect(walk: Walk, below: string): Promise<void> {
  const listed = await walk.files.list(join(walk.directory, below));
  if (listed === null) throw new BoundaryError('ERR_BOUNDARY_FILE', `${join(walk.directory, below)} is no directory`);
  for (const { name, kind } of listed) {
    walk.entries += 1;
    if (walk.entries > walk.limits.maxEntries) {
      throw new RefusedFile('BX-104', '.', `the medium has more than ${walk.limits.maxEntries} entries`);
    }
    const whole = below === '' ? name : concatBytes(encodeUtf8(`${below}/`), name);
    if (kind === 'other') throw new RefusedFile('BX-102', showPathBytes(whole), 'a link, device, pipe or socket');
    const path = parseMemberPath(whole, walk.limits);
    if (kind === 'file') {
      walk.names.addFile(path);
      walk.found.push({ path });
    } else if (!FILE_SYSTEM_DIRECTORIES.has(path)) {
      walk.names.addDirectory(path);
      await collect(walk, path);
    }
  }
}

async function readMember(files: BoundaryFiles, place: string, path: string, limits: BoundaryLimits): Promise<Bytes> {
  const file = await files.open(place);
  if (file === null) throw new RefusedFile('BX-114', path, 'it went away while the medium was read');
  try {
    if (file.size > limits.maxFileBytes) {
      throw new RefusedFile('BX-104', path, `it has ${file.size} bytes; at most ${limits.maxFileBytes} are read`);
    }
    return await file.read(0, file.size);
  } finally {
    await file.close();
  }
}
