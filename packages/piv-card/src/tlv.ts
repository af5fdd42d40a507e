// SPDX-License-Identifier: Apache-2.0
/** BER-TLV as PIV uses it (ISO/IEC 7816-4 section 6): tags of one to three bytes, definite lengths up to 65,535. */

export interface Tlv {
  readonly tag: number;
  readonly value: Buffer;
}

export function encodeTlv(tag: number, ...values: readonly Uint8Array[]): Buffer {
  const value = Buffer.concat(values);
  return Buffer.concat([encodeTag(tag), encodeLength(value.length), value]);
}

/** Reads data objects one after the other; throws `RangeError` when they do not fill the bytes exactly. */
export function decodeTlvs(bytes: Buffer): Tlv[] {
  const found: Tlv[] = [];
  let offset = 0;
  while (offset < bytes.length) {
    const tagEnd = offset + tagLength(bytes, offset);
    const [length, start] = readLength(bytes, tagEnd);
    const end = start + length;
    if (end > bytes.length) throw new RangeError('a data object is longer than its bytes');
    found.push({ tag: bytes.readUIntBE(offset, tagEnd - offset), value: bytes.subarray(start, end) });
    offset = end;
  }
  return found;
}

/** The value of the first data object with this tag. */
export function findTlv(bytes: Buffer, tag: number): Buffer | undefined {
  return decodeTlvs(bytes).find((tlv) => tlv.tag === tag)?.value;
}

function encodeTag(tag: number): Buffer {
  const size = tag > 0xffff ? 3 : tag > 0xff ? 2 : 1;
  const bytes = Buffer.alloc(size);
  bytes.writeUIntBE(tag, 0, size);
  return bytes;
}

function encodeLength(length: number): Buffer {
  if (length < 0x80) return Buffer.of(length);
  return length < 0x100 ? Buffer.of(0x81, length) : Buffer.of(0x82, length >> 8, length & 0xff);
}

function tagLength(bytes: Buffer, offset: number): number {
  if ((bytes.readUInt8(offset) & 0x1f) !== 0x1f) return 1;
  return (bytes.readUInt8(offset + 1) & 0x80) === 0 ? 2 : 3;
}

function readLength(bytes: Buffer, offset: number): [length: number, start: number] {
  const first = bytes.readUInt8(offset);
  if (first < 0x80) return [first, offset + 1];
  if (first === 0x81) return [bytes.readUInt8(offset + 1), offset + 2];
  if (first === 0x82) return [bytes.readUInt16BE(offset + 1), offset + 3];
  throw new RangeError('a length of more than two bytes');
}
