// SPDX-License-Identifier: Apache-2.0
/**
 * One entry of a release cache (spec/release-cache.md): a header in clear that is authenticated with the content, AES-256-GCM.
 * What is wrong with an entry has a name of its own.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { concatBytes, decodeHex, encodeHex, encodeUtf8, equalBytes, sha256Hex, type Bytes } from '@witnessmark/core';
import { StationRefusal } from '../error.ts';
import type { CacheKey } from './cache-key.ts';

export type EntryCode = 'LS-321' | 'LS-322' | 'LS-323' | 'LS-324' | 'LS-325';

const MAGIC = encodeUtf8('WMCACHE1');
const KEY_ID_BYTES = 16;
const DIGEST_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_ID_AT = MAGIC.length;
const GENERATION_AT = KEY_ID_AT + KEY_ID_BYTES;
const DIGEST_AT = GENERATION_AT + 8;
const LENGTH_AT = DIGEST_AT + DIGEST_BYTES;
const HEADER_BYTES = LENGTH_AT + 8;
/** Bytes of an entry besides its content. */
const ENTRY_OVERHEAD_BYTES = HEADER_BYTES + NONCE_BYTES + TAG_BYTES;

interface EntryHeader {
  readonly keyId: string;
  /** Counts what was ever sealed in this cache. */
  readonly generation: number;
  readonly digest: string;
  readonly length: number;
}

export function sealEntry(key: CacheKey, generation: number, content: Bytes): Bytes {
  const header = formatHeader({ keyId: key.id, generation, digest: sha256Hex(content), length: content.length });
  const nonce = new Uint8Array(randomBytes(NONCE_BYTES));
  const cipher = createCipheriv('aes-256-gcm', key.bytes, nonce);
  cipher.setAAD(header);
  return concatBytes(header, nonce, cipher.update(content), cipher.final(), cipher.getAuthTag());
}

/**
 * The content, hashed again. Throws a refusal by what is wrong: LS-324 for a length that is not the header's, LS-323 for what
 * another key sealed, LS-321 for what was changed, LS-322 for another entry, LS-325 for one from before `generation`.
 */
export function openEntry(
  key: CacheKey,
  expected: { readonly digest: string; readonly generation: number | null },
  entry: Bytes,
): Bytes {
  const header = readHeader(entry);
  const name = `${expected.digest.slice(0, 16)}…`;
  if (header === null) throw refused('LS-323', `the entry ${name} of this cache`, 'something else');
  const length = header.length + ENTRY_OVERHEAD_BYTES;
  if (entry.length !== length) throw refused('LS-324', `${length} bytes of ${name}`, `${entry.length}`);
  if (header.keyId !== key.id) throw refused('LS-323', `an entry sealed with key ${key.id}`, `one of ${header.keyId}`);
  const content = decrypt(key, entry);
  if (content === null || sha256Hex(content) !== header.digest) {
    throw refused('LS-321', `the entry ${name} as it was sealed`, 'other bytes');
  }
  if (header.digest !== expected.digest) {
    throw refused('LS-322', `the entry ${name}`, `the entry ${header.digest.slice(0, 16)}… under its name`);
  }
  if (header.generation === expected.generation) return content;
  throw refused(
    'LS-325',
    expected.generation === null ? 'an entry that was not purged' : `entry ${expected.generation} of this cache`,
    `entry ${header.generation}`,
  );
}

function formatHeader({ keyId, generation, digest, length }: EntryHeader): Bytes {
  const header = new Uint8Array(HEADER_BYTES);
  header.set(MAGIC);
  header.set(decodeHex(keyId), KEY_ID_AT);
  header.set(decodeHex(digest), DIGEST_AT);
  const view = new DataView(header.buffer);
  view.setBigUint64(GENERATION_AT, BigInt(generation));
  view.setBigUint64(LENGTH_AT, BigInt(length));
  return header;
}

function readHeader(entry: Bytes): EntryHeader | null {
  const header = entry.slice(0, HEADER_BYTES);
  if (header.length < HEADER_BYTES) {
    // What is left of one that was cut tells at least that.
    if (header.length >= MAGIC.length && equalBytes(header.subarray(0, MAGIC.length), MAGIC)) {
      throw refused('LS-324', `a header of ${HEADER_BYTES} bytes`, `${header.length}`);
    }
    return null;
  }
  if (!equalBytes(header.subarray(0, MAGIC.length), MAGIC)) return null;
  const view = new DataView(header.buffer, header.byteOffset);
  return {
    keyId: encodeHex(header.subarray(KEY_ID_AT, GENERATION_AT)),
    generation: Number(view.getBigUint64(GENERATION_AT)),
    digest: encodeHex(header.subarray(DIGEST_AT, LENGTH_AT)),
    length: Number(view.getBigUint64(LENGTH_AT)),
  };
}

function decrypt(key: CacheKey, entry: Bytes): Bytes | null {
  const nonce = entry.subarray(HEADER_BYTES, HEADER_BYTES + NONCE_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', key.bytes, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(entry.subarray(0, HEADER_BYTES));
  decipher.setAuthTag(entry.subarray(-TAG_BYTES));
  try {
    return concatBytes(decipher.update(entry.subarray(HEADER_BYTES + NONCE_BYTES, -TAG_BYTES)), decipher.final());
  } catch {
    return null;
  }
}

function refused(code: EntryCode, expected: string, observed: string): StationRefusal {
  return new StationRefusal(code, { expected, observed });
}
