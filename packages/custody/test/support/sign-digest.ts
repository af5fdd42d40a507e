// SPDX-License-Identifier: Apache-2.0
/** ECDSA P-256 over a digest, r || s, which OpenSSL's one-shot interface cannot do: R = kG comes from its ECDH. */
import { createECDH } from 'node:crypto';

const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

export function signDigest(digest: Buffer, secret: Buffer): Buffer {
  const nonce = createECDH('prime256v1');
  const r = toInteger(nonce.generateKeys().subarray(1, 33)) % ORDER;
  const k = toInteger(nonce.getPrivateKey());
  const s = (inverse(k) * (toInteger(digest) + r * toInteger(secret))) % ORDER;
  return Buffer.from(r.toString(16).padStart(64, '0') + s.toString(16).padStart(64, '0'), 'hex');
}

function inverse(value: bigint): bigint {
  let result = 1n;
  let square = value;
  for (let rest = ORDER - 2n; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = (result * square) % ORDER;
    square = (square * square) % ORDER;
  }
  return result;
}

function toInteger(bytes: Buffer): bigint {
  return BigInt(`0x${bytes.toString('hex')}`);
}
