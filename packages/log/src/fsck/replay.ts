// SPDX-License-Identifier: Apache-2.0
/**
 * Views from the log: every entry's changes, in order, into an empty store. The same function rebuilds a lost database
 * and gives fsck something to compare the present one with.
 */
import { parseEnvelope, type Bytes, type Envelope } from '@witnessmark/core';
import type { Store, StoredHead, ViewChange } from '@witnessmark/store';
import { formatEntryBundle, TILE_WIDTH, tileWidth } from '@witnessmark/tlog';
import type { TileStorage } from '../tiles/tile-storage.ts';

/** What an entry does to the views, from the entry alone. Throws for an entry that is not a statement it knows. */
export type Projection = (index: number, envelope: Envelope) => readonly ViewChange[];

/** Entries that follow each other. */
export interface EntryRun {
  readonly firstIndex: number;
  readonly entries: readonly Bytes[];
}

/** The first entry that the projection or the views refused. */
export interface ReplayRefusal {
  readonly index: number;
  readonly error: Error;
}

/** What to store as head once `treeSize` entries are replayed. */
export type HeadAt = (treeSize: number) => StoredHead;

/**
 * Replays runs without a gap, from entry 0, into an empty store. Stops at a refusal: the store then holds a part of the
 * views and is to be thrown away.
 */
export async function replay(
  store: Store,
  runs: AsyncIterable<EntryRun>,
  projection: Projection,
  headAt: HeadAt,
): Promise<ReplayRefusal | undefined> {
  for await (const { firstIndex, entries } of runs) {
    const { refused } = await store.commit({
      expected: await store.head(),
      entries: entries.map((entry, position) => () => projection(firstIndex + position, parseEnvelope(entry))),
      seal: () => {
        const journal = { firstIndex, entryCount: entries.length, entries: formatEntryBundle(entries) };
        return Promise.resolve({ head: headAt(firstIndex + entries.length), journal, pruneBelow: firstIndex });
      },
    });
    const [first] = refused;
    if (first !== undefined) return { index: firstIndex + first[0], error: first[1] };
  }
  return undefined;
}

/** The entries of the public log, a bundle at a time; throws as `TileStorage.readEntries` does. */
export async function* readRuns(tiles: TileStorage, fromIndex: number, toIndex: number): AsyncGenerator<EntryRun> {
  for (let firstIndex = fromIndex; firstIndex < toIndex;) {
    const bundle = Math.floor(firstIndex / TILE_WIDTH);
    const entries = await tiles.readEntries(bundle, tileWidth(0, bundle, toIndex));
    yield { firstIndex, entries: entries.slice(firstIndex - bundle * TILE_WIDTH) };
    firstIndex = (bundle + 1) * TILE_WIDTH;
  }
}
