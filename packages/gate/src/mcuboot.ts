// SPDX-License-Identifier: Apache-2.0
/**
 * MCUboot images (its design document, "Image Format"; the numbers are those of `image.h`): read as they stream by, never
 * changed. A header that contradicts the file is refused with PL-114.
 */
import { createHash, type Hash } from 'node:crypto';
import { concatBytes, encodeHex, RefusedError, type Bytes } from '@witnessmark/core';

const IMAGE_MAGIC = 0x96f3b83d;
const MIN_HEADER_BYTES = 32;
const TLV_INFO_MAGIC = 0x6907;
const PROTECTED_TLV_INFO_MAGIC = 0x6908;
/** Info and entry headers are two 16-bit numbers; an area's length is one of them. */
const TLV_HEADER_BYTES = 4;
const MAX_TLV_AREA_BYTES = 0xffff;
const TLV_KEY_HASH = 0x01;
const TLV_SHA256 = 0x10;
const TLV_SECURITY_COUNTER = 0x50;
/** Ours, of the vendor's range (`image.h`: 0xXXA0 to 0xXXFE): what the build says of itself (spec/release-manifest.md). */
const TLV_BUILD_MARKS = 0x57a0;

/** What the image says of itself. */
export interface McubootImage {
  /** `major.minor.revision+build`. */
  readonly version: string;
  /** Null when the image carries none. */
  readonly securityCounter: number | null;
  /** SHA-256 of the key it is signed with, lower-case hexadecimal; null when it names none. */
  readonly keyHash: string | null;
  /** The bits of its build marks; 0 when it carries none. */
  readonly buildMarks: number;
}

interface Header {
  readonly version: string;
  /** Where header and payload end and the TLV areas begin. */
  readonly bodyLength: number;
  readonly protectedLength: number;
}

interface Tlv {
  readonly type: number;
  readonly value: Bytes;
}

/** Takes the chunks of a file in order. */
export class McubootReader {
  #head: Bytes = new Uint8Array(0);
  #length = 0;
  #header: Header | null = null;
  readonly #hash: Hash = createHash('sha256');
  readonly #areas: Bytes[] = [];
  #isOther = false;

  push(chunk: Bytes): void {
    if (this.#isOther) return;
    if (this.#header === null) {
      this.#head = concatBytes(this.#head, chunk);
      if (this.#head.length < MIN_HEADER_BYTES) return;
      if (!startsWithMagic(this.#head)) {
        this.#isOther = true;
        return;
      }
      this.#header = parseHeader(viewOf(this.#head));
      this.#take(this.#head, this.#header);
    } else {
      this.#take(chunk, this.#header);
    }
  }

  /** What the image says, or null for a file of another format. Throws PL-114. */
  finish(): McubootImage | null {
    const header = this.#header;
    if (header === null) {
      if (!this.#isOther && startsWithMagic(this.#head)) throw contradiction('is longer than the file');
      return null;
    }
    const { bodyLength, protectedLength, version } = header;
    if (bodyLength + protectedLength > this.#length) {
      throw contradiction(`announces ${bodyLength + protectedLength} bytes, the file has ${this.#length}`);
    }
    const areas = concatBytes(...this.#areas);
    const protectedTlvs = protectedLength === 0 ? [] : readArea(areas, PROTECTED_TLV_INFO_MAGIC, protectedLength);
    const tlvs = readArea(areas.subarray(protectedLength), TLV_INFO_MAGIC, null);
    this.#checkHash(tlvs);
    const keyHash = tlvs.find((tlv) => tlv.type === TLV_KEY_HASH);
    return {
      version,
      securityCounter: readNumber(protectedTlvs, TLV_SECURITY_COUNTER, 'security counter'),
      keyHash: keyHash === undefined ? null : encodeHex(keyHash.value),
      buildMarks: readNumber([...protectedTlvs, ...tlvs], TLV_BUILD_MARKS, 'field of build marks') ?? 0,
    };
  }

  #take(chunk: Bytes, { bodyLength, protectedLength }: Header): void {
    const signedLength = bodyLength + protectedLength;
    if (this.#length < signedLength) {
      const part = chunk.subarray(0, signedLength - this.#length);
      this.#hash.update(part);
    }
    const start = Math.max(0, bodyLength - this.#length);
    const end = Math.max(start, bodyLength + protectedLength + MAX_TLV_AREA_BYTES - this.#length);
    if (start < chunk.length && start < end) this.#areas.push(Uint8Array.from(chunk.subarray(start, end)));
    this.#length += chunk.length;
  }

  /** The digest the build tool put in covers header, payload and protected area. */
  #checkHash(tlvs: readonly Tlv[]): void {
    const stated = tlvs.find((tlv) => tlv.type === TLV_SHA256);
    if (stated !== undefined && encodeHex(stated.value) !== this.#hash.digest('hex')) {
      throw contradiction('states another SHA-256 than the image has: the file was cut or changed after it was built');
    }
  }
}

function startsWithMagic(bytes: Bytes): boolean {
  return bytes.length >= 4 && viewOf(bytes).getUint32(0, true) === IMAGE_MAGIC;
}

function parseHeader(view: DataView): Header {
  const headerLength = view.getUint16(8, true);
  if (headerLength < MIN_HEADER_BYTES) throw contradiction(`states a header of ${headerLength} bytes`);
  const [major, minor] = [view.getUint8(20), view.getUint8(21)];
  return {
    version: `${major}.${minor}.${view.getUint16(22, true)}+${view.getUint32(24, true)}`,
    bodyLength: headerLength + view.getUint32(12, true),
    protectedLength: view.getUint16(10, true),
  };
}

/** Reads one TLV area from the start of `bytes`. */
function readArea(bytes: Bytes, magic: number, length: number | null): readonly Tlv[] {
  const view = viewOf(bytes);
  if (bytes.length < TLV_HEADER_BYTES || view.getUint16(0, true) !== magic) {
    throw contradiction('announces a TLV area where there is none');
  }
  const end = view.getUint16(2, true);
  if (end > bytes.length || (length !== null && end !== length)) {
    throw contradiction('announces a TLV area of another length than it has');
  }
  const tlvs: Tlv[] = [];
  for (let at = TLV_HEADER_BYTES; at < end;) {
    const next = at + TLV_HEADER_BYTES > end ? Infinity : at + TLV_HEADER_BYTES + view.getUint16(at + 2, true);
    if (next > end) throw contradiction('holds a TLV that is longer than its area');
    tlvs.push({ type: view.getUint16(at, true), value: bytes.subarray(at + TLV_HEADER_BYTES, next) });
    at = next;
  }
  return tlvs;
}

/** The one TLV of a type, as a number; null when there is none. */
function readNumber(tlvs: readonly Tlv[], type: number, what: string): number | null {
  const [tlv, second] = tlvs.filter((candidate) => candidate.type === type);
  if (tlv === undefined) return null;
  if (second !== undefined) throw contradiction(`holds two times a ${what}`);
  if (tlv.value.length !== 4) throw contradiction(`holds a ${what} that is no 32-bit number`);
  return viewOf(tlv.value).getUint32(0, true);
}

function viewOf(bytes: Bytes): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function contradiction(what: string): RefusedError {
  return new RefusedError('PL-114', `the MCUboot header ${what}`);
}
