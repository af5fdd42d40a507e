// SPDX-License-Identifier: Apache-2.0
/**
 * Markers: bytes that betray a secret – a piece of an image, a canary in a source tree, a customer's name (A76, I16). They are
 * searched as they are, in UTF-16, in hexadecimal and in base64 at every alignment.
 */
import { describeIssues } from '@witnessmark/attestation';
import { decodeHex, parseStrictJson, RefusedError, sha256Hex, WitnessmarkError, type Bytes } from '@witnessmark/core';
import { z } from 'zod';
import { PatternIndex } from './pattern-index.ts';
import { SECRET_CLASSES, type SecretClass } from './secret-classes.ts';

const MAX_MARKERS = 512;
const MIN_MARKER_BYTES = 4;
const MAX_MARKER_BYTES = 256;
const MAX_DOCUMENT_BYTES = 512 * 1024;

/** Pieces taken from an image, and how long each is. */
const IMAGE_PIECES = 48;
const IMAGE_PIECE_BYTES = 32;
/** A piece with fewer different bytes is padding or a table that others have as well. */
const MIN_DISTINCT_BYTES = 16;

const schema = z.strictObject({
  mediaType: z.literal('application/vnd.witnessmark.secret-markers.v1+json'),
  markers: z
    .array(
      z.strictObject({
        class: z.enum(SECRET_CLASSES),
        /** Shown in findings; the marker itself is not. */
        name: z.string().min(1).max(64),
        text: z.string().min(MIN_MARKER_BYTES).max(MAX_MARKER_BYTES).optional(),
        hex: z
          .string()
          .regex(/^(?:[0-9a-f]{2})+$/)
          .min(2 * MIN_MARKER_BYTES)
          .max(2 * MAX_MARKER_BYTES)
          .optional(),
      }),
    )
    .max(MAX_MARKERS),
});

export interface Marker {
  readonly class: SecretClass;
  readonly name: string;
  readonly bytes: Bytes;
  /** Text is found in any mixture of ASCII capitals and small letters. */
  readonly isText: boolean;
}

/** Reads a marker list; throws BX-128. */
export function parseMarkers(bytes: Bytes): readonly Marker[] {
  const { markers } = parseDocument(bytes);
  return markers.map(({ class: secretClass, name, text, hex }) => {
    if ((text === undefined) === (hex === undefined)) throw unreadable('a marker has either text or hex');
    const content = text === undefined ? decodeHex(hex ?? '') : new TextEncoder().encode(text);
    return { class: secretClass, name, bytes: content, isText: text !== undefined };
  });
}

/** Pieces from all over an image by which any larger part of it is recognised. */
export function markersOfImage(name: string, image: Bytes): readonly Marker[] {
  const step = Math.max(IMAGE_PIECE_BYTES, Math.floor(image.length / IMAGE_PIECES));
  const markers: Marker[] = [];
  for (let from = 0; from + IMAGE_PIECE_BYTES <= image.length; from += step) {
    const piece = findTellingPiece(image, from, Math.min(from + step, image.length));
    if (piece !== null) markers.push({ class: 'image', name, bytes: piece, isText: false });
  }
  return markers;
}

/** SHA-256 over a list, for the record; null for an empty one. */
export function digestOfMarkers(markers: readonly Marker[]): string | null {
  if (markers.length === 0) return null;
  const lines = markers.map(({ class: secretClass, name, bytes }) => `${secretClass} ${sha256Hex(bytes)} ${name}\n`);
  return sha256Hex(new TextEncoder().encode(lines.join('')));
}

/** Finds markers in many files: their forms are worked out once. */
export class MarkerSearch {
  readonly #plain: PatternIndex<Marker>;
  readonly #plainFolded: PatternIndex<Marker>;
  /** Forms that line breaks and blanks may interrupt. */
  readonly #encoded: PatternIndex<Marker>;
  readonly #encodedFolded: PatternIndex<Marker>;
  readonly #isEmpty: boolean;

  constructor(markers: readonly Marker[]) {
    const plain = markers.flatMap((marker) => plainForms(marker));
    const encoded = markers.flatMap((marker) => encodedForms(marker));
    this.#plain = new PatternIndex(plain.filter(({ isFolded }) => !isFolded));
    this.#plainFolded = new PatternIndex(plain.filter(({ isFolded }) => isFolded));
    this.#encoded = new PatternIndex(encoded.filter(({ isFolded }) => !isFolded));
    this.#encodedFolded = new PatternIndex(encoded.filter(({ isFolded }) => isFolded));
    this.#isEmpty = markers.length === 0;
  }

  /** The markers found, each once. */
  find(content: Bytes): readonly Marker[] {
    if (this.#isEmpty) return [];
    const buffer = Buffer.from(content.buffer, content.byteOffset, content.length);
    const dense = withoutBlanks(buffer);
    const found = new Set<Marker>();
    this.#plain.collect(buffer, found);
    this.#plainFolded.collect(lowerCase(buffer), found);
    this.#encoded.collect(dense, found);
    this.#encodedFolded.collect(lowerCase(dense), found);
    return [...found];
  }
}

interface Form {
  readonly owner: Marker;
  readonly bytes: Buffer;
  /** Whether it is compared in small letters. */
  readonly isFolded: boolean;
}

function plainForms(marker: Marker): readonly Form[] {
  const raw = Buffer.from(marker.bytes);
  const isFolded = marker.isText;
  const text = isFolded ? lowerCase(raw) : raw;
  const wide = Buffer.from(raw.toString('utf8'), 'utf16le');
  const forms = [{ owner: marker, bytes: text, isFolded }];
  if (!marker.isText) return forms;
  const little = lowerCase(wide);
  return [
    ...forms,
    { owner: marker, bytes: little, isFolded },
    { owner: marker, bytes: Buffer.from(little).swap16(), isFolded },
  ];
}

function encodedForms(marker: Marker): readonly Form[] {
  const forms: Form[] = [
    { owner: marker, bytes: Buffer.from(Buffer.from(marker.bytes).toString('hex')), isFolded: true },
  ];
  for (let shift = 0; shift < 3; shift += 1) {
    const standard = base64Core(marker.bytes, shift);
    if (standard.length < MIN_MARKER_BYTES) continue;
    forms.push({ owner: marker, bytes: Buffer.from(standard), isFolded: false });
    const urlSafe = standard.replaceAll('+', '-').replaceAll('/', '_');
    if (urlSafe !== standard) forms.push({ owner: marker, bytes: Buffer.from(urlSafe), isFolded: false });
  }
  return forms;
}

/** The characters of base64 that depend on these bytes alone when `shift` bytes come before them. */
function base64Core(bytes: Bytes, shift: number): string {
  const text = Buffer.concat([Buffer.alloc(shift), bytes])
    .toString('base64')
    .replace(/=+$/, '');
  const first = Math.ceil((shift * 8) / 6);
  const last = Math.floor(((shift + bytes.length) * 8) / 6);
  return text.slice(first, last);
}

function findTellingPiece(image: Bytes, from: number, to: number): Bytes | null {
  for (let at = from; at + IMAGE_PIECE_BYTES <= to; at += IMAGE_PIECE_BYTES) {
    const piece = image.subarray(at, at + IMAGE_PIECE_BYTES);
    if (new Set(piece).size >= MIN_DISTINCT_BYTES) return piece;
  }
  return null;
}

function lowerCase(buffer: Buffer): Buffer {
  const lower = Buffer.from(buffer);
  for (let at = 0; at < lower.length; at += 1) {
    const byte = lower[at] as number;
    if (byte >= 0x41 && byte <= 0x5a) lower[at] = byte + 0x20;
  }
  return lower;
}

/** Without what line-wrapped base64 and printed hexadecimal have between their digits. */
function withoutBlanks(buffer: Buffer): Buffer {
  const dense = Buffer.allocUnsafe(buffer.length);
  let length = 0;
  for (const byte of buffer) if (byte > 0x20 && byte !== 0x3a && byte !== 0x2c) dense[length++] = byte;
  return dense.subarray(0, length);
}

function parseDocument(bytes: Bytes): z.infer<typeof schema> {
  try {
    const limits = { maxBytes: MAX_DOCUMENT_BYTES, maxDepth: 8, maxValues: 8 * MAX_MARKERS };
    const result = schema.safeParse(parseStrictJson(bytes, limits));
    if (result.success) return result.data;
    throw unreadable(`it breaks its schema at ${describeIssues(result.error)}`);
  } catch (cause) {
    if (cause instanceof RefusedError || !(cause instanceof WitnessmarkError)) throw cause;
    throw unreadable(cause.message, cause);
  }
}

function unreadable(what: string, cause?: unknown): RefusedError {
  return new RefusedError('BX-128', `the list of markers: ${what}`, cause === undefined ? {} : { cause });
}
