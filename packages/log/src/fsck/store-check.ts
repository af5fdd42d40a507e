// SPDX-License-Identifier: Apache-2.0
/**
 * Judges the database against the public log: its head, the journal that leads from the log to the head, and every view
 * row, compared byte for byte with what the entries say.
 */
import { encodeUtf8, equalBytes, RefusedError, type Bytes, type NoteVerifierKey } from '@witnessmark/core';
import {
  openScratchStore,
  VIEW_TABLE_NAMES,
  type DumpedRow,
  type JournalRow,
  type Store,
  type StoredHead,
} from '@witnessmark/store';
import { EMPTY_ROOT, Frontier, hashLeaf, TILE_WIDTH } from '@witnessmark/tlog';
import { checkStoredHead } from '../shown-head.ts';
import type { TileStorage } from '../tiles/tile-storage.ts';
import { EntryGroup } from '../tree/entry-window.ts';
import { TreeReader, type TreeHead } from '../tree/tree-reader.ts';
import type { Findings } from './finding.ts';
import { readRuns, replay, type EntryRun, type Projection } from './replay.ts';

/** What reading a damaged log directory is refused with. */
const FILE_CODES: ReadonlySet<string> = new Set(['LG-101', 'LG-102', 'LG-103']);

export interface StoreCheckOptions {
  readonly store: Store;
  readonly tiles: TileStorage;
  readonly logKey: NoteVerifierKey;
  /** How many entries were public before the store was opened: it must have at least these. */
  readonly publicBefore: number;
  /** The public checkpoint as read after the store was opened: it covers what the store no longer journals. */
  readonly published: TreeHead;
  readonly findings: Findings;
  /** Compare the views too. */
  readonly projection: Projection | undefined;
}

export async function checkStore(options: StoreCheckOptions): Promise<void> {
  const { store, findings, projection } = options;
  const head = await store.head();
  const groups = parseJournal(await store.journal(), findings);
  try {
    await checkPublicEntries(options, groups);
    const isGood = await checkHead(options, head, groups);
    if (isGood && projection !== undefined) await checkViews(options, head?.treeSize ?? 0, groups, projection);
  } catch (error) {
    if (!(error instanceof RefusedError) || !FILE_CODES.has(error.code)) throw error;
    findings.add('LG-106', 'database', `it cannot be judged while tiles are damaged: ${error.message}`);
  }
}

function parseJournal(rows: readonly JournalRow[], findings: Findings): readonly EntryGroup[] {
  const groups: EntryGroup[] = [];
  for (const { firstIndex, entryCount, entries } of rows) {
    try {
      groups.push(EntryGroup.parse(firstIndex, entries, entryCount));
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      findings.add('LG-102', `journal row ${firstIndex}`, error.message);
    }
  }
  return groups;
}

/** Journalled entries that are public already must be the public ones. */
async function checkPublicEntries(options: StoreCheckOptions, groups: readonly EntryGroup[]): Promise<void> {
  const { tiles, published, findings } = options;
  const reader = new TreeReader(tiles);
  for (const group of groups) {
    const { firstIndex } = group;
    for (let index = firstIndex; index < group.endIndex; index += 1) {
      if (index >= published.treeSize) return;
      if (!equalBytes(hashLeaf(group.entry(index)), await reader.leafHash(index, published.treeSize))) {
        findings.add('LG-102', `journal row ${firstIndex}`, `entry ${index} is not the one in the public log`);
      }
    }
  }
}

/** Whether the head is signed, extends the public log, and the journal leads to it. */
async function checkHead(
  options: StoreCheckOptions,
  head: StoredHead | undefined,
  groups: readonly EntryGroup[],
): Promise<boolean> {
  const { published, publicBefore, findings } = options;
  const own: TreeHead = head ?? { treeSize: 0, rootHash: EMPTY_ROOT };
  if (own.treeSize < publicBefore) {
    findings.add('LG-107', 'stored head', `it has ${own.treeSize} entries, ${publicBefore} are public`);
    return false;
  }
  if (head !== undefined && !isSigned(head, options)) return false;
  const rootHash = await rootAt(options, own.treeSize, groups);
  if (rootHash === undefined) {
    findings.add('LG-101', 'journal', `it does not lead from the ${published.treeSize} public entries to the head`);
    return false;
  }
  if (equalBytes(rootHash, own.rootHash)) return true;
  if (own.treeSize <= published.treeSize) {
    findings.add('LG-108', 'stored head', `the public log has another root hash at size ${own.treeSize}`);
  } else {
    findings.add('LG-102', `journal from entry ${published.treeSize}`, 'it does not lead to the stored root hash');
  }
  return false;
}

function isSigned(head: StoredHead, { logKey, findings }: StoreCheckOptions): boolean {
  try {
    checkStoredHead(head, logKey);
    return true;
  } catch (error) {
    if (!(error instanceof RefusedError) || (error.code !== 'LG-104' && error.code !== 'LG-105')) throw error;
    findings.add(error.code, 'stored head', error.message);
    return false;
  }
}

/** The root hash of the first entries: from tiles, and from the journal where there are no tiles yet. */
async function rootAt(
  { tiles, published }: StoreCheckOptions,
  treeSize: number,
  groups: readonly EntryGroup[],
): Promise<Bytes | undefined> {
  const reader = new TreeReader(tiles);
  if (treeSize <= published.treeSize) return reader.rootHash(treeSize, published.treeSize);
  const frontier = Frontier.fromHashes(
    published.treeSize,
    await reader.frontier(published.treeSize, published.treeSize),
  );
  for (const group of groups) {
    for (let index = group.firstIndex; index < group.endIndex; index += 1) {
      if (index < frontier.size) continue;
      if (index > frontier.size) return undefined;
      frontier.append(hashLeaf(group.entry(index)));
    }
  }
  return frontier.size === treeSize ? frontier.root() : undefined;
}

async function checkViews(
  options: StoreCheckOptions,
  treeSize: number,
  groups: readonly EntryGroup[],
  projection: Projection,
): Promise<void> {
  const { store, findings } = options;
  const scratch = openScratchStore();
  try {
    const headAt = (size: number): StoredHead => ({
      treeSize: size,
      rootHash: EMPTY_ROOT,
      checkpoint: EMPTY_ROOT,
      committedAt: 0,
    });
    const refusal = await replay(scratch, allRuns(options, treeSize, groups), projection, headAt);
    if (refusal === undefined) await compareDumps(scratch.dump(), store.dump(), findings);
    else
      findings.add('LG-111', `entry ${refusal.index}`, `the views cannot be rebuilt past it: ${refusal.error.message}`);
  } finally {
    await scratch.close();
  }
}

async function* allRuns(
  { tiles, published }: StoreCheckOptions,
  treeSize: number,
  groups: readonly EntryGroup[],
): AsyncGenerator<EntryRun> {
  const publicSize = Math.min(published.treeSize, treeSize);
  const fullSize = Math.floor(publicSize / TILE_WIDTH) * TILE_WIDTH;
  yield* readRuns(tiles, 0, fullSize);
  let next = fullSize;
  for (const group of groups) {
    // What a damaged row leaves out is public, or the head would not have been reached.
    yield* readRuns(tiles, next, Math.min(group.firstIndex, publicSize));
    next = Math.max(next, Math.min(group.firstIndex, publicSize));
    if (group.endIndex <= next) continue;
    yield { firstIndex: next, entries: group.entriesFrom(next) };
    next = group.endIndex;
  }
  yield* readRuns(tiles, next, publicSize);
}

/** Both dumps have one order, so that one pass finds what is missing, extra or different. */
async function compareDumps(
  expected: AsyncIterable<DumpedRow>,
  found: AsyncIterable<DumpedRow>,
  findings: Findings,
): Promise<void> {
  const left = expected[Symbol.asyncIterator]();
  const right = found[Symbol.asyncIterator]();
  let [want, have] = [await nextOf(left), await nextOf(right)];
  while (want !== undefined || have !== undefined) {
    const order = compareRows(want, have);
    const { table, key } = (order <= 0 ? want : have) as DumpedRow;
    const object = `${table} ${key.join(' ')}`;
    if (order < 0) findings.add('LG-106', object, 'the log says that this row exists; it does not');
    else if (order > 0) findings.add('LG-106', object, 'no entry of the log makes this row');
    else if (want?.text !== have?.text) findings.add('LG-106', object, 'its values are not what the log entries say');
    if (order <= 0) want = await nextOf(left);
    if (order >= 0) have = await nextOf(right);
  }
}

async function nextOf(rows: AsyncIterator<DumpedRow>): Promise<DumpedRow | undefined> {
  const next = await rows.next();
  return next.done === true ? undefined : next.value;
}

/** The order of dumps; whatever has ended comes last. */
function compareRows(left: DumpedRow | undefined, right: DumpedRow | undefined): number {
  if (left === undefined || right === undefined) return left === undefined ? 1 : -1;
  const byTable = VIEW_TABLE_NAMES.indexOf(left.table) - VIEW_TABLE_NAMES.indexOf(right.table);
  if (byTable !== 0) return byTable;
  for (const [position, value] of left.key.entries()) {
    const byValue = Buffer.compare(encodeUtf8(value), encodeUtf8(right.key[position] ?? ''));
    if (byValue !== 0) return byValue;
  }
  return 0;
}
