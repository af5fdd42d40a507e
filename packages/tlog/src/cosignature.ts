// SPDX-License-Identifier: Apache-2.0
/**
 * Cosignatures of witnesses, as defined by https://c2sp.org/tlog-cosignature (Ed25519, signature type 0x04): "as of this
 * time, this is the largest consistent tree of this log that I have seen".
 */
import {
  encodeUtf8,
  equalBytes,
  isSignedBy,
  NOTE_TYPE_COSIGNATURE_ED25519,
  type Bytes,
  type Instant,
  type NoteVerifierKey,
  type SignedNote,
} from '@witnessmark/core';
import { TlogError } from './error.ts';

const TIMESTAMP_BYTES = 8;
const SIGNATURE_BYTES = 64;
/** The last second RFC 3339 can write. */
const MAX_SECONDS = 253_402_300_799n;

export interface Cosignature {
  readonly witness: NoteVerifierKey;
  readonly cosignedAt: Instant;
}

/** The bytes a witness signs for the text of a checkpoint note; whole seconds only. */
export function cosignedMessage(text: string, cosignedAt: Instant): Bytes {
  if (!Number.isSafeInteger(cosignedAt / 1_000) || cosignedAt < 0)
    throw new TypeError('a cosignature names whole seconds');
  return encodeUtf8(`cosignature/v1\ntime ${cosignedAt / 1_000}\n${text}`);
}

/** What stands in the signature line after the key id: the time, then the signature over {@link cosignedMessage}. */
export function formatCosignature(cosignedAt: Instant, signature: Bytes): Bytes {
  const bytes = new Uint8Array(TIMESTAMP_BYTES + SIGNATURE_BYTES);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(cosignedAt / 1_000));
  bytes.set(signature, TIMESTAMP_BYTES);
  return bytes;
}

/**
 * The cosignatures of `witnesses` on a checkpoint note, one for each witness: its earliest. Lines of unknown keys are
 * passed over; one of a known witness that does not verify throws `ERR_TLOG_COSIGNATURE`.
 */
export function findCosignatures(note: SignedNote, witnesses: readonly NoteVerifierKey[]): readonly Cosignature[] {
  const known = witnesses.filter(({ type }) => type === NOTE_TYPE_COSIGNATURE_ED25519);
  const earliest = new Map<NoteVerifierKey, Cosignature>();
  for (const { name, keyId, signature } of note.signatures) {
    const witness = known.find((key) => key.name === name && equalBytes(key.keyId, keyId));
    if (witness === undefined) continue;
    const cosignedAt = verifyCosignature(note.text, signature, witness);
    const before = earliest.get(witness);
    if (before === undefined || cosignedAt < before.cosignedAt) earliest.set(witness, { witness, cosignedAt });
  }
  return [...earliest.values()];
}

function verifyCosignature(text: string, blob: Bytes, witness: NoteVerifierKey): Instant {
  const isWhole = blob.length === TIMESTAMP_BYTES + SIGNATURE_BYTES;
  const seconds = isWhole ? new DataView(blob.buffer, blob.byteOffset).getBigUint64(0) : MAX_SECONDS + 1n;
  if (seconds > MAX_SECONDS) throw refusal(witness);
  const cosignedAt = Number(seconds) * 1_000;
  if (!isSignedBy(witness.publicKey, cosignedMessage(text, cosignedAt), blob.subarray(TIMESTAMP_BYTES))) {
    throw refusal(witness);
  }
  return cosignedAt;
}

function refusal(witness: NoteVerifierKey): TlogError {
  return new TlogError('ERR_TLOG_COSIGNATURE', `the cosignature of ${witness.name} does not verify`);
}
