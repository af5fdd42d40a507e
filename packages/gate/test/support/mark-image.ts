// SPDX-License-Identifier: Apache-2.0
/** An MCUboot image with build marks among its protected TLVs and a key hash beside its digest, as a build tool adds them. */
import { concatBytes, decodeHex, sha256, type Bytes } from '@witnessmark/core';

const TLV_INFO = 0x6907;
const HASH_AREA_BYTES = 40;

export function markImage(image: Bytes, marks: number, keyHash?: string): Bytes {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const bodyLength = view.getUint16(8, true) + view.getUint32(12, true);
  const protectedLength = view.getUint16(10, true) + 8;
  const signed = concatBytes(image.subarray(0, image.length - HASH_AREA_BYTES), tlv(0x57a0, uint32(marks)));
  const header = new DataView(signed.buffer, signed.byteOffset);
  header.setUint16(10, protectedLength, true);
  header.setUint16(bodyLength + 2, protectedLength, true);
  const tlvs = concatBytes(
    tlv(0x10, sha256(signed)),
    ...(keyHash === undefined ? [] : [tlv(0x01, decodeHex(keyHash))]),
  );
  const info = new Uint8Array(4);
  new DataView(info.buffer).setUint16(0, TLV_INFO, true);
  new DataView(info.buffer).setUint16(2, 4 + tlvs.length, true);
  return concatBytes(signed, info, tlvs);
}

function tlv(type: number, value: Bytes): Bytes {
  const head = new Uint8Array(4);
  new DataView(head.buffer).setUint16(0, type, true);
  new DataView(head.buffer).setUint16(2, value.length, true);
  return concatBytes(head, value);
}

function uint32(value: number): Bytes {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}
