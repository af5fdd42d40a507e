// SPDX-License-Identifier: Apache-2.0
/** One copy of a debug bundle for each recipient: packed with an own mark, encrypted to that recipient alone, in memory. */
import type { DebugBundleProposal, DebugBundleSeal } from '@witnessmark/attestation';
import { sha256Hex, type Bytes, type Instant } from '@witnessmark/core';
import type { Member } from '../archive/archive.ts';
import { writeTar } from '../archive/write-tar.ts';
import { encryptFor } from './age.ts';
import { formatWatermark, WATERMARK_FILE } from './watermark.ts';

export interface SealedCopies {
  /** By file name. */
  readonly contents: ReadonlyMap<string, Bytes>;
  readonly files: DebugBundleSeal['files'];
}

export async function sealCopies(
  proposal: DebugBundleProposal,
  members: readonly Member[],
  newWatermark: () => Bytes,
  sealedAt: Instant,
): Promise<SealedCopies> {
  const contents = new Map<string, Bytes>();
  const files: DebugBundleSeal['files'] = [];
  for (const { id, recipient } of proposal.recipients) {
    const watermark = newWatermark();
    const note = { path: WATERMARK_FILE, content: formatWatermark(id, watermark, proposal) };
    const modifiedAt = Math.floor(sealedAt / 1000);
    const archive = writeTar([note, ...members].map((member) => ({ ...member, modifiedAt })));
    const sealed = await encryptFor(recipient, archive);
    const name = `${proposal.bundleId}.${toFileNamePart(id)}-${files.length + 1}.tar.age`;
    contents.set(name, sealed);
    files.push({
      recipient: id,
      name,
      bytes: sealed.length,
      digest: { sha256: sha256Hex(sealed) },
      watermark: { sha256: sha256Hex(watermark) },
    });
  }
  return { contents, files };
}

/** Names of people are not names of files. */
function toFileNamePart(person: string): string {
  return person.replaceAll(/[^A-Za-z0-9._-]/g, '_').slice(0, 64);
}
