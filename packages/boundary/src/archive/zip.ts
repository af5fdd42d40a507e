// SPDX-License-Identifier: Apache-2.0
/**
 * ZIP archives (APPNOTE.TXT 6.3), read by yauzl under our own rules. A ZIP file says everything twice, in the central directory and before
 * each file, and programs differ in whom they believe; so both must agree, and the parts must fill the archive from
 * its first byte to its last without gap or overlap.
 */
import { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import { concatBytes, equalBytes, type Bytes } from '@witnessmark/core';
import {
  fromRandomAccessReaderPromise,
  RandomAccessReader,
  type Entry,
  type LocalFileHeader,
  type ZipFile,
} from 'yauzl';
import type { BoundaryLimits } from '../limits.ts';
import { RefusedFile, showPathBytes } from '../refused-file.ts';
import { readRange, type ByteSource } from './byte-source.ts';
import type { RawEntry } from './raw-entry.ts';

const END_BYTES = 22;
const END_SIGNATURE = 0x06054b50;
const ZIP64_LOCATOR_BYTES = 20;
const ZIP64_LOCATOR_SIGNATURE = 0x07064b50;
const DESCRIPTOR_SIGNATURE = 0x08074b50;

const FLAG_DESCRIPTOR = 0x0008;
const FLAG_UTF8 = 0x0800;
/** Compression hints, sizes behind the data, UTF-8 names. Everything else is encryption, patches or masked headers. */
const ACCEPTED_FLAGS = 0x0006 | FLAG_DESCRIPTOR | FLAG_UTF8;
const STORED = 0;
const DEFLATED = 8;
const EXTRA_ZIP64 = 0x0001;
const EXTRA_UNICODE_PATH = 0x7075;
const EXTRA_AES = 0x9901;
const REFUSED_EXTRAS = new Set([EXTRA_ZIP64, EXTRA_UNICODE_PATH, EXTRA_AES]);

const FILE_TYPE_MASK = 0xf000;
const REGULAR_FILE = 0x8000;
const DIRECTORY = 0x4000;

export function isZip(bytes: Bytes): boolean {
  // Either a file follows, or the archive is empty.
  return (
    bytes[0] === 0x50 && bytes[1] === 0x4b && ((bytes[2] === 3 && bytes[3] === 4) || (bytes[2] === 5 && bytes[3] === 6))
  );
}

/** Reads all headers before the first content. Throws BX-102, BX-104, BX-105, BX-106 or BX-107. */
export async function* readZip(source: ByteSource, limits: BoundaryLimits): AsyncGenerator<RawEntry> {
  const directory = await readEnd(source, limits);
  const zip = await open(source);
  try {
    const entries = await readEntries(zip, limits);
    await checkLayout(zip, source, entries, directory);
    for (const entry of entries) yield await readEntry(zip, entry);
  } finally {
    zip.close();
  }
}

interface CentralDirectory {
  readonly offset: number;
  readonly entries: number;
}

/** The record at the very end: an archive comment would be a place to hide another one. */
async function readEnd(source: ByteSource, limits: BoundaryLimits): Promise<CentralDirectory> {
  const start = source.size - END_BYTES;
  if (start < 0) throw new RefusedFile('BX-105', '.', 'the archive is cut off');
  const record = viewOf(await source.read(start, END_BYTES));
  if (record.getUint32(0, true) !== END_SIGNATURE || record.getUint16(20, true) !== 0) {
    throw new RefusedFile('BX-106', '.', 'the archive does not end with its directory: a comment, or bytes behind it');
  }
  const entries = record.getUint16(10, true);
  const length = record.getUint32(12, true);
  const offset = record.getUint32(16, true);
  if (record.getUint32(4, true) !== 0 || record.getUint16(8, true) !== entries) {
    throw new RefusedFile('BX-107', '.', 'the archive is split');
  }
  if (offset + length !== start) throw new RefusedFile('BX-105', '.', 'its directory is not where it says');
  if (length >= ZIP64_LOCATOR_BYTES) {
    const locator = viewOf(await source.read(start - ZIP64_LOCATOR_BYTES, ZIP64_LOCATOR_BYTES));
    if (locator.getUint32(0, true) === ZIP64_LOCATOR_SIGNATURE) throw new RefusedFile('BX-107', '.', 'a ZIP64 archive');
  }
  if (entries > limits.maxEntries) throw tooMany(limits);
  return { offset, entries };
}

async function open(source: ByteSource): Promise<ZipFile> {
  return wrap(() =>
    // Names are judged by us, as bytes.
    fromRandomAccessReaderPromise(new SourceReader(source), source.size, { autoClose: false, decodeStrings: false }),
  );
}

async function readEntries(zip: ZipFile, limits: BoundaryLimits): Promise<readonly Entry[]> {
  const entries: Entry[] = [];
  let total = 0;
  await wrap(async () => {
    for await (const entry of zip.eachEntry()) {
      total += checkEntry(entry, limits);
      if (total > limits.maxTotalBytes) {
        throw new RefusedFile('BX-104', '.', `it unpacks to more than ${limits.maxTotalBytes} bytes`);
      }
      entries.push(entry);
    }
  });
  return entries;
}

/** The declared size; throws for what the central directory alone shows to be refused. */
function checkEntry(entry: Entry, limits: BoundaryLimits): number {
  const shown = showPathBytes(entry.fileNameRaw);
  if ((entry.generalPurposeBitFlag & ~ACCEPTED_FLAGS) !== 0) {
    throw new RefusedFile('BX-107', shown, 'the entry is encrypted or a patch');
  }
  if (entry.compressionMethod !== STORED && entry.compressionMethod !== DEFLATED) {
    throw new RefusedFile('BX-107', shown, `compression method ${entry.compressionMethod}`);
  }
  if (entry.extraFields.some(({ id }) => REFUSED_EXTRAS.has(id))) {
    throw new RefusedFile('BX-107', shown, 'ZIP64, encryption, or a second name');
  }
  if (entry.fileCommentLength > 0) throw new RefusedFile('BX-106', shown, 'the entry has a comment');
  if ((entry.generalPurposeBitFlag & FLAG_UTF8) === 0 && entry.fileNameRaw.some((byte) => byte > 0x7e)) {
    throw new RefusedFile('BX-101', shown, 'the name is neither ASCII nor marked as UTF-8');
  }
  const type = (entry.externalFileAttributes >>> 16) & FILE_TYPE_MASK;
  if (type !== 0 && type !== REGULAR_FILE && type !== DIRECTORY)
    throw new RefusedFile('BX-102', shown, 'a link or device');
  const isDirectory = entry.fileNameRaw.at(-1) === 0x2f;
  if (type === DIRECTORY && !isDirectory) throw new RefusedFile('BX-105', shown, 'a directory has the name of a file');
  if (type === REGULAR_FILE && isDirectory)
    throw new RefusedFile('BX-105', shown, 'a file has the name of a directory');
  if (isDirectory && entry.uncompressedSize > 0) throw new RefusedFile('BX-106', shown, 'a directory carries content');
  if (entry.uncompressedSize > limits.maxFileBytes) {
    throw new RefusedFile(
      'BX-104',
      shown,
      `it has ${entry.uncompressedSize} bytes; at most ${limits.maxFileBytes} are read`,
    );
  }
  return entry.uncompressedSize;
}

/** Local headers agree with the directory, and the parts lie one after the other. */
async function checkLayout(
  zip: ZipFile,
  source: ByteSource,
  entries: readonly Entry[],
  directory: CentralDirectory,
): Promise<void> {
  if (entries.length !== directory.entries || (zip.readEntryCursor as unknown) !== source.size - END_BYTES) {
    throw new RefusedFile('BX-106', '.', 'there are bytes between its directory and its end');
  }
  const sorted = [...entries].sort(
    (left, right) => left.relativeOffsetOfLocalHeader - right.relativeOffsetOfLocalHeader,
  );
  let end = 0;
  for (const [index, entry] of sorted.entries()) {
    const shown = showPathBytes(entry.fileNameRaw);
    const start = entry.relativeOffsetOfLocalHeader;
    if (start < end) throw new RefusedFile('BX-105', shown, 'it overlaps another file');
    if (start > end) throw new RefusedFile('BX-106', shown, `${start - end} bytes before it belong to no file`);
    const local = await wrap(() => zip.readLocalFileHeaderPromise(entry));
    checkLocalHeader(entry, local);
    end = local.fileDataStart + entry.compressedSize;
    const next = sorted[index + 1]?.relativeOffsetOfLocalHeader ?? directory.offset;
    end += await checkDescriptor(source, entry, end, next - end);
  }
  if (end !== directory.offset) throw new RefusedFile('BX-106', '.', 'there are bytes before its directory');
}

function checkLocalHeader(entry: Entry, local: LocalFileHeader): void {
  const shown = showPathBytes(entry.fileNameRaw);
  const isDeferred = (entry.generalPurposeBitFlag & FLAG_DESCRIPTOR) !== 0;
  const isZero = local.crc32 === 0 && local.compressedSize === 0 && local.uncompressedSize === 0;
  const isSame =
    local.crc32 === entry.crc32 &&
    local.compressedSize === entry.compressedSize &&
    local.uncompressedSize === entry.uncompressedSize;
  if (
    !equalBytes(local.fileName, entry.fileNameRaw) ||
    local.generalPurposeBitFlag !== entry.generalPurposeBitFlag ||
    local.compressionMethod !== entry.compressionMethod ||
    !(isSame || (isDeferred && isZero))
  ) {
    throw new RefusedFile('BX-105', shown, 'the directory and the header of the file disagree');
  }
  if (extraIds(local.extraField).some((id) => REFUSED_EXTRAS.has(id))) {
    throw new RefusedFile('BX-107', shown, 'ZIP64, encryption, or a second name');
  }
}

/** Bytes of the data descriptor (APPNOTE 4.3.9) of an entry that has one; its signature is optional. */
async function checkDescriptor(source: ByteSource, entry: Entry, at: number, gap: number): Promise<number> {
  if ((entry.generalPurposeBitFlag & FLAG_DESCRIPTOR) === 0) return 0;
  const shown = showPathBytes(entry.fileNameRaw);
  if (gap !== 12 && gap !== 16) throw new RefusedFile('BX-105', shown, 'its data descriptor is malformed');
  const view = viewOf(await source.read(at, gap));
  const from = gap - 12;
  const agrees =
    (from === 0 || view.getUint32(0, true) === DESCRIPTOR_SIGNATURE) &&
    view.getUint32(from, true) === entry.crc32 &&
    view.getUint32(from + 4, true) === entry.compressedSize &&
    view.getUint32(from + 8, true) === entry.uncompressedSize;
  if (!agrees) throw new RefusedFile('BX-105', shown, 'the directory and the data descriptor disagree');
  return gap;
}

async function readEntry(zip: ZipFile, entry: Entry): Promise<RawEntry> {
  const name = new Uint8Array(entry.fileNameRaw);
  if (name.at(-1) === 0x2f) return { kind: 'directory', name };
  const parts: Bytes[] = [];
  await wrap(async () => {
    // Ends with an error when it yields more or fewer bytes than declared.
    for await (const chunk of (await zip.openReadStreamPromise(entry)) as AsyncIterable<Bytes>) parts.push(chunk);
  }, showPathBytes(name));
  const content = concatBytes(...parts);
  if (content.length !== entry.uncompressedSize || crc32(content) !== entry.crc32) {
    throw new RefusedFile('BX-105', showPathBytes(name), 'the checksum of the content is wrong');
  }
  return { kind: 'file', name, content };
}

/** Identifiers of extra fields; yauzl checks their lengths in the central directory only. */
function extraIds(extra: Bytes): readonly number[] {
  const ids: number[] = [];
  const view = viewOf(extra);
  for (let at = 0; at + 4 <= extra.length; at += 4 + view.getUint16(at + 2, true)) ids.push(view.getUint16(at, true));
  return ids;
}

/** Errors of yauzl and of zlib say that the archive is not one. */
async function wrap<T>(work: () => Promise<T>, path = '.'): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof RefusedFile) throw cause;
    throw new RefusedFile('BX-105', path, 'the archive is damaged or contradicts itself', cause);
  }
}

function tooMany(limits: BoundaryLimits): RefusedFile {
  return new RefusedFile('BX-104', '.', `it has more than ${limits.maxEntries} entries`);
}

function viewOf(bytes: Bytes): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** Lets yauzl read from a {@link ByteSource}. */
class SourceReader extends RandomAccessReader {
  readonly #source: ByteSource;

  constructor(source: ByteSource) {
    super();
    this.#source = source;
  }

  override _readStreamForRange(start: number, end: number): Readable {
    return Readable.from(readRange(this.#source, start, end), { objectMode: false });
  }

  override close(callback: (error: Error | null) => void): void {
    // The source belongs to whoever opened it.
    setImmediate(callback, null);
  }
}
