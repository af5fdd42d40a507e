// SPDX-License-Identifier: Apache-2.0
/**
 * One way to read tar, tar.gz and zip archives that strangers made: file by file, under one set of rules for names and
 * bounds. Nothing is written here; what comes out are names that are safe to write and whole contents (A38).
 */
import type { Bytes } from '@witnessmark/core';
import { BOUNDARY_LIMITS, type BoundaryLimits } from '../limits.ts';
import { RefusedFile } from '../refused-file.ts';
import { ByteReader } from './byte-reader.ts';
import { readRange, type ByteSource } from './byte-source.ts';
import { gunzip, isGzip } from './gzip.ts';
import { parseMemberPath } from './member-path.ts';
import { NameRegister } from './name-register.ts';
import type { RawEntry } from './raw-entry.ts';
import { readTar } from './tar.ts';
import { isZip, readZip } from './zip.ts';

const TAR_BLOCK_BYTES = 512;

export type ArchiveForm = 'tar' | 'tarGzip' | 'zip';

/** A file with a name that is safe to write below a directory. */
export interface Member {
  readonly path: string;
  readonly content: Bytes;
}

/** What the bytes are, whatever their file is called; null for anything else. */
export async function detectArchive(source: ByteSource): Promise<ArchiveForm | null> {
  const head = await source.read(0, Math.min(source.size, TAR_BLOCK_BYTES));
  if (isZip(head)) return 'zip';
  if (isGzip(head)) return 'tarGzip';
  return isTar(head) ? 'tar' : null;
}

/**
 * The files of an archive, in its order. Throws BX-101 to BX-107 at the first thing that is wrong, and BX-109 for what is
 * no archive; whoever writes must have read to the end once before.
 */
export async function* readArchive(
  source: ByteSource,
  limits: BoundaryLimits = BOUNDARY_LIMITS,
): AsyncGenerator<Member> {
  const form = await detectArchive(source);
  if (form === null) throw new RefusedFile('BX-109', '.', 'neither tar, tar.gz nor zip');
  const names = new NameRegister();
  let entries = 0;
  let total = 0;
  for await (const entry of readEntries(source, form, limits)) {
    entries += 1;
    if (entries > limits.maxEntries)
      throw new RefusedFile('BX-104', '.', `it has more than ${limits.maxEntries} entries`);
    if (entry.kind === 'directory') {
      // Archives of a directory begin with the directory itself.
      if (!isSelf(entry.name)) names.addDirectory(parseMemberPath(withoutDotSlash(entry.name), limits));
      continue;
    }
    const path = parseMemberPath(withoutDotSlash(entry.name), limits);
    names.addFile(path);
    total += entry.content.length;
    if (total > limits.maxTotalBytes) {
      throw new RefusedFile('BX-104', path, `it unpacks to more than ${limits.maxTotalBytes} bytes`);
    }
    yield { path, content: entry.content };
  }
}

async function* readEntries(source: ByteSource, form: ArchiveForm, limits: BoundaryLimits): AsyncGenerator<RawEntry> {
  if (form === 'zip') {
    yield* readZip(source, limits);
    return;
  }
  // Headers and padding of each entry come on top of the contents.
  const maxTarBytes = limits.maxTotalBytes + limits.maxEntries * 4 * TAR_BLOCK_BYTES;
  const chunks = form === 'tarGzip' ? gunzip(source, maxTarBytes) : readRange(source, 0, source.size);
  const reader = new ByteReader(chunks);
  try {
    yield* readTar(reader, limits);
  } finally {
    await reader.close();
  }
}

function isTar(head: Bytes): boolean {
  return String.fromCharCode(...head.subarray(257, 262)) === 'ustar';
}

function isSelf(name: Bytes): boolean {
  return name[0] === 0x2e && (name.length === 1 || (name.length === 2 && name[1] === 0x2f));
}

/** `tar -C DIR .` writes each name with a `./`, which changes nothing. */
function withoutDotSlash(name: Bytes): Bytes {
  return name[0] === 0x2e && name[1] === 0x2f ? name.subarray(2) : name;
}
