// SPDX-License-Identifier: Apache-2.0
/**
 * What a log checks before it writes. It takes time in proportion to what was not published yet, never to history: the
 * last tile of each level leads to the public checkpoint's root hash, the journal leads from there to the head's.
 * Anything that does not fit stops the start; nothing is repaired silently.
 */
import { equalBytes, RefusedError, type Bytes, type NoteVerifierKey } from '@witnessmark/core';
import type { JournalRow, Store, StoredHead } from '@witnessmark/store';
import { EMPTY_ROOT, hashLeaf, Prover, TILE_WIDTH, tileWidth } from '@witnessmark/tlog';
import { checkStoredHead, compareHeads, openHead } from './shown-head.ts';
import type { TileStorage } from './tiles/tile-storage.ts';
import { EntryGroup, EntryWindow } from './tree/entry-window.ts';
import { MerkleWindow } from './tree/merkle-window.ts';
import { TreeReader, type TreeHead } from './tree/tree-reader.ts';

export interface OpenedState {
  /** Undefined for a log without entries. */
  readonly head: StoredHead | undefined;
  readonly publishedSize: number;
  readonly tree: MerkleWindow;
  readonly entries: EntryWindow;
}

export interface OpeningOptions {
  readonly store: Store;
  readonly tiles: TileStorage;
  readonly logKey: NoteVerifierKey;
  /** Checkpoints of this log that others hold. */
  readonly shownHeads: readonly Bytes[];
}

/** Throws an `LG-*` refusal. */
export async function openState({ store, tiles, logKey, shownHeads }: OpeningOptions): Promise<OpenedState> {
  const head = await store.head();
  if (head !== undefined) checkStoredHead(head, logKey);
  const own: TreeHead = head ?? { treeSize: 0, rootHash: EMPTY_ROOT };

  const note = await tiles.readCheckpoint();
  const published = note === undefined ? undefined : openHead(note, logKey, 'the public checkpoint');
  const publishedSize = published?.treeSize ?? 0;
  // Whoever is behind is told so before anything is said about files that only the newer head covers.
  const shown = shownHeads.map((bytes) => openHead(bytes, logKey, 'a shown head'));
  for (const other of published === undefined ? shown : [published, ...shown]) {
    if (other.treeSize >= own.treeSize) await compareHeads(own, other, () => Promise.resolve(own.rootHash));
  }

  const journal = readJournal(await store.journal(), own.treeSize, publishedSize);
  const tree = await readTileEdge(tiles, published);
  const entries = new EntryWindow();
  for (const group of journal) {
    entries.append(group);
    for (const entry of group.entriesFrom(group.firstIndex)) tree.append(hashLeaf(entry));
  }
  checkRoot(tree, own, 'the journal does not lead to the root hash of the stored head');
  if (published !== undefined) checkPrefix(tree, published);

  const reader = new TreeReader(tiles, tree);
  for (const other of shown) await compareHeads(own, other, (size) => reader.rootHash(size, publishedSize));
  await tiles.sweep();
  return { head, publishedSize, tree, entries };
}

/** The journal's entries from the first one that is not in a full bundle up to the head, without a gap. */
function readJournal(rows: readonly JournalRow[], treeSize: number, publishedSize: number): readonly EntryGroup[] {
  const from = Math.floor(publishedSize / TILE_WIDTH) * TILE_WIDTH;
  const groups: EntryGroup[] = [];
  let next = from;
  for (const row of rows) {
    const end = row.firstIndex + row.entryCount;
    if (end <= from) continue;
    if (row.firstIndex > next || (groups.length > 0 && row.firstIndex !== next)) break;
    groups.push(cutBefore(parseRow(row), next));
    next = end;
  }
  if (next !== treeSize) {
    throw new RefusedError(
      'LG-101',
      `entries ${next} to ${treeSize} are neither in the journal nor covered by the public checkpoint of ${publishedSize}`,
    );
  }
  return groups;
}

function parseRow(row: JournalRow): EntryGroup {
  try {
    return EntryGroup.parse(row.firstIndex, row.entries, row.entryCount);
  } catch (cause) {
    throw new RefusedError('LG-102', `journal row ${row.firstIndex} does not hold its entries`, { cause });
  }
}

function cutBefore(group: EntryGroup, index: number): EntryGroup {
  return group.firstIndex >= index ? group : EntryGroup.from(index, group.entriesFrom(index));
}

/** The last tile of each level above the leaves, as of the public checkpoint; leaves come from the journal. */
async function readTileEdge(tiles: TileStorage, published: TreeHead | undefined): Promise<MerkleWindow> {
  const size = published?.treeSize ?? 0;
  const edges: (readonly Bytes[])[] = [[]];
  for (let level = 1; TILE_WIDTH ** level <= size; level += 1) {
    const index = Math.floor(size / TILE_WIDTH ** (level + 1));
    const width = tileWidth(level, index, size);
    edges.push(width === 0 ? [] : await tiles.readTile({ level, index, width }));
  }
  return MerkleWindow.fromTiles(Math.floor(size / TILE_WIDTH) * TILE_WIDTH, edges);
}

function checkRoot(tree: MerkleWindow, head: TreeHead, what: string): void {
  if (!equalBytes(new Prover(head.treeSize, tree).rootHash(), head.rootHash)) throw new RefusedError('LG-104', what);
}

/** The published tree must be the beginning of the stored one, whatever its tiles say. */
function checkPrefix(tree: MerkleWindow, published: TreeHead): void {
  if (!equalBytes(new Prover(published.treeSize, tree).rootHash(), published.rootHash)) {
    throw new RefusedError('LG-108', `the public checkpoint of size ${published.treeSize} is not of this tree`);
  }
}
