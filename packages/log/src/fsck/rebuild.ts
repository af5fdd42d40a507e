// SPDX-License-Identifier: Apache-2.0
/**
 * A lost database, made again from the public log. What was durable in the lost database and not yet public is not in the
 * log's directory either: heads that stations and witnesses hold tell whether there was such an entry, and the log does
 * not start behind them (docs/operate/log-recovery.md).
 */
import { equalBytes, RefusedError, type NoteVerifierKey } from '@witnessmark/core';
import type { Store, StoredHead } from '@witnessmark/store';
import { Frontier, hashLeaf, type Checkpoint } from '@witnessmark/tlog';
import { openHead } from '../shown-head.ts';
import type { TileStorage } from '../tiles/tile-storage.ts';
import { readRuns, replay, type EntryRun, type Projection } from './replay.ts';

export interface RebuildOptions {
  readonly tiles: TileStorage;
  /** Empty; to be thrown away when rebuilding is refused. */
  readonly store: Store;
  readonly logKey: NoteVerifierKey;
  readonly projection: Projection;
  /** When the rebuilt head was committed: later entries do not bear an earlier time. */
  readonly committedAt: number;
}

/**
 * Replays the public log into an empty store. Throws `LG-101` or `LG-102` for a damaged bundle, `LG-104` when the entries
 * do not lead to the checkpoint, `LG-105` when the checkpoint is not signed, `LG-111` when the views refuse an entry.
 */
export async function rebuildStore(options: RebuildOptions): Promise<Checkpoint> {
  const { tiles, store, logKey, projection, committedAt } = options;
  if ((await store.head()) !== undefined) throw new TypeError('a store is rebuilt from empty');
  const note = await tiles.readCheckpoint();
  if (note === undefined) throw new RefusedError('LG-101', 'there is no public checkpoint');
  const published = openHead(note, logKey, 'the public checkpoint');
  const { treeSize, rootHash } = published;
  // Until the last entry is replayed the stored size is not the one the checkpoint signs, so a log refuses to start on it.
  const headAt = (size: number): StoredHead => ({ treeSize: size, rootHash, checkpoint: note, committedAt });
  const frontier = Frontier.empty();
  const refusal = await replay(store, hashed(readRuns(tiles, 0, treeSize), frontier), projection, headAt);
  if (refusal !== undefined) {
    throw new RefusedError('LG-111', `entry ${refusal.index} is refused by the views: ${refusal.error.message}`, {
      cause: refusal.error,
    });
  }
  if (!equalBytes(frontier.root(), rootHash)) {
    throw new RefusedError('LG-104', `the entries do not lead to the root hash at size ${treeSize}; run fsck`);
  }
  return published;
}

/** Passes runs on, and grows the tree by them. */
async function* hashed(runs: AsyncIterable<EntryRun>, frontier: Frontier): AsyncGenerator<EntryRun> {
  for await (const run of runs) {
    for (const entry of run.entries) frontier.append(hashLeaf(entry));
    yield run;
  }
}
