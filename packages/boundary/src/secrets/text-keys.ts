// SPDX-License-Identifier: Apache-2.0
/**
 * Private keys written as text. A header alone is no key: programs that read keys carry the headers as constants, so a
 * body must follow.
 */
import type { Bytes } from '@witnessmark/core';

interface TextKey {
  readonly kind: string;
  /** Bytes that are searched for first. */
  readonly anchor: string;
  /** Must match within the surroundings of the anchor. */
  readonly pattern: RegExp;
}

/** How much is looked at around an anchor: a JWK may have its members in any order. The next look overlaps this one. */
const BEFORE = 4096;
const AFTER = 8192;

/** A line break, also as two characters in a JSON or C string. */
const BREAK = String.raw`(?:\r?\n|\\r\\n|\\n|\r)`;

const TEXT_KEYS: readonly TextKey[] = [
  {
    kind: 'PEM',
    anchor: 'PRIVATE KEY',
    // RFC 7468; RFC 1421 headers may come before the body.
    pattern: new RegExp(
      String.raw`-----BEGIN (?:[A-Z0-9]+ ){0,4}PRIVATE KEY(?: BLOCK)?-----[ \t]*${BREAK}(?:[A-Za-z-]{1,32}: [^\r\n]{0,200}?${BREAK}){0,8}(?:${BREAK})?[A-Za-z0-9+/]{16}`,
    ),
  },
  { kind: 'age identity', anchor: 'AGE-SECRET-KEY-', pattern: /AGE-SECRET-KEY-(?:PQ-)?1[02-9AC-HJ-NP-Z]{20}/ },
  { kind: 'PuTTY', anchor: 'PuTTY-User-Key-File-', pattern: /PuTTY-User-Key-File-\d: [a-z0-9-]+/ },
  { kind: 'OpenSSH', anchor: 'openssh-key-v1\0', pattern: /openssh-key-v1\0/ },
  {
    kind: 'JWK',
    anchor: '"kty"',
    // RFC 7518: `d` of EC, OKP and RSA keys; `k` of symmetric ones.
    pattern: /\\?"(?:d|k)\\?"\s{0,16}:\s{0,16}\\?"[A-Za-z0-9_-]{20}/,
  },
  { kind: 'JWK', anchor: '\\"kty\\"', pattern: /\\"(?:d|k)\\"\s{0,16}:\s{0,16}\\"[A-Za-z0-9_-]{20}/ },
];

/** Key stores of Java, by their first bytes. */
const KEY_STORES: readonly Bytes[] = [
  new Uint8Array([0xfe, 0xed, 0xfe, 0xed]),
  new Uint8Array([0xce, 0xce, 0xce, 0xce]),
];

/** What kind of private key is in the bytes; null when none is found. */
export function findTextPrivateKey(bytes: Bytes): string | null {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  for (const { kind, anchor, pattern } of TEXT_KEYS) {
    for (let at = buffer.indexOf(anchor, 0, 'latin1'); at >= 0; at = buffer.indexOf(anchor, at + BEFORE, 'latin1')) {
      if (pattern.test(buffer.toString('latin1', Math.max(0, at - BEFORE), at + AFTER))) return kind;
    }
  }
  return KEY_STORES.some((magic) => magic.every((byte, index) => bytes[index] === byte)) ? 'Java key store' : null;
}
