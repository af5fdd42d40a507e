// SPDX-License-Identifier: Apache-2.0
/** Signed notes, as defined by https://c2sp.org/signed-note (v1.0.0). */
import {
  concatBytes,
  decodeBase64,
  decodeUtf8,
  encodeBase64,
  encodeHex,
  encodeUtf8,
  equalBytes,
  type Bytes,
} from './bytes.ts';
import { sha256 } from './digest.ts';
import { CoreError } from './error.ts';
import { isSignedBy, publicKeyFromEd25519, type PublicKey } from './public-key.ts';

/** Room for the 16 signatures every verifier must accept, were each a post-quantum one of 5 kB. */
export const MAX_NOTE_BYTES = 128 * 1024;
export const MAX_NOTE_SIGNATURES = 64;

/** Signature type of plain Ed25519 notes. */
export const NOTE_TYPE_ED25519 = 0x01;
/** Signature type of timestamped Ed25519 cosignatures (https://c2sp.org/tlog-cosignature). */
export const NOTE_TYPE_COSIGNATURE_ED25519 = 0x04;

const KEY_ID_BYTES = 4;
const ED25519_KEY_BYTES = 32;
const MAX_VERIFIER_KEY_LENGTH = 1_024;
const SIGNATURE_LINE = /^— ([^ ]+) ([^ ]+)$/u;
/** No Unicode space, no plus sign; nothing below U+0020 either, since no note could carry it. */
const KEY_NAME = /^[^\p{White_Space}\u0000-\u001f+]+$/u;
const VERIFIER_KEY = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/su;
/** Control characters below U+0020 but for the newline. */
const FORBIDDEN_CHARACTER = /[\u0000-\u0009\u000b-\u001f]/u;

export interface NoteSignature {
  readonly name: string;
  readonly keyId: Bytes;
  readonly signature: Bytes;
}

export interface SignedNote {
  /** The signed text, ending in a newline. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

export interface NoteVerifierKey {
  readonly name: string;
  readonly type: number;
  readonly keyId: Bytes;
  readonly publicKey: PublicKey;
}

/**
 * Reads the text form of a verifier key, `name+keyid+base64(type || key)`. Throws `ERR_NOTE_VERIFIER_KEY`, or the
 * `ERR_KEY_*` code of a point that is no safe Ed25519 key.
 */
export function parseNoteVerifierKey(text: string): NoteVerifierKey {
  const parts = text.length > MAX_VERIFIER_KEY_LENGTH ? null : VERIFIER_KEY.exec(text);
  if (parts === null) throw verifierKeyError('it does not read name+keyid+key');
  const [, name, keyIdHex, encoded] = parts as unknown as [string, string, string, string];
  const { type, point } = decodeTypedKey(encoded);
  const verifierKey = toNoteVerifierKey(name, publicKeyFromEd25519(point), type);
  if (encodeHex(verifierKey.keyId) !== keyIdHex) throw verifierKeyError('the key id does not belong to name and key');
  return verifierKey;
}

/** The text form of a verifier key, as trusted roots hold it. */
export function formatNoteVerifierKey(key: NoteVerifierKey): string {
  const encoded = encodeBase64(concatBytes(Uint8Array.of(key.type), key.publicKey.point));
  return `${key.name}+${encodeHex(key.keyId)}+${encoded}`;
}

/** Names an Ed25519 key for notes; throws `ERR_NOTE_VERIFIER_KEY` for another scheme or an impossible name. */
export function toNoteVerifierKey(
  name: string,
  publicKey: PublicKey,
  type: number = NOTE_TYPE_ED25519,
): NoteVerifierKey {
  if (publicKey.scheme !== 'ed25519') throw verifierKeyError('only Ed25519 keys sign notes');
  if (!KEY_NAME.test(name) || !name.isWellFormed()) throw verifierKeyError('the key name is not allowed');
  const hashed = concatBytes(encodeUtf8(`${name}\n`), Uint8Array.of(type), publicKey.point);
  return { name, type, publicKey, keyId: sha256(hashed).slice(0, KEY_ID_BYTES) };
}

/**
 * Splits a note into text and signatures without judging any. Throws `ERR_NOTE_TOO_LARGE`, `ERR_CORE_UTF8` or
 * `ERR_NOTE_FORMAT`.
 */
export function parseNote(bytes: Bytes): SignedNote {
  if (bytes.length > MAX_NOTE_BYTES) {
    throw new CoreError('ERR_NOTE_TOO_LARGE', `a note has at most ${MAX_NOTE_BYTES} bytes`);
  }
  const whole = decodeUtf8(bytes);
  if (FORBIDDEN_CHARACTER.test(whole)) throw noteError('it holds a control character');
  const split = whole.lastIndexOf('\n\n');
  if (split < 0) throw noteError('no empty line separates text and signatures');
  if (!whole.endsWith('\n')) throw noteError('it does not end in a newline');
  const lines = whole.slice(split + 2, -1).split('\n');
  if (lines.length > MAX_NOTE_SIGNATURES) throw noteError(`it has more than ${MAX_NOTE_SIGNATURES} signatures`);
  return { text: whole.slice(0, split + 1), signatures: lines.map(parseSignatureLine) };
}

/** The bytes of a note; the caller vouches for text and names. */
export function formatNote(note: SignedNote): Bytes {
  const lines = note.signatures.map(
    ({ name, keyId, signature }) => `— ${name} ${encodeBase64(concatBytes(keyId, signature))}\n`,
  );
  return encodeUtf8(`${note.text}\n${lines.join('')}`);
}

/**
 * Returns the note's text and which of `keys`, each once, signed it. Signatures of unknown keys, and keys of other types
 * than plain Ed25519, are passed over; every signature of a known key must verify, or the whole note is refused. Throws
 * `ERR_NOTE_SIGNATURE` or `ERR_NOTE_UNVERIFIED`.
 */
export function verifyNote(
  note: SignedNote,
  keys: readonly NoteVerifierKey[],
): { readonly text: string; readonly signers: readonly NoteVerifierKey[] } {
  const message = encodeUtf8(note.text);
  const plainKeys = keys.filter(({ type }) => type === NOTE_TYPE_ED25519);
  const signers = new Set<NoteVerifierKey>();
  for (const { name, keyId, signature } of note.signatures) {
    const key = plainKeys.find((candidate) => candidate.name === name && equalBytes(candidate.keyId, keyId));
    if (key === undefined) continue;
    if (!isSignedBy(key.publicKey, message, signature)) {
      throw new CoreError('ERR_NOTE_SIGNATURE', `the signature of ${name} does not verify`);
    }
    signers.add(key);
  }
  if (signers.size === 0) throw new CoreError('ERR_NOTE_UNVERIFIED', 'no trusted key signed the note');
  return { text: note.text, signers: [...signers] };
}

function decodeTypedKey(encoded: string): { readonly type: number; readonly point: Bytes } {
  const key = fromBase64(encoded, 'ERR_NOTE_VERIFIER_KEY', 'the key is not base64');
  const type = key[0];
  if (type !== NOTE_TYPE_ED25519 && type !== NOTE_TYPE_COSIGNATURE_ED25519) {
    throw verifierKeyError('only Ed25519 keys are known');
  }
  if (key.length !== 1 + ED25519_KEY_BYTES) throw verifierKeyError('the key has a wrong length');
  return { type, point: key.slice(1) };
}

function parseSignatureLine(line: string): NoteSignature {
  const [, name, encoded] = SIGNATURE_LINE.exec(line) ?? [];
  if (name === undefined || encoded === undefined || !KEY_NAME.test(name)) {
    throw noteError('a signature line is malformed');
  }
  const blob = fromBase64(encoded, 'ERR_NOTE_FORMAT', 'a signature is not base64');
  if (blob.length <= KEY_ID_BYTES) throw noteError('a signature is too short');
  return { name, keyId: blob.slice(0, KEY_ID_BYTES), signature: blob.slice(KEY_ID_BYTES) };
}

function fromBase64(text: string, code: 'ERR_NOTE_FORMAT' | 'ERR_NOTE_VERIFIER_KEY', what: string): Bytes {
  try {
    return decodeBase64(text);
  } catch (cause) {
    throw new CoreError(code, what, { cause });
  }
}

function noteError(what: string): CoreError {
  return new CoreError('ERR_NOTE_FORMAT', `not a signed note: ${what}`);
}

function verifierKeyError(what: string): CoreError {
  return new CoreError('ERR_NOTE_VERIFIER_KEY', `not a verifier key: ${what}`);
}
