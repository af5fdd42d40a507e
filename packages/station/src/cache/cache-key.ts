// SPDX-License-Identifier: Apache-2.0
/**
 * The key a release cache is sealed with (spec/release-cache.md): wrapped for a key pair of the station's token where there
 * is one, otherwise in a file that only its owner may read. The file says which.
 */
import {
  createCipheriv,
  createDecipheriv,
  createPublicKey,
  generateKeyPairSync,
  hkdfSync,
  randomBytes,
  diffieHellman,
} from 'node:crypto';
import { statSync } from 'node:fs';
import {
  decodeBase64,
  encodeBase64,
  formatJson,
  parsePublicKey,
  parseStrictJson,
  RefusedError,
  sha256Hex,
  type Bytes,
  type WitnessmarkError,
} from '@witnessmark/core';
import { CustodyError, type KeyAgreement } from '@witnessmark/custody';
import { z } from 'zod';
import { StationRefusal } from '../error.ts';
import type { FileSystem } from '../file-system.ts';
import { replaceFile } from '../replace-file.ts';

/** How well the key is kept: by a token, by a key pair in a file, by nothing but the rights of its own file. */
export type CacheKeyGrade = 'token' | 'software' | 'file';

export interface CacheKey {
  readonly bytes: Bytes;
  /** Names the key in each entry: the first 32 hexadecimal digits of its SHA-256. */
  readonly id: string;
  readonly grade: CacheKeyGrade;
}

const MEDIA_TYPE = 'application/vnd.witnessmark.cache-key.v1+json';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const MAX_FILE_BYTES = 4096;
const OTHERS_MAY = 0o077;

const base64 = z.string().max(512);
const schema = z.discriminatedUnion('kept', [
  z.strictObject({ mediaType: z.literal(MEDIA_TYPE), kept: z.literal('file'), key: base64 }),
  z.strictObject({
    mediaType: z.literal(MEDIA_TYPE),
    kept: z.literal('wrapped'),
    /** Of the pair that was made to wrap it once; SubjectPublicKeyInfo. */
    ephemeral: base64,
    nonce: base64,
    wrapped: base64,
  }),
]);

interface CacheKeyPlace {
  readonly files: FileSystem;
  readonly name: string;
  /** Of the same file, for its rights. */
  readonly path: string;
  readonly agreement: KeyAgreement | null;
}

/** Reads the key, or makes one where there is none. Throws LS-326 for a key that cannot be had or that others may read. */
export async function openCacheKey(place: CacheKeyPlace): Promise<CacheKey> {
  const bytes = await place.files.read(place.name);
  if (bytes === null) return makeKey(place);
  requirePrivate(place.path);
  try {
    if (bytes.length > MAX_FILE_BYTES) throw new TypeError('it is too large');
    const stored = schema.parse(parseStrictJson(bytes));
    if (stored.kept === 'file') return toCacheKey(decodeBase64(stored.key), 'file');
    if (place.agreement === null) throw new TypeError('it is wrapped for a token that is not configured');
    const { agreement } = place;
    const peer = parsePublicKey(decodeBase64(stored.ephemeral));
    const unwrapped = await agreement.agree(peer, (secret) => unwrap(toWrappingKey(secret), stored));
    return toCacheKey(unwrapped, gradeOf(agreement));
  } catch (cause) {
    if (cause instanceof StationRefusal) throw cause;
    if (cause instanceof z.ZodError || cause instanceof TypeError) throw refused('a key file', cause.message, cause);
    if (!isUnreachable(cause)) throw refused('a key that can be unwrapped', 'one that cannot', cause);
    throw refused('the key of the release cache', `${cause.code}: ${cause.message}`, cause);
  }
}

async function makeKey({ files, name, agreement }: CacheKeyPlace): Promise<CacheKey> {
  const key = new Uint8Array(randomBytes(KEY_BYTES));
  const content =
    agreement === null
      ? { mediaType: MEDIA_TYPE, kept: 'file', key: encodeBase64(key) }
      : { mediaType: MEDIA_TYPE, kept: 'wrapped', ...wrap(key, agreement) };
  await replaceFile(files, { path: name, draft: `${name}.draft` }, formatJson(content));
  return toCacheKey(key, agreement === null ? 'file' : gradeOf(agreement));
}

/** With a key pair used once, so that wrapping needs only the public half of the token's. */
function wrap(key: Bytes, agreement: KeyAgreement): { ephemeral: string; nonce: string; wrapped: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const peer = createPublicKey({ key: Buffer.from(agreement.publicKey.spki), format: 'der', type: 'spki' });
  const secret = diffieHellman({ privateKey, publicKey: peer });
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', toWrappingKey(secret), nonce);
  const wrapped = Buffer.concat([cipher.update(key), cipher.final(), cipher.getAuthTag()]);
  secret.fill(0);
  const ephemeral = publicKey.export({ type: 'spki', format: 'der' });
  return { ephemeral: encodeBase64(ephemeral), nonce: encodeBase64(nonce), wrapped: encodeBase64(wrapped) };
}

function unwrap(wrappingKey: Bytes, { nonce, wrapped }: { readonly nonce: string; readonly wrapped: string }): Bytes {
  const bytes = decodeBase64(wrapped);
  const decipher = createDecipheriv('aes-256-gcm', wrappingKey, decodeBase64(nonce), { authTagLength: TAG_BYTES });
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  return new Uint8Array(Buffer.concat([decipher.update(bytes.subarray(0, -TAG_BYTES)), decipher.final()]));
}

function toWrappingKey(secret: Bytes): Bytes {
  return new Uint8Array(hkdfSync('sha256', secret, new Uint8Array(0), 'witnessmark release cache v1', KEY_BYTES));
}

function toCacheKey(bytes: Bytes, grade: CacheKeyGrade): CacheKey {
  if (bytes.length !== KEY_BYTES) throw new TypeError('it holds no key of 32 bytes');
  return { bytes, id: sha256Hex(bytes).slice(0, 32), grade };
}

function gradeOf({ custody }: KeyAgreement): CacheKeyGrade {
  return custody === 'hardware' ? 'token' : 'software';
}

function requirePrivate(path: string): void {
  const { mode } = statSync(path);
  if ((mode & OTHERS_MAY) === 0) return;
  throw refused('a key file that only its owner may read', `rights ${(mode & 0o777).toString(8)}`);
}

function isUnreachable(error: unknown): error is WitnessmarkError {
  return error instanceof CustodyError || (error instanceof RefusedError && error.code.startsWith('CU-'));
}

function refused(expected: string, observed: string, cause?: unknown): StationRefusal {
  return new StationRefusal('LS-326', { expected, observed, cause });
}
