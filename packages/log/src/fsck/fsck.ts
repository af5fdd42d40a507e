// SPDX-License-Identifier: Apache-2.0
/**
 * Checks a whole log: rebuilds the root hash from the entries, judges every tile, the checkpoint's signature, on demand
 * every entry's signatures, and the database beside it. Changes nothing. Memory does not grow with the log, but for 64
 * bytes a bundle.
 */
import { availableParallelism } from 'node:os';
import { CoreError, type NoteVerifierKey, type PublicKey } from '@witnessmark/core';
import type { Store } from '@witnessmark/store';
import { openCheckpoint, TILE_WIDTH, TlogError, type Checkpoint } from '@witnessmark/tlog';
import { TileStorage } from '../tiles/tile-storage.ts';
import { EnvelopeVerifier } from '../verify/envelope-verifier.ts';
import { checkBundle, type BundleResult } from './bundle-check.ts';
import { scanBundles, type ScanResult } from './bundle-scan.ts';
import { Findings, type Finding } from './finding.ts';
import type { Projection } from './replay.ts';
import { checkStore } from './store-check.ts';
import { TreeCheck } from './tree-check.ts';

export interface FsckOptions {
  /** The log's directory. */
  readonly directory: string;
  readonly logKey: NoteVerifierKey;
  /** Check that these keys made every signature of every entry. */
  readonly trustedKeys?: readonly PublicKey[];
  /** Check the database that belongs to the log; called after the public checkpoint was read, closed by fsck. */
  readonly openStore?: () => Store;
  /** Rebuild the views and compare them. */
  readonly projection?: Projection;
  readonly workers?: number;
  readonly onProgress?: (entries: number, treeSize: number) => void;
}

export interface FsckReport {
  /** Undefined when there is no checkpoint that the log's key signed. */
  readonly checkpoint: Checkpoint | undefined;
  /** Empty when nothing is damaged. */
  readonly findings: readonly Finding[];
  /** How many further findings were left out. */
  readonly omitted: number;
}

/** Rejects only when the check itself fails, not for anything it finds. */
export async function fsck(options: FsckOptions): Promise<FsckReport> {
  const findings = new Findings();
  const tiles = new TileStorage(options.directory);
  const before = await readPublished(tiles, options.logKey, undefined);
  const store = options.openStore?.();
  try {
    const checkpoint = await readPublished(tiles, options.logKey, findings);
    if (checkpoint !== undefined) await checkPublished(options, tiles, checkpoint, findings);
    if (store !== undefined && checkpoint !== undefined) {
      const publicBefore = before?.treeSize ?? 0;
      const { logKey, projection } = options;
      await checkStore({ store, tiles, logKey, publicBefore, published: checkpoint, findings, projection });
    }
    return { checkpoint, findings: findings.list, omitted: findings.omitted };
  } finally {
    await store?.close();
  }
}

async function readPublished(
  tiles: TileStorage,
  logKey: NoteVerifierKey,
  findings: Findings | undefined,
): Promise<Checkpoint | undefined> {
  const note = await tiles.readCheckpoint();
  if (note === undefined) {
    findings?.add('LG-101', 'checkpoint', 'the file does not exist');
    return undefined;
  }
  try {
    return openCheckpoint(note, logKey);
  } catch (error) {
    if (!(error instanceof CoreError) && !(error instanceof TlogError)) throw error;
    findings?.add('LG-105', 'checkpoint', error.message);
    return undefined;
  }
}

async function checkPublished(
  options: FsckOptions,
  tiles: TileStorage,
  checkpoint: Checkpoint,
  findings: Findings,
): Promise<void> {
  const { directory, trustedKeys, workers = availableParallelism(), onProgress } = options;
  const { treeSize } = checkpoint;
  const scan = await scanBundles({
    directory,
    bundles: Math.floor(treeSize / TILE_WIDTH),
    workers,
    keys: trustedKeys,
    onProgress: (bundles) => onProgress?.(bundles * TILE_WIDTH, treeSize),
  });
  const edge = await checkEdge(tiles, treeSize, trustedKeys);
  await new TreeCheck({ tiles, head: checkpoint, scan, edge, findings }).run();
  reportSignatures(scan, edge, findings);
}

/** The last bundle when it is not full. */
async function checkEdge(
  tiles: TileStorage,
  treeSize: number,
  keys: readonly PublicKey[] | undefined,
): Promise<BundleResult | undefined> {
  const index = Math.floor(treeSize / TILE_WIDTH);
  const width = treeSize % TILE_WIDTH;
  if (width === 0) return undefined;
  const [entries, hashes] = await Promise.all([
    tiles.readBundleFile(index, width),
    tiles.readTileFile(0, index, width),
  ]);
  return checkBundle({ index, width, entries, hashes }, keys === undefined ? undefined : new EnvelopeVerifier(keys));
}

function reportSignatures({ problems }: ScanResult, edge: BundleResult | undefined, findings: Findings): void {
  const inOrder = [...problems.values(), ...(edge === undefined ? [] : [edge])].sort((a, b) => a.index - b.index);
  for (const { malformed, unsigned } of inOrder) {
    for (const index of malformed) findings.add('LG-111', `entry ${index}`, 'it is not an envelope');
    for (const index of unsigned) findings.add('LG-109', `entry ${index}`, 'a signature was made by no trusted key');
  }
}
