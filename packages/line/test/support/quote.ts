// SPDX-License-Identifier: Apache-2.0
/** What a TPM would say of a start: TPMS_ATTEST and TPMT_SIGNATURE by the TPM 2.0 Library, Part 2, from a key of ours. */
import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { concatBytes, encodeBase64, encodeHex, sha256, type Bytes } from '@witnessmark/core';
import { toQuotedData, type StationStart } from '@witnessmark/attestation';

const REGISTER = sha256(new TextEncoder().encode('boot'));

export interface TestTpm {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

export function newTpm(): TestTpm {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

export function quoteOf(start: StationStart, { privateKey, publicKey }: TestTpm): NonNullable<StationStart['quote']> {
  const quoted = concatBytes(
    integer(0xff544347, 4),
    integer(0x8018, 2),
    sized(new Uint8Array(34)),
    sized(toQuotedData(start)),
    integer(1000, 8),
    integer(1, 4),
    integer(1, 4),
    integer(1, 1),
    integer(0x20, 8),
    integer(1, 4),
    integer(0x000b, 2),
    Uint8Array.of(3, 1, 0, 0),
    sized(sha256(REGISTER)),
  );
  const signature = new Uint8Array(sign('sha256', quoted, { key: privateKey, dsaEncoding: 'ieee-p1363' }));
  const parts = [signature.subarray(0, 32), signature.subarray(32)].map(sized);
  return {
    attestationKey: publicKey.export({ format: 'der', type: 'spki' }).toString('base64'),
    quoted: encodeBase64(quoted),
    signature: encodeBase64(concatBytes(integer(0x0018, 2), integer(0x000b, 2), ...parts)),
    registers: [{ index: 0, value: encodeHex(REGISTER) }],
  };
}

function sized(bytes: Bytes): Bytes {
  return concatBytes(integer(bytes.length, 2), bytes);
}

function integer(value: number, length: number): Bytes {
  const bytes = new Uint8Array(length);
  for (let at = length - 1, rest = value; at >= 0; at -= 1, rest = Math.floor(rest / 256)) bytes[at] = rest % 256;
  return bytes;
}
