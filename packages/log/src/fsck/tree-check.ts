// SPDX-License-Identifier: Apache-2.0
/**
 * Judges every stored hash of a log against its signed checkpoint, from the top down: what leads to a hash that is already
 * proven is proven, so that a damaged tile and a damaged entry are told apart and named.
 */
import { equalBytes, RefusedError, type Bytes } from '@witnessmark/core';
import {
  entryBundlePath,
  Frontier,
  HASH_BYTES,
  hashSubtree,
  TILE_HEIGHT,
  TILE_WIDTH,
  tilePath,
  tileWidth,
} from '@witnessmark/tlog';
import type { TileStorage } from '../tiles/tile-storage.ts';
import type { TreeHead } from '../tree/tree-reader.ts';
import { differences, tileRoot, type BundleResult, type FileProblem } from './bundle-check.ts';
import type { ScanResult } from './bundle-scan.ts';
import type { Findings } from './finding.ts';

export interface TreeCheckOptions {
  readonly tiles: TileStorage;
  readonly head: TreeHead;
  readonly scan: ScanResult;
  /** The last, partial bundle; undefined when there is none. */
  readonly edge: BundleResult | undefined;
  readonly findings: Findings;
}

/** A tile of the right edge: what is stored, and what follows from below. */
interface EdgeTile {
  readonly level: number;
  readonly index: number;
  readonly width: number;
  readonly stored: readonly Bytes[] | undefined;
  readonly storedProblem: FileProblem | undefined;
  readonly derived: readonly Bytes[] | undefined;
}

export class TreeCheck {
  readonly #options: TreeCheckOptions;
  /** For each tile level from 1 the hashes that follow from the entries, 32 bytes each. */
  readonly #derived: readonly Bytes[];

  constructor(options: TreeCheckOptions) {
    this.#options = options;
    this.#derived = deriveLevels(options.scan.derivedRoots);
  }

  /** Returns the proven, or else the most likely, leaf hashes of the last partial bundle. */
  async run(): Promise<readonly Bytes[]> {
    const edges = await this.#readEdges();
    const chosen = this.#chooseEdges(edges);
    for (const edge of edges.toReversed()) {
      const hashes = chosen.get(edge.level) ?? [];
      this.#reportEdge(edge, hashes);
      if (edge.level === 0) continue;
      for (const [position, hash] of hashes.entries()) {
        await this.#checkTile(edge.level - 1, edge.index * TILE_WIDTH + position, hash);
      }
    }
    return chosen.get(0) ?? [];
  }

  async #readEdges(): Promise<readonly EdgeTile[]> {
    const { treeSize } = this.#options.head;
    const edges: EdgeTile[] = [];
    for (let level = 0; TILE_WIDTH ** level <= treeSize; level += 1) {
      const index = Math.floor(treeSize / TILE_WIDTH ** (level + 1));
      const width = tileWidth(level, index, treeSize);
      if (width === 0) continue;
      if (level === 0) {
        const { stored, hashesProblem, derived } = this.#options.edge ?? {};
        edges.push({ level, index, width, stored, storedProblem: hashesProblem, derived });
      } else {
        const derived = this.#derivedHashes(level, index * TILE_WIDTH, width);
        edges.push({ level, index, width, derived, ...(await this.#readTile(level, index, width)) });
      }
    }
    return edges;
  }

  /** The stored edge if it leads to the root hash, else one in which as few tiles as possible are derived anew. */
  #chooseEdges(edges: readonly EdgeTile[]): ReadonlyMap<number, readonly Bytes[]> {
    const { head, findings } = this.#options;
    for (const choice of choices(edges)) {
      if (equalBytes(rootOf(head.treeSize, choice), head.rootHash)) return choice;
    }
    findings.add('LG-104', 'checkpoint', `entries and tiles do not lead to its root hash at size ${head.treeSize}`);
    return new Map(edges.map(({ level, derived, stored }) => [level, derived ?? stored ?? []]));
  }

  #reportEdge(edge: EdgeTile, proven: readonly Bytes[]): void {
    const { findings } = this.#options;
    const path = tilePath(edge.level, edge.index, edge.width);
    if (edge.stored === undefined) {
      findings.add(edge.storedProblem?.code ?? 'LG-101', path, edge.storedProblem?.detail ?? 'the file does not exist');
    } else {
      const wrong = differences(proven, edge.stored);
      if (wrong.length > 0) findings.add('LG-103', path, `hash ${wrong.join(', ')} is not the one that is proven`);
    }
    if (edge.level === 0) this.#reportEntries(edge.index, edge.width, edge.derived, proven);
  }

  /** A full tile must lead to the hash that stands for it one level up. */
  async #checkTile(level: number, index: number, expected: Bytes): Promise<void> {
    if (level === 0) {
      this.#checkBundle(index, expected);
      return;
    }
    const { stored, storedProblem } = await this.#readTile(level, index, TILE_WIDTH);
    const isProven = stored !== undefined && equalBytes(hashSubtree(stored), expected);
    if (!isProven) {
      const { code, detail } = storedProblem ?? { code: 'LG-103', detail: 'it does not lead to its hash one level up' };
      this.#options.findings.add(code, tilePath(level, index), detail);
    }
    const hashes = isProven ? stored : (this.#derivedHashes(level, index * TILE_WIDTH, TILE_WIDTH) ?? []);
    for (const [position, hash] of hashes.entries()) {
      await this.#checkTile(level - 1, index * TILE_WIDTH + position, hash);
    }
  }

  #checkBundle(index: number, expected: Bytes): void {
    const { scan, findings } = this.#options;
    const problem = scan.problems.get(index);
    const isTileProven = equalBytes(hashAt(scan.storedRoots, index), expected);
    const areEntriesProven = equalBytes(hashAt(scan.derivedRoots, index), expected);
    if (!isTileProven) {
      const { code, detail } = problem?.hashesProblem ?? {
        code: 'LG-103',
        detail: 'it does not lead to its hash one level up',
      };
      findings.add(code, tilePath(0, index), detail);
    }
    if (areEntriesProven) return;
    const path = entryBundlePath(index);
    if (problem?.entriesProblem !== undefined) {
      findings.add(problem.entriesProblem.code, path, problem.entriesProblem.detail);
    } else if (isTileProven) {
      for (const position of problem?.differences ?? []) this.#addEntry(index, position, path);
    } else {
      findings.add('LG-102', path, 'its entries do not lead to the hash that stands for them');
    }
  }

  #reportEntries(index: number, width: number, derived: readonly Bytes[] | undefined, proven: readonly Bytes[]): void {
    const path = entryBundlePath(index, width);
    if (derived === undefined) {
      const problem = this.#options.edge?.entriesProblem;
      this.#options.findings.add(problem?.code ?? 'LG-101', path, problem?.detail ?? 'the file does not exist');
      return;
    }
    for (const position of differences(proven, derived)) this.#addEntry(index, position, path);
  }

  #addEntry(bundle: number, position: number, path: string): void {
    const entry = bundle * TILE_WIDTH + position;
    this.#options.findings.add('LG-102', `entry ${entry}`, `its bytes in ${path} do not have the hash in the tree`);
  }

  async #readTile(
    level: number,
    index: number,
    width: number,
  ): Promise<{ readonly stored: readonly Bytes[] | undefined; readonly storedProblem: FileProblem | undefined }> {
    try {
      return { stored: await this.#options.tiles.readTile({ level, index, width }), storedProblem: undefined };
    } catch (error) {
      if (!(error instanceof RefusedError) || (error.code !== 'LG-101' && error.code !== 'LG-103')) throw error;
      return { stored: undefined, storedProblem: { code: error.code, detail: error.message } };
    }
  }

  #derivedHashes(level: number, first: number, count: number): readonly Bytes[] | undefined {
    const hashes = this.#derived[level - 1];
    if (hashes === undefined) return undefined;
    return Array.from({ length: count }, (_, position) => hashAt(hashes, first + position));
  }
}

/** The hashes of each tile level from 1, as long as there is a full tile below. */
function deriveLevels(roots: Bytes): readonly Bytes[] {
  const levels: Bytes[] = [];
  for (let below = roots; below.length > 0;) {
    levels.push(below);
    const tiles = Math.floor(below.length / HASH_BYTES / TILE_WIDTH);
    const next = new Uint8Array(tiles * HASH_BYTES);
    for (let tile = 0; tile < tiles; tile += 1) {
      const hashes = Array.from({ length: TILE_WIDTH }, (_, position) => hashAt(below, tile * TILE_WIDTH + position));
      next.set(tileRoot(hashes), tile * HASH_BYTES);
    }
    below = next;
  }
  return levels;
}

/** Every way to take each edge tile as stored or as derived, stored ones first. */
function* choices(edges: readonly EdgeTile[]): Generator<ReadonlyMap<number, readonly Bytes[]>> {
  const count = 2 ** edges.length;
  const byDerived = Array.from({ length: count }, (_, mask) => mask).sort((a, b) => bitCount(a) - bitCount(b));
  for (const mask of byDerived) {
    const choice = new Map<number, readonly Bytes[]>();
    for (const [position, { level, stored, derived }] of edges.entries()) {
      const hashes = (mask >> position) % 2 === 1 ? derived : stored;
      if (hashes !== undefined) choice.set(level, hashes);
    }
    if (choice.size === edges.length) yield choice;
  }
}

function bitCount(mask: number): number {
  return mask === 0 ? 0 : (mask & 1) + bitCount(mask >> 1);
}

/** The root hash over the tiles of the right edge: their complete subtrees are those of the whole tree. */
function rootOf(treeSize: number, edge: ReadonlyMap<number, readonly Bytes[]>): Bytes {
  const subtrees: Bytes[] = [];
  for (const level of [...edge.keys()].sort((a, b) => b - a)) {
    const hashes = edge.get(level) ?? [];
    let first = 0;
    for (let height = TILE_HEIGHT - 1; height >= 0; height -= 1) {
      const count = 2 ** height;
      if (Math.floor(hashes.length / count) % 2 === 0) continue;
      subtrees.push(hashSubtree(hashes.slice(first, first + count)));
      first += count;
    }
  }
  return Frontier.fromHashes(treeSize, subtrees).root();
}

function hashAt(hashes: Bytes, position: number): Bytes {
  return hashes.subarray(position * HASH_BYTES, (position + 1) * HASH_BYTES);
}
