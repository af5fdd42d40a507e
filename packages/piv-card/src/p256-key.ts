// SPDX-License-Identifier: Apache-2.0
/**
 * A P-256 key that signs a digest, which OpenSSL's one-shot interface cannot do: R = kG comes from its ECDH, the rest
 * is FIPS 186-5 section 6.4.1 in big integers. Not constant in time; the card is a simulation.
 */
import { createECDH } from 'node:crypto';
import { encodeTlv } from './tlv.ts';

const CURVE = 'prime256v1';
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const SPKI_PREFIX = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d030107034200', 'hex');
const SCALAR_BYTES = 32;

export class P256Key {
  /** Uncompressed. */
  readonly point: Buffer;
  readonly #secret: Buffer;

  constructor(secret: Buffer) {
    const ecdh = createECDH(CURVE);
    ecdh.setPrivateKey(secret);
    this.point = ecdh.getPublicKey();
    this.#secret = secret;
  }

  static generate(): P256Key {
    const ecdh = createECDH(CURVE);
    ecdh.generateKeys();
    return new P256Key(toBytes(toInteger(ecdh.getPrivateKey())));
  }

  get spki(): Buffer {
    return Buffer.concat([SPKI_PREFIX, this.point]);
  }

  /** ECDSA-Sig-Value in DER. */
  signDigest(digest: Buffer): Buffer {
    const nonce = createECDH(CURVE);
    const r = toInteger(nonce.generateKeys().subarray(1, 1 + SCALAR_BYTES)) % ORDER;
    const k = toInteger(nonce.getPrivateKey());
    const s = (inverse(k) * (toInteger(digest.subarray(0, SCALAR_BYTES)) + r * toInteger(this.#secret))) % ORDER;
    return encodeTlv(0x30, derInteger(r), derInteger(s));
  }
}

/** By Fermat: value^(n-2). */
function inverse(value: bigint): bigint {
  let result = 1n;
  let square = value;
  for (let rest = ORDER - 2n; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = (result * square) % ORDER;
    square = (square * square) % ORDER;
  }
  return result;
}

function derInteger(value: bigint): Buffer {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  return encodeTlv(0x02, ...(((bytes[0] as number) & 0x80) === 0 ? [] : [Buffer.of(0)]), bytes);
}

function toInteger(bytes: Buffer): bigint {
  return BigInt(`0x${bytes.toString('hex')}`);
}

function toBytes(value: bigint): Buffer {
  return Buffer.from(value.toString(16).padStart(2 * SCALAR_BYTES, '0'), 'hex');
}
