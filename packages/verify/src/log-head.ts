// SPDX-License-Identifier: Apache-2.0
/**
 * Checkpoints, judged by the log and witness keys of the trusted root (https://c2sp.org/tlog-checkpoint,
 * https://c2sp.org/tlog-cosignature).
 */
import {
  encodeHex,
  encodeUtf8,
  equalBytes,
  parseNote,
  WitnessmarkError,
  type Bytes,
  type Instant,
  type SignedNote,
} from '@witnessmark/core';
import { isValidAt, type TrustedNoteKey } from '@witnessmark/attestation';
import { findCosignatures, openCheckpoint } from '@witnessmark/tlog';
import type { TrustStore } from './trust-store.ts';

/** A checkpoint that a trusted log signed. */
export interface LogHead {
  readonly state: 'signed';
  /** The checkpoint note, signatures included. */
  readonly note: string;
  readonly origin: string;
  readonly treeSize: number;
  readonly rootHash: Bytes;
  readonly logKey: TrustedNoteKey;
  /** Trusted witnesses, each owner once, whose keys were valid when they cosigned. */
  readonly witnesses: readonly { readonly owner: string; readonly cosignedAt: Instant }[];
}

export type LogHeadReading =
  | LogHead
  | { readonly state: 'unknown log'; readonly origin: string }
  | { readonly state: 'not signed'; readonly detail: string };

/** Opens a checkpoint note; never throws for bad evidence. */
export function readLogHead(text: string, trust: TrustStore): LogHeadReading {
  const checkpoint = encodeUtf8(text);
  try {
    const note = parseNote(checkpoint);
    const origin = note.text.slice(0, note.text.indexOf('\n'));
    const ofOrigin = trust.logs.filter(({ key }) => key.name === origin);
    if (ofOrigin.length === 0) return { state: 'unknown log', origin };
    const logKey = ofOrigin.find((trusted) => hasSignature(note, trusted));
    if (logKey === undefined) return { state: 'not signed', detail: `no trusted key of ${origin} signed it` };
    const { treeSize, rootHash } = openCheckpoint(checkpoint, logKey.key);
    return { state: 'signed', note: text, origin, treeSize, rootHash, logKey, witnesses: findWitnesses(note, trust) };
  } catch (error) {
    if (!(error instanceof WitnessmarkError)) throw error;
    return { state: 'not signed', detail: error.message };
  }
}

/** What two checkpoints of one size must have in common. */
export function describeHead({ origin, treeSize, rootHash }: LogHead): string {
  return `${origin}, ${treeSize} entries, root ${encodeHex(rootHash).slice(0, 16)}`;
}

function hasSignature(note: SignedNote, { key }: TrustedNoteKey): boolean {
  return note.signatures.some(({ name, keyId }) => name === key.name && equalBytes(keyId, key.keyId));
}

/** Each owner counts once, with the earliest time; a cosignature outside the validity of its key does not count. */
function findWitnesses(note: SignedNote, trust: TrustStore): LogHead['witnesses'] {
  const seen = new Map<string, Instant>();
  const keys = trust.witnesses.map(({ key }) => key);
  for (const { witness, cosignedAt } of keys.length === 0 ? [] : findCosignatures(note, keys)) {
    const trusted = trust.witnesses.find(({ key }) => key === witness);
    if (trusted === undefined || !isValidAt(trusted, cosignedAt)) continue;
    seen.set(trusted.owner, Math.min(cosignedAt, seen.get(trusted.owner) ?? Infinity));
  }
  return [...seen].map(([owner, cosignedAt]) => ({ owner, cosignedAt }));
}
