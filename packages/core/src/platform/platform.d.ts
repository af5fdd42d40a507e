// SPDX-License-Identifier: Apache-2.0
/**
 * What the formats need from the platform: text encodings, hashing and signature verification, synchronous and pure.
 * `node.ts` uses Node's native code, `web.ts` audited JavaScript; package.json's `#platform` import picks one by
 * condition, and one contract test runs on both. Nothing here throws on hostile input. A returned array may be a view
 * into a larger buffer, as any `Uint8Array` may.
 */

/** UTF-8; a lone surrogate becomes U+FFFD. */
export declare function encodeUtf8(text: string): Uint8Array;

/** Standard alphabet, padded (RFC 4648 section 4). */
export declare function encodeBase64(bytes: Uint8Array): string;

/** The bytes whose {@link encodeBase64} is exactly `text`, or nothing: no white space, no other alphabet, no stray bits. */
export declare function decodeBase64(text: string): Uint8Array | undefined;

export declare function sha256(data: Uint8Array): Uint8Array;

/** The digest in lower-case hexadecimal. */
export declare function sha256Hex(data: Uint8Array): string;

/** Bytes to be written whole before anybody reads them: they may hold anything. */
export declare function allocate(length: number): Uint8Array;

/**
 * ECDSA P-256 with SHA-256. False unless `point` is a 65-byte uncompressed point of the curve and `signature` strict DER
 * with both integers in range; a high s is fine.
 */
export declare function verifyP256(point: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;

/**
 * Ed25519 by the cofactorless equation of RFC 8032 section 5.1.7: R must be the very bytes S·B − k·A encodes to, and S
 * less than the group order. `point` must have been vetted: this accepts points of low order.
 */
export declare function verifyEd25519(point: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;

/** Whether `point` is a 65-byte uncompressed point that satisfies the equation of P-256. */
export declare function isP256Point(point: Uint8Array): boolean;
