// SPDX-License-Identifier: Apache-2.0
/**
 * Receipts: the station believes that a statement is logged when it has recomputed the proof itself, from the bytes that
 * came back, up to a head signed by the trusted log key that does not contradict the last head it saw.
 */
import {
  decodeUtf8,
  encodeHex,
  equalBytes,
  formatEnvelope,
  verifyEnvelope,
  WitnessmarkError,
  type Bytes,
  type Envelope,
  type Instant,
  type NoteVerifierKey,
  type PublicKey,
} from '@witnessmark/core';
import { hashLeaf, openCheckpoint, parseLogProof, verifyInclusion, type Checkpoint } from '@witnessmark/tlog';
import type { LoggedEntry } from '@witnessmark/api';
import { StationRefusal } from './error.ts';
import type { SeenHead } from './floor.ts';
import type { LineTrust } from './line-trust.ts';

export interface ReceiptExpectation {
  /** What was submitted; null for a statement of the line's own. */
  readonly sent: Envelope | null;
  readonly trust: LineTrust;
  /** Who must have signed besides the line. */
  readonly author: PublicKey | null;
  readonly lastHead: SeenHead | null;
  readonly at: Instant;
}

/** Returns the head the receipt leads to. Throws LS-303 when anything about it does not hold. */
export function verifyReceipt(entry: LoggedEntry, expectation: ReceiptExpectation): SeenHead {
  try {
    verifySignatures(entry.envelope, expectation);
    const head = verifyProof(entry, expectation);
    verifyGrowth(head, expectation.lastHead);
    return head;
  } catch (error) {
    if (error instanceof StationRefusal) throw error;
    if (!(error instanceof WitnessmarkError)) throw error;
    throw broken('a receipt that can be recomputed', `${error.code}: ${error.message}`, error);
  }
}

function verifySignatures(envelope: Envelope, { sent, trust, author, at }: ReceiptExpectation): void {
  const { payloadType } = sent ?? envelope;
  verifyEnvelope(envelope, { keys: trust.evidenceKeys(at), threshold: 1, payloadType });
  if (author !== null) verifyEnvelope(envelope, { keys: [author], threshold: 1, payloadType });
  if (sent !== null && !equalBytes(sent.payload, envelope.payload)) {
    throw broken('a receipt for what was submitted', 'a receipt for another statement');
  }
}

function verifyProof(entry: LoggedEntry, { trust, at }: ReceiptExpectation): SeenHead {
  const { index, proof, checkpoint: note } = parseLogProof(entry.proof);
  if (index !== entry.index) throw broken(`a proof for entry ${entry.index}`, `a proof for entry ${index}`);
  const { treeSize, rootHash } = openTrustedCheckpoint(note, trust.logKeys(at));
  verifyInclusion({ leafHash: hashLeaf(formatEnvelope(entry.envelope)), index, treeSize, proof, rootHash });
  return { treeSize, rootHash };
}

function openTrustedCheckpoint(note: Bytes, keys: readonly NoteVerifierKey[]): Checkpoint {
  const text = decodeUtf8(note);
  const origin = text.slice(0, text.indexOf('\n'));
  const key = keys.find(({ name }) => name === origin);
  if (key === undefined) throw broken('a checkpoint of a trusted log', 'a checkpoint of a log without a trusted key');
  return openCheckpoint(note, key);
}

/** A log only grows: a smaller head, or another root at the same size, is another history. */
function verifyGrowth(head: SeenHead, last: SeenHead | null): void {
  if (last === null) return;
  if (head.treeSize < last.treeSize) {
    throw broken(`a log of at least ${last.treeSize} entries`, `a log of ${head.treeSize}`);
  }
  if (head.treeSize === last.treeSize && !equalBytes(head.rootHash, last.rootHash)) {
    const roots = `${encodeHex(head.rootHash).slice(0, 16)}… instead of ${encodeHex(last.rootHash).slice(0, 16)}…`;
    throw broken(`the root seen before at size ${last.treeSize}`, roots);
  }
}

function broken(expected: string, observed: string, cause?: unknown): StationRefusal {
  return new StationRefusal('LS-303', { expected, observed, cause });
}
