// SPDX-License-Identifier: Apache-2.0
/** Public keys as TUF writes them (TUF 1.0.34 section 4.2): the key id is the SHA-256 of the key's canonical JSON. */
import { canonicalize } from '@tufjs/canonical-json';
import { Key } from '@tufjs/models';
import {
  decodeHex,
  encodeBase64,
  encodeHex,
  encodeUtf8,
  parsePublicKeyPem,
  publicKeyFromEd25519,
  RefusedError,
  sha256Hex,
  type PublicKey,
} from '@witnessmark/core';

const PEM_LINE = 64;

export function toTufKey(publicKey: PublicKey): Key {
  const isEd25519 = publicKey.scheme === 'ed25519';
  const body = {
    keytype: isEd25519 ? 'ed25519' : 'ecdsa',
    scheme: publicKey.scheme,
    keyval: { public: isEd25519 ? encodeHex(publicKey.point) : formatPem(publicKey) },
  };
  const keyID = sha256Hex(encodeUtf8(canonicalize(body)));
  return new Key({ keyID, keyType: body.keytype, scheme: body.scheme, keyVal: body.keyval });
}

/** The key behind a TUF key, vetted; throws TR-109 for other types, other spellings and a key id that is not the key's. */
export function toPublicKey(key: Key): PublicKey {
  let publicKey: PublicKey;
  try {
    const text = key.keyVal['public'] ?? '';
    publicKey =
      key.keyType === 'ed25519' && key.scheme === 'ed25519'
        ? publicKeyFromEd25519(decodeHex(text))
        : parsePublicKeyPem(text);
  } catch (cause) {
    throw new RefusedError('TR-109', `key ${shorten(key.keyID)} is not a P-256 or Ed25519 key`, { cause });
  }
  if (key.scheme !== publicKey.scheme || (key.keyType !== 'ecdsa' && key.keyType !== publicKey.scheme)) {
    throw new RefusedError('TR-109', `key ${shorten(key.keyID)} states another scheme than it has`);
  }
  if (sha256Hex(encodeUtf8(canonicalize(key.toJSON()))) !== key.keyID) {
    throw new RefusedError('TR-109', `key id ${shorten(key.keyID)} is not the digest of its key`);
  }
  return publicKey;
}

/**
 * A threshold counts key ids, so one public key under two ids would count twice: refused with TR-110. Every key must be
 * vetted, used or not.
 */
export function checkKeys(keys: readonly Key[]): void {
  const idOf = new Map<string, string>();
  for (const key of keys) {
    const { keyid } = toPublicKey(key);
    const other = idOf.get(keyid);
    if (other !== undefined) {
      throw new RefusedError('TR-110', `key ids ${shorten(other)} and ${shorten(key.keyID)} name one public key`);
    }
    idOf.set(keyid, key.keyID);
  }
}

function formatPem(publicKey: PublicKey): string {
  const lines: string[] = [];
  const text = encodeBase64(publicKey.spki);
  for (let at = 0; at < text.length; at += PEM_LINE) lines.push(text.slice(at, at + PEM_LINE));
  return ['-----BEGIN PUBLIC KEY-----', ...lines, '-----END PUBLIC KEY-----', ''].join('\n');
}

function shorten(keyid: string): string {
  return keyid.slice(0, 8);
}
