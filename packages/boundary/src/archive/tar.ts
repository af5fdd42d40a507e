// SPDX-License-Identifier: Apache-2.0
/**
 * The tar archives that POSIX.1-2001 (ustar and pax) and GNU tar write, without everything that is neither a plain file nor
 * a directory. It is a reader of our own because programs differ in what they make of an odd archive, and what is
 * odd is refused here byte by byte: links, devices, sparse files, bytes behind a name, in padding or after the end.
 */
import { decodeUtf8, encodeUtf8, type Bytes } from '@witnessmark/core';
import type { BoundaryLimits } from '../limits.ts';
import { RefusedFile, showPathBytes } from '../refused-file.ts';
import type { ByteReader } from './byte-reader.ts';
import type { RawEntry } from './raw-entry.ts';

const BLOCK_BYTES = 512;
const MAX_EXTENDED_BYTES = 16 * 1024;
const POSIX_MAGIC = 'ustar\x0000';
const GNU_MAGIC = 'ustar  \0';
/** Facts about a file that say nothing about its content or name. */
const HARMLESS_PAX_KEYS = new Set(['mtime', 'atime', 'ctime', 'uid', 'gid', 'uname', 'gname', 'comment']);
const LINKS_AND_DEVICES = new Set(['1', '2', '3', '4', '6']);

interface Header {
  readonly type: string;
  readonly name: Bytes;
  readonly size: number;
}

/** What extended headers say about the next file. */
interface Extension {
  readonly name: Bytes | null;
  readonly size: number | null;
}

const NOTHING: Extension = { name: null, size: null };

/** Throws BX-102, BX-104, BX-105, BX-106 or BX-107. */
export async function* readTar(reader: ByteReader, limits: BoundaryLimits): AsyncGenerator<RawEntry> {
  let extension = NOTHING;
  for (;;) {
    const block = await takeBlock(reader);
    if (isZero(block)) break;
    const header = parseHeader(block);
    if (header.type === 'x' || header.type === 'L') {
      if (extension !== NOTHING) throw new RefusedFile('BX-105', showPathBytes(header.name), 'it is described twice');
      const content = await takeContent(reader, header, MAX_EXTENDED_BYTES);
      extension = header.type === 'x' ? parsePax(content, header.name) : parseLongName(content, header.name);
    } else if (header.type === 'g') {
      checkGlobal(await takeContent(reader, header, MAX_EXTENDED_BYTES), header.name);
    } else {
      yield await readEntry(reader, header, extension, limits);
      extension = NOTHING;
    }
  }
  if (extension !== NOTHING) throw new RefusedFile('BX-105', '.', 'the last entry is described and not there');
  await checkEnd(reader);
}

async function readEntry(
  reader: ByteReader,
  header: Header,
  extension: Extension,
  limits: BoundaryLimits,
): Promise<RawEntry> {
  const name = extension.name ?? header.name;
  const shown = showPathBytes(name);
  if (LINKS_AND_DEVICES.has(header.type)) throw new RefusedFile('BX-102', shown, `tar entry type ${header.type}`);
  if (!['0', '\0', '5'].includes(header.type)) {
    throw new RefusedFile('BX-107', shown, `tar entry type ${JSON.stringify(header.type)}`);
  }
  if (extension.size !== null && extension.size !== header.size) {
    throw new RefusedFile('BX-105', shown, `it has ${header.size} and ${extension.size} bytes`);
  }
  const isNamedDirectory = name.at(-1) === 0x2f;
  if (header.type === '5') {
    if (header.size !== 0) throw new RefusedFile('BX-106', shown, 'a directory carries content');
    return { kind: 'directory', name };
  }
  if (isNamedDirectory) throw new RefusedFile('BX-105', shown, 'a file has the name of a directory');
  return { kind: 'file', name, content: await takeContent(reader, { ...header, name }, limits.maxFileBytes) };
}

async function takeBlock(reader: ByteReader): Promise<Bytes> {
  const block = await reader.take(BLOCK_BYTES);
  if (block === null) throw new RefusedFile('BX-105', '.', 'the archive is cut off');
  return block;
}

/** The content of an entry, whose padding must be empty. */
async function takeContent(reader: ByteReader, { name, size }: Header, maxBytes: number): Promise<Bytes> {
  const shown = showPathBytes(name);
  if (size > maxBytes) throw new RefusedFile('BX-104', shown, `it has ${size} bytes; at most ${maxBytes} are read`);
  const content = await reader.take(size);
  const padding = await reader.take((BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES);
  if (content === null || padding === null) throw new RefusedFile('BX-105', shown, 'the archive is cut off');
  if (!isZero(padding)) throw new RefusedFile('BX-106', shown, 'there are bytes in its padding');
  return content;
}

/** Two empty blocks end the archive; tools fill up the last record with more of them. */
async function checkEnd(reader: ByteReader): Promise<void> {
  if (!isZero(await takeBlock(reader))) throw new RefusedFile('BX-106', '.', 'there are bytes behind the end');
  for (let rest = await reader.takeAny(); rest !== null; rest = await reader.takeAny()) {
    if (!isZero(rest)) throw new RefusedFile('BX-106', '.', 'there are bytes behind the end');
  }
}

/** POSIX.1-2001 pax, "ustar Interchange Format". */
function parseHeader(block: Bytes): Header {
  const magic = latin1(block.subarray(257, 265));
  const isPosix = magic === POSIX_MAGIC;
  const base = cString(block.subarray(0, 100));
  const shown = showPathBytes(base);
  if (!isPosix && magic !== GNU_MAGIC) throw new RefusedFile('BX-105', shown, 'not a tar header');
  if (octal(block.subarray(148, 156), shown) !== checksum(block)) {
    throw new RefusedFile('BX-105', shown, 'the checksum of its header is wrong');
  }
  const type = String.fromCharCode(block[156] ?? 0);
  if (cString(block.subarray(157, 257)).length > 0 && !LINKS_AND_DEVICES.has(type)) {
    throw new RefusedFile('BX-106', shown, 'a plain entry names a link target');
  }
  // GNU headers have times where POSIX has the beginning of a long name.
  const prefix = isPosix ? cString(block.subarray(345, 500)) : new Uint8Array(0);
  const name = prefix.length === 0 ? base : new Uint8Array([...prefix, 0x2f, ...base]);
  return { type, name, size: octal(block.subarray(124, 136), shown) };
}

function checksum(block: Bytes): number {
  let sum = 8 * 0x20;
  for (const [index, byte] of block.entries()) if (index < 148 || index >= 156) sum += byte;
  return sum;
}

/** Octal digits that end in a space or NUL. The binary form of GNU tar is for sizes beyond every limit. */
function octal(field: Bytes, shown: string): number {
  const text = latin1(field);
  if (!/^ *[0-7]{1,12}[ \0]*$/.test(text)) throw new RefusedFile('BX-107', shown, 'a number is not written in octal');
  return Number.parseInt(text.trim(), 8);
}

/** Records of the form `length key=value\n`. */
function parsePax(content: Bytes, headerName: Bytes): Extension {
  const shown = showPathBytes(headerName);
  const records = parsePaxRecords(content, shown);
  for (const key of records.keys()) {
    if (key.startsWith('GNU.sparse.')) throw new RefusedFile('BX-107', shown, 'a sparse file');
    if (key === 'linkpath') throw new RefusedFile('BX-102', shown, 'a link');
    if (key !== 'path' && key !== 'size' && !HARMLESS_PAX_KEYS.has(key)) {
      throw new RefusedFile('BX-107', shown, `extended header ${JSON.stringify(key.slice(0, 40))}`);
    }
  }
  const path = records.get('path');
  const size = records.get('size');
  if (size !== undefined && !/^\d{1,15}$/.test(size)) throw new RefusedFile('BX-105', shown, 'its size is no number');
  return { name: path === undefined ? null : encodeUtf8(path), size: size === undefined ? null : Number(size) };
}

function checkGlobal(content: Bytes, headerName: Bytes): void {
  const shown = showPathBytes(headerName);
  for (const key of parsePaxRecords(content, shown).keys()) {
    if (key !== 'comment') throw new RefusedFile('BX-107', shown, `global header ${JSON.stringify(key.slice(0, 40))}`);
  }
}

function parsePaxRecords(content: Bytes, shown: string): ReadonlyMap<string, string> {
  const records = new Map<string, string>();
  for (let at = 0; at < content.length;) {
    const space = content.indexOf(0x20, at);
    const lengthText = latin1(content.subarray(at, space < 0 ? at : Math.min(space, at + 6)));
    const end = at + Number(lengthText);
    if (!/^[1-9]\d{0,4}$/.test(lengthText) || end > content.length || content[end - 1] !== 0x0a) {
      throw new RefusedFile('BX-105', shown, 'an extended header is malformed');
    }
    const record = decodeRecord(content.subarray(space + 1, end - 1), shown);
    const equals = record.indexOf('=');
    const key = record.slice(0, Math.max(0, equals));
    if (key === '' || records.has(key)) throw new RefusedFile('BX-105', shown, 'an extended header is malformed');
    records.set(key, record.slice(equals + 1));
    at = end;
  }
  return records;
}

function decodeRecord(bytes: Bytes, shown: string): string {
  try {
    return decodeUtf8(bytes);
  } catch (cause) {
    throw new RefusedFile('BX-101', shown, 'an extended header is not UTF-8', cause);
  }
}

/** GNU long names end in one NUL. */
function parseLongName(content: Bytes, headerName: Bytes): Extension {
  const name = cString(content);
  if (name.length !== content.length - 1)
    throw new RefusedFile('BX-106', showPathBytes(headerName), 'bytes hide behind a name');
  return { name, size: null };
}

/** The bytes before the first NUL; what follows it must be NUL as well. */
function cString(field: Bytes): Bytes {
  const end = field.indexOf(0);
  if (end < 0) return field;
  if (!isZero(field.subarray(end))) {
    throw new RefusedFile('BX-106', showPathBytes(field.subarray(0, end)), 'bytes hide behind a name');
  }
  return field.subarray(0, end);
}

function isZero(bytes: Bytes): boolean {
  return bytes.every((byte) => byte === 0);
}

function latin1(bytes: Bytes): string {
  return String.fromCharCode(...bytes);
}
