// SPDX-License-Identifier: Apache-2.0
/** Re-derives one entry bundle: what its entries hash to, against what its hash tile says. Runs in fsck's threads. */
import { equalBytes, WitnessmarkError, type Bytes } from '@witnessmark/core';
import { HASH_BYTES, hashLeaf, hashSubtree, parseTile, TILE_WIDTH } from '@witnessmark/tlog';
import { splitBundle } from '../tiles/tile-storage.ts';
import type { EnvelopeVerifier } from '../verify/envelope-verifier.ts';

export interface BundleInput {
  readonly index: number;
  /** Entries that the checkpoint covers; what is stored may go on, up to a full bundle. */
  readonly width: number;
  /** Undefined when the file does not exist. */
  readonly entries: Bytes | undefined;
  readonly hashes: Bytes | undefined;
}

export interface FileProblem {
  readonly code: 'LG-101' | 'LG-102' | 'LG-103';
  readonly detail: string;
}

export interface BundleResult {
  readonly index: number;
  /** Leaf hashes of the stored entries; undefined when they cannot be read. */
  readonly derived: readonly Bytes[] | undefined;
  /** The hashes of the stored tile; undefined when it cannot be read. */
  readonly stored: readonly Bytes[] | undefined;
  /** Why they cannot be read. */
  readonly entriesProblem: FileProblem | undefined;
  readonly hashesProblem: FileProblem | undefined;
  /** Entries that are not envelopes, and such with a signature that no trusted key made. */
  readonly malformed: readonly number[];
  readonly unsigned: readonly number[];
}

/** Checks signatures too when there is a verifier. */
export function checkBundle(input: BundleInput, verifier: EnvelopeVerifier | undefined): BundleResult {
  const entries = readEntries(input);
  const hashes = readHashes(input);
  const readable = 'code' in entries ? [] : entries;
  return {
    index: input.index,
    derived: 'code' in entries ? undefined : entries.map(hashLeaf),
    stored: 'code' in hashes ? undefined : hashes,
    entriesProblem: 'code' in entries ? entries : undefined,
    hashesProblem: 'code' in hashes ? hashes : undefined,
    ...checkSignatures(readable, input.index * TILE_WIDTH, verifier),
  };
}

/** The hash of a full tile one level up; no hash has 32 zero bytes. */
export function tileRoot(hashes: readonly Bytes[] | undefined): Bytes {
  return hashes === undefined ? new Uint8Array(HASH_BYTES) : hashSubtree(hashes);
}

/** Positions at which two tiles differ. */
export function differences(left: readonly Bytes[], right: readonly Bytes[]): readonly number[] {
  const found: number[] = [];
  for (const [position, hash] of left.entries()) {
    if (!equalBytes(hash, right[position] ?? new Uint8Array(0))) found.push(position);
  }
  return found;
}

function readEntries({ entries, width }: BundleInput): readonly Bytes[] | FileProblem {
  if (entries === undefined) return { code: 'LG-101', detail: 'the file does not exist' };
  return splitBundle(entries, width) ?? { code: 'LG-102', detail: `it does not hold ${width} entries` };
}

function readHashes({ hashes, width }: BundleInput): readonly Bytes[] | FileProblem {
  if (hashes === undefined) return { code: 'LG-101', detail: 'the file does not exist' };
  if (hashes.length !== width * HASH_BYTES && hashes.length !== TILE_WIDTH * HASH_BYTES) {
    return { code: 'LG-103', detail: `it has ${hashes.length} bytes, expected ${width * HASH_BYTES}` };
  }
  return parseTile(hashes.subarray(0, width * HASH_BYTES), width);
}

function checkSignatures(
  entries: readonly Bytes[],
  firstIndex: number,
  verifier: EnvelopeVerifier | undefined,
): Pick<BundleResult, 'malformed' | 'unsigned'> {
  const malformed: number[] = [];
  const unsigned: number[] = [];
  if (verifier === undefined) return { malformed, unsigned };
  for (const [position, entry] of entries.entries()) {
    try {
      const { signers, signatures } = verifier.verify(entry);
      if (signers.length !== signatures) unsigned.push(firstIndex + position);
    } catch (error) {
      if (!(error instanceof WitnessmarkError)) throw error;
      malformed.push(firstIndex + position);
    }
  }
  return { malformed, unsigned };
}
