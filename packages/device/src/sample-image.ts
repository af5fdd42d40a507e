// SPDX-License-Identifier: Apache-2.0
/**
 * A firmware image to try things with, in the format of the MCUboot boot loader (its design document, "Image Format"):
 * header, payload, protected TLV area with the security counter, TLV area with the SHA-256. The same options always
 * give the same bytes.
 */
import { concatBytes, encodeUtf8, sha256, type Bytes } from '@witnessmark/core';

const IMAGE_MAGIC = 0x96f3b83d;
const HEADER_FIELD_BYTES = 32;
/** Usual header size on Cortex-M: the vector table after it has to be aligned. */
const HEADER_BYTES = 512;
const PROTECTED_TLV_INFO_MAGIC = 0x6908;
const TLV_INFO_MAGIC = 0x6907;
const TLV_INFO_BYTES = 4;
const TLV_HEADER_BYTES = 4;
const TLV_SHA256 = 0x10;
const TLV_SECURITY_COUNTER = 0x50;
const SHA256_BYTES = 32;
const PROTECTED_AREA_BYTES = TLV_INFO_BYTES + TLV_HEADER_BYTES + 4;
const HASH_AREA_BYTES = TLV_INFO_BYTES + TLV_HEADER_BYTES + SHA256_BYTES;
const OVERHEAD_BYTES = HEADER_BYTES + PROTECTED_AREA_BYTES + HASH_AREA_BYTES;
const MAX_IMAGE_BYTES = 16 * 1024 * 1024;
const VERSION = /^(\d{1,3})\.(\d{1,3})\.(\d{1,5})(?:\+(\d{1,9}))?$/;

export interface SampleImageOptions {
  /** Length of the whole image; default 1 MiB. */
  readonly sizeBytes?: number;
  /** `major.minor.revision`, optionally with `+build`. */
  readonly version: string;
  readonly securityCounter: number;
  /** Another seed gives another payload. */
  readonly seed: string;
}

/** Throws `RangeError` for sizes and numbers the format cannot carry. */
export function buildSampleImage(options: SampleImageOptions): Bytes {
  const { sizeBytes = 1024 * 1024, version, securityCounter, seed } = options;
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes < OVERHEAD_BYTES + 256 || sizeBytes > MAX_IMAGE_BYTES) {
    throw new RangeError(`a sample image has ${OVERHEAD_BYTES + 256} to ${MAX_IMAGE_BYTES} bytes`);
  }
  if (!Number.isInteger(securityCounter) || securityCounter < 0 || securityCounter > 0xffffffff) {
    throw new RangeError('a security counter is an unsigned number of 32 bits');
  }
  const payload = buildPayload(`${seed}\n${version}\n`, version, sizeBytes - OVERHEAD_BYTES);
  const signedPart = concatBytes(
    buildHeader(version, payload.length),
    payload,
    buildTlvArea(PROTECTED_TLV_INFO_MAGIC, TLV_SECURITY_COUNTER, uint32(securityCounter)),
  );
  return concatBytes(signedPart, buildTlvArea(TLV_INFO_MAGIC, TLV_SHA256, sha256(signedPart)));
}

function buildHeader(version: string, payloadBytes: number): Bytes {
  const [major, minor, revision, build] = parseVersion(version);
  const header = new Uint8Array(HEADER_BYTES).fill(0xff);
  const view = new DataView(header.buffer);
  header.fill(0, 0, HEADER_FIELD_BYTES);
  view.setUint32(0, IMAGE_MAGIC, true);
  view.setUint16(8, HEADER_BYTES, true);
  view.setUint16(10, PROTECTED_AREA_BYTES, true);
  view.setUint32(12, payloadBytes, true);
  view.setUint8(20, major);
  view.setUint8(21, minor);
  view.setUint16(22, revision, true);
  view.setUint32(24, build, true);
  return header;
}

/** A readable banner, then bytes without structure, as compressed firmware looks. */
function buildPayload(seed: string, version: string, length: number): Bytes {
  const payload = new Uint8Array(length);
  const view = new DataView(payload.buffer);
  const state = new Uint32Array(4);
  const seedView = new DataView(sha256(encodeUtf8(`witnessmark sample image\n${seed}`)).buffer);
  for (let index = 0; index < 4; index += 1) state[index] = seedView.getUint32(index * 4, true) | 1;
  const words = length - (length % 4);
  for (let at = 0; at < words; at += 4) view.setUint32(at, nextWord(state), true);
  for (let at = words; at < length; at += 1) payload[at] = nextWord(state) & 0xff;
  payload.set(encodeUtf8(`Witnessmark sample firmware ${version}\n`));
  return payload;
}

/** xoshiro128** (Blackman and Vigna): fast and the same everywhere; nothing here is secret. */
function nextWord(state: Uint32Array): number {
  const [a, b, c, d] = state as unknown as [number, number, number, number];
  const result = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0;
  const third = c ^ a;
  const fourth = d ^ b;
  state[0] = a ^ fourth;
  state[1] = b ^ third;
  state[2] = third ^ (b << 9);
  state[3] = rotateLeft(fourth, 11);
  return result;
}

function rotateLeft(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

function buildTlvArea(magic: number, type: number, value: Bytes): Bytes {
  const area = new Uint8Array(TLV_INFO_BYTES + TLV_HEADER_BYTES + value.length);
  const view = new DataView(area.buffer);
  view.setUint16(0, magic, true);
  view.setUint16(2, area.length, true);
  view.setUint16(4, type, true);
  view.setUint16(6, value.length, true);
  area.set(value, TLV_INFO_BYTES + TLV_HEADER_BYTES);
  return area;
}

function parseVersion(version: string): readonly [number, number, number, number] {
  const parts = VERSION.exec(version);
  const [major, minor, revision, build] = (parts?.slice(1) ?? []).map((part) =>
    Number((part as string | undefined) ?? 0),
  );
  if (major === undefined || minor === undefined || revision === undefined || build === undefined) {
    throw new RangeError('a version reads major.minor.revision or major.minor.revision+build');
  }
  if (major > 0xff || minor > 0xff || revision > 0xffff) throw new RangeError('a version number is too large');
  return [major, minor, revision, build];
}

function uint32(value: number): Bytes {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}
