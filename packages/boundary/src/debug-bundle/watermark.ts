// SPDX-License-Identifier: Apache-2.0
/**
 * The mark by which a leaked bundle shows whose copy it was (A75): a note in each copy with a number that only this copy has.
 * The seal holds its digest, so nobody can make up the mark of somebody else.
 */
import type { DebugBundleProposal, DebugBundleSeal } from '@witnessmark/attestation';
import { decodeHex, encodeHex, encodeUtf8, sha256Hex, type Bytes } from '@witnessmark/core';
import type { Member } from '../archive/archive.ts';

export const WATERMARK_FILE = 'WATERMARK.txt';
export const WATERMARK_BYTES = 16;

/** What the recipient reads. */
export function formatWatermark(recipient: string, watermark: Bytes, proposal: DebugBundleProposal): Bytes {
  const { bundleId, purpose, expiresAt } = proposal;
  return encodeUtf8(
    [
      `Debug bundle ${bundleId}, sealed for ${recipient}.`,
      `Purpose: ${purpose}`,
      `Not to be opened after ${expiresAt}, not to be passed on; delete it when the work is done.`,
      `Mark: ${encodeHex(watermark)}`,
      '',
    ].join('\n'),
  );
}

/** Whose copy a leaked note is, by the commitments in the seal; null when it is nobody's. */
export function traceWatermark(members: readonly Member[], seal: Pick<DebugBundleSeal, 'files'>): string | null {
  const note = members.find(({ path }) => path.split('/').at(-1) === WATERMARK_FILE);
  if (note === undefined) return null;
  const digest = digestOfMark(note.content);
  return seal.files.find(({ watermark }) => watermark.sha256 === digest)?.recipient ?? null;
}

/** SHA-256 of the mark that a note states in its last line; null when it states none. */
export function digestOfMark(note: Bytes): string | null {
  const mark = /^Mark: ([0-9a-f]{32})\n$/m.exec(new TextDecoder().decode(note).slice(-39))?.[1];
  return mark === undefined ? null : sha256Hex(decodeHex(mark));
}
