// SPDX-License-Identifier: Apache-2.0
/**
 * What is inside a file: the file itself, then everything that can be unpacked or decoded from it, layer by layer and within
 * bounds. Reaching a bound is a refusal, because what lies behind it was not looked at.
 */
import { constants, inflateRawSync, inflateSync } from 'node:zlib';
import type { Bytes } from '@witnessmark/core';
import { detectArchive, readArchive } from '../archive/archive.ts';
import { BytesSource } from '../archive/byte-source.ts';
import { gunzip, isGzip } from '../archive/gzip.ts';
import type { BoundaryLimits } from '../limits.ts';
import { RefusedFile } from '../refused-file.ts';

/** Encoded text is decoded in files up to this size; larger ones are images and the like. */
const MAX_DECODED_FILE_BYTES = 16 * 1024 * 1024;
const MIN_RUN = 64;
const GZIP_MAGIC = Buffer.from([0x1f, 0x8b, 0x08]);
const HEX_DIGITS = tableOf('0123456789ABCDEFabcdef');
const BASE64_DIGITS = tableOf('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_');
const MAX_EMBEDDED_STREAMS = 256;
/** Shortest output of an embedded stream that is worth a look. */
const MIN_EMBEDDED_BYTES = 8;

/** Containers that are not looked into: compressed or encrypted by other means. */
const OPAQUE: readonly (readonly [name: string, magic: RegExp])[] = [
  ['xz', /^\xfd7zXZ\0/],
  ['bzip2', /^BZh[1-9]1AY&SY/],
  ['Zstandard', /^\x28\xb5\x2f\xfd/],
  ['LZ4', /^\x04\x22\x4d\x18/],
  ['7-Zip', /^7z\xbc\xaf\x27\x1c/],
  ['RAR', /^Rar!\x1a\x07/],
  ['compress', /^\x1f[\x9d\xa0]/],
  ['cabinet', /^MSCF\0\0\0\0/],
  ['cpio', /^07070[127]/],
  ['ar', /^!<(?:arch|thin)>\n/],
  ['age', /^(?:age-encryption\.org\/v1|-----BEGIN AGE ENCRYPTED FILE-----)/],
  ['OpenPGP', /^-----BEGIN PGP MESSAGE-----/],
  ['LUKS', /^LUKS\xba\xbe/],
  ['SquashFS', /^(?:hsqs|sqsh)/],
];

export interface View {
  /** The file, with the way into it: `logs.zip > station.log > base64`. */
  readonly path: string;
  /** The last name on the way, which source rules look at. */
  readonly name: string;
  readonly content: Bytes;
  /** Why it cannot be looked into; null when it can. */
  readonly opaque: string | null;
}

/** Throws BX-108 when layers are nested too deep, BX-126 when there is too much, and the BX-10x codes of a bad archive. */
export async function* viewsOf(path: string, content: Bytes, limits: BoundaryLimits): AsyncGenerator<View> {
  yield* descend({ path, name: path, content }, 0, { limits, left: limits.maxExaminedBytes, path });
}

interface Layer {
  readonly path: string;
  readonly name: string;
  readonly content: Bytes;
}

interface Budget {
  readonly limits: BoundaryLimits;
  readonly path: string;
  left: number;
}

async function* descend(layer: Layer, depth: number, budget: Budget): AsyncGenerator<View> {
  const { path, content } = layer;
  if (depth > budget.limits.maxNesting) throw new RefusedFile('BX-108', path, 'there is more inside than is looked at');
  budget.left -= content.length;
  if (budget.left < 0) throw new RefusedFile('BX-126', budget.path, 'it unpacks to more than is looked at');
  yield { ...layer, opaque: findOpaque(content) };
  for await (const inner of layersOf(layer, budget)) yield* descend(inner, depth + 1, budget);
}

async function* layersOf(layer: Layer, budget: Budget): AsyncGenerator<Layer> {
  const { path, name, content } = layer;
  const inside = (how: string, bytes: Bytes): Layer => ({ path: `${path} > ${how}`, name, content: bytes });
  if (content.length < MIN_EMBEDDED_BYTES) return;
  const source = new BytesSource(content);
  const form = await detectArchive(source);
  if (form === 'tarGzip') {
    yield inside('gzip', await unpackGzip(path, source, budget));
    return;
  }
  if (form !== null) {
    yield* membersOf(layer, source, budget);
    return;
  }
  for (const bytes of embeddedStreams(content, budget.limits)) yield inside('compressed stream', bytes);
  const narrow = narrowText(content);
  if (narrow !== null) yield inside('UTF-16', narrow);
  if (content.length <= MAX_DECODED_FILE_BYTES)
    for (const [how, bytes] of decodedRuns(content)) yield inside(how, bytes);
}

async function* membersOf(layer: Layer, source: BytesSource, budget: Budget): AsyncGenerator<Layer> {
  try {
    for await (const { path, content } of readArchive(source, budget.limits)) {
      yield { path: `${layer.path} > ${path}`, name: path, content };
    }
  } catch (cause) {
    throw within(layer.path, cause);
  }
}

async function unpackGzip(path: string, source: BytesSource, budget: Budget): Promise<Bytes> {
  const parts: Bytes[] = [];
  try {
    for await (const part of gunzip(source, Math.min(budget.left, budget.limits.maxFileBytes))) parts.push(part);
  } catch (cause) {
    throw within(path, cause);
  }
  return Buffer.concat(parts);
}

/** gzip streams that begin anywhere, and a zlib stream that is the whole file; whole, or as far as they go. */
function* embeddedStreams(content: Bytes, limits: BoundaryLimits): Generator<Bytes> {
  const buffer = Buffer.from(content.buffer, content.byteOffset, content.length);
  const options = { maxOutputLength: limits.maxFileBytes, finishFlush: constants.Z_SYNC_FLUSH };
  const isZlib = content[0] === 0x78 && (0x7800 + (content[1] ?? 0)) % 31 === 0;
  const zlib = isZlib ? tryUnpack(() => inflateSync(buffer, options)) : null;
  if (zlib !== null) yield zlib;
  let tries = 0;
  for (let at = buffer.indexOf(GZIP_MAGIC, 1); at >= 0; at = buffer.indexOf(GZIP_MAGIC, at + 1)) {
    tries += 1;
    if (tries > MAX_EMBEDDED_STREAMS) throw new RefusedFile('BX-126', '.', 'it holds too many compressed streams');
    const start = skipGzipHeader(buffer, at);
    // The raw stream: gunzip would take what follows for another member.
    const unpacked = tryUnpack(() => inflateRawSync(buffer.subarray(start), options));
    if (unpacked !== null) yield unpacked;
  }
}

/** Where the compressed data begins (RFC 1952, 2.3.1). */
function skipGzipHeader(buffer: Buffer, at: number): number {
  const flags = buffer[at + 3] ?? 0;
  let start = at + 10;
  if ((flags & 0x04) !== 0) start += 2 + (buffer[start] ?? 0) + 256 * (buffer[start + 1] ?? 0);
  for (const text of [0x08, 0x10]) if ((flags & text) !== 0) start = Math.max(start, buffer.indexOf(0, start) + 1);
  return (flags & 0x02) === 0 ? start : start + 2;
}

/** Null for what only looks like a stream; throws BX-126 for one that grows beyond the bound. */
function tryUnpack(unpack: () => Bytes): Bytes | null {
  try {
    const bytes = unpack();
    return bytes.length < MIN_EMBEDDED_BYTES ? null : bytes;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      throw new RefusedFile('BX-126', '.', 'a stream in it unpacks to more than is looked at', cause);
    }
    return null;
  }
}

/** The characters of a text in UTF-16; null for what is not mostly that. */
function narrowText(content: Bytes): Bytes | null {
  const zeros = [0, 0];
  for (let at = 0; at < content.length; at += 1) {
    if (content[at] === 0) zeros[at & 1] = (zeros[at & 1] as number) + 1;
  }
  for (const first of [0, 1]) {
    if ((zeros[1 - first] as number) * 20 <= content.length * 9) continue;
    const narrow = everySecond(content, first);
    // Zeros all over are padding, not text.
    if (!narrow.includes(0)) return narrow;
  }
  return null;
}

function everySecond(content: Bytes, first: number): Bytes {
  const half = new Uint8Array(Math.ceil((content.length - first) / 2));
  for (let at = first, to = 0; at < content.length; at += 2, to += 1) half[to] = content[at] as number;
  return half;
}

/** Long runs of base64 and hexadecimal digits, line breaks taken out, at every alignment they can have. */
function* decodedRuns(content: Bytes): Generator<readonly [string, Bytes]> {
  const dense = withoutBlanks(content);
  for (const run of runsOf(dense, BASE64_DIGITS)) {
    for (let shift = 0; shift < 4; shift += 1) yield ['base64', Buffer.from(run.slice(shift), 'base64')];
  }
  for (const run of runsOf(dense, HEX_DIGITS)) {
    for (let shift = 0; shift < 2; shift += 1) yield ['hexadecimal', Buffer.from(run.slice(shift), 'hex')];
  }
}

/** The longest stretches of these bytes, as text; a regular expression would run out of stack on a long one. */
function* runsOf(content: Buffer, isDigit: Uint8Array): Generator<string> {
  let start = 0;
  for (let at = 0; at <= content.length; at += 1) {
    if (at < content.length && isDigit[content[at] as number] === 1) continue;
    if (at - start >= MIN_RUN) yield content.toString('latin1', start, at);
    start = at + 1;
  }
}

function withoutBlanks(content: Bytes): Buffer {
  const dense = Buffer.allocUnsafe(content.length);
  let length = 0;
  for (const byte of content) if (byte > 0x20) dense[length++] = byte;
  return dense.subarray(0, length);
}

function tableOf(characters: string): Uint8Array {
  const table = new Uint8Array(256);
  for (const character of characters) table[character.charCodeAt(0)] = 1;
  return table;
}

function findOpaque(content: Bytes): string | null {
  if (isGzip(content)) return null;
  const head = String.fromCharCode(...content.subarray(0, 64));
  return OPAQUE.find(([, magic]) => magic.test(head))?.[0] ?? null;
}

function within(path: string, cause: unknown): unknown {
  if (!(cause instanceof RefusedFile)) return cause;
  return new RefusedFile(cause.code, `${path} > ${cause.path}`, cause.message, cause);
}
