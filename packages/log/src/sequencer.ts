// SPDX-License-Identifier: Apache-2.0
/**
 * Gives entries their place. What arrives while one group is being committed forms the next: the tree grows, one
 * checkpoint is signed and one transaction made durable for the whole group, and only then is anybody answered. Nothing
 * signed leaves before it is durable, and an entry that the views refuse is refused alone.
 */
import { equalBytes, formatInstant, RefusedError, type Bytes, type Clock, type Instant } from '@witnessmark/core';
import type { NoteSigner } from '@witnessmark/custody';
import { StoreError, type CommitSeal, type EntryChanges, type Store, type StoredHead } from '@witnessmark/store';
import { EMPTY_ROOT, formatCheckpoint, hashLeaf, Prover, verifyConsistency, verifyInclusion } from '@witnessmark/tlog';
import { LogError } from './error.ts';
import type { LogLimits } from './limits.ts';
import { EntryGroup, type EntryWindow } from './tree/entry-window.ts';
import type { MerkleWindow } from './tree/merkle-window.ts';
import { RecentProofs } from './tree/recent-proofs.ts';

/** That an entry is in the log: its place, and the proof that leads to a signed checkpoint. A tlog-proof can be made of it. */
export interface Receipt {
  readonly index: number;
  readonly leafHash: Bytes;
  readonly proof: readonly Bytes[];
  /** The checkpoint note. */
  readonly checkpoint: Bytes;
}

/** An entry that waits for its place. */
export interface PendingEntry {
  readonly entry: Bytes;
  /** Computed when the entry arrived; compared with what is computed from the bytes to be journalled. */
  readonly leafHash: Bytes;
  readonly changes: EntryChanges;
  readonly resolve: (receipt: Receipt) => void;
  readonly reject: (error: Error) => void;
}

export interface SequencerOptions {
  readonly store: Store;
  readonly signer: NoteSigner;
  readonly clock: Clock;
  readonly limits: LogLimits;
  readonly tree: MerkleWindow;
  readonly entries: EntryWindow;
  readonly head: StoredHead | undefined;
  /** Journal rows that end at or below are covered by durable entry bundles. */
  readonly durableBelow: () => number;
}

export class Sequencer {
  readonly #options: SequencerOptions;
  #head: StoredHead | undefined;

  constructor(options: SequencerOptions) {
    this.#options = options;
    this.#head = options.head;
  }

  /** The newest durable head; undefined while the log is empty. */
  get head(): StoredHead | undefined {
    return this.#head;
  }

  /**
   * Commits a group and answers each of its entries. Throws `ERR_LOG_FATAL`, having answered nobody, when the outcome is
   * unknown; every other failure is an answer.
   */
  async commit(group: readonly PendingEntry[]): Promise<void> {
    const base = this.#head;
    let sealed: Sealed | undefined;
    try {
      const committedAt = this.#readClock();
      const { accepted, refused } = await this.#options.store.commit({
        expected: base,
        entries: group.map((pending) => pending.changes),
        seal: async (positions) => {
          sealed = await this.#seal(base, pick(group, positions), committedAt);
          return sealed.seal;
        },
      });
      if (sealed !== undefined) this.#answer(sealed, pick(group, accepted));
      for (const [position, error] of refused) group[position]?.reject(error);
    } catch (error) {
      this.#options.tree.truncate(base?.treeSize ?? 0);
      const refusal = await this.#judge(error, base);
      const unharmed = refusal instanceof ChangedEntry ? group.filter((pending) => pending !== refusal.pending) : [];
      for (const pending of group) if (!unharmed.includes(pending)) pending.reject(refusal);
      if (unharmed.length > 0) await this.commit(unharmed);
    }
  }

  async #seal(base: StoredHead | undefined, accepted: readonly PendingEntry[], committedAt: Instant): Promise<Sealed> {
    const { tree, signer, durableBelow } = this.#options;
    const firstIndex = base?.treeSize ?? 0;
    const group = EntryGroup.from(
      firstIndex,
      accepted.map((pending) => pending.entry),
    );
    // Hashed a second time, now from the bytes that will be stored: a log that signed a flipped bit is dead.
    for (const [position, pending] of accepted.entries()) {
      const leafHash = hashLeaf(group.entry(firstIndex + position));
      if (!equalBytes(leafHash, pending.leafHash)) throw new ChangedEntry(pending);
      tree.append(leafHash);
    }
    const proofs = new RecentProofs(tree.size, tree);
    const { rootHash } = proofs;
    checkGrowth(tree, base, proofs, (accepted[0] as PendingEntry).leafHash);
    const text = formatCheckpoint({ origin: signer.verifierKey.name, treeSize: tree.size, rootHash });
    const head: StoredHead = {
      treeSize: tree.size,
      rootHash,
      checkpoint: await signer.sign(text),
      committedAt,
    };
    const journal = { firstIndex, entryCount: group.count, entries: group.bytes };
    return { group, proofs, seal: { head, journal, pruneBelow: durableBelow() } };
  }

  #answer({ group, proofs, seal }: Sealed, accepted: readonly PendingEntry[]): void {
    this.#head = seal.head;
    this.#options.entries.append(group);
    const { checkpoint } = seal.head;
    for (const [position, { leafHash, resolve }] of accepted.entries()) {
      const index = group.firstIndex + position;
      resolve({ index, leafHash, proof: proofs.inclusionProof(index), checkpoint });
    }
  }

  /** The recorded time never goes back: a small step of the clock repeats the last time, a larger one is refused. */
  #readClock(): Instant {
    const now = this.#options.clock.now();
    const last = this.#head?.committedAt ?? now;
    if (now < last - this.#options.limits.maxClockStepBackMs) {
      throw new RefusedError(
        'LS-301',
        `the clock says ${formatInstant(now)}, but an entry was logged at ${formatInstant(last)}`,
      );
    }
    return Math.max(now, last);
  }

  /** A refusal when the store surely stored nothing; throws `ERR_LOG_FATAL` when it may have. */
  async #judge(error: unknown, base: StoredHead | undefined): Promise<Error> {
    if (error instanceof LogError && error.code === 'ERR_LOG_FATAL') throw error;
    const isFull = error instanceof StoreError && error.code === 'ERR_STORE_FULL';
    if (error instanceof StoreError && !isFull) throw fatal('the store failed in a commit', error);
    const head = await this.#options.store.head().catch((cause: unknown) => {
      throw fatal('the store cannot be read after a commit failed', cause);
    });
    if (head?.treeSize !== base?.treeSize) throw fatal('a commit reported failure but is stored', error);
    if (isFull) return new RefusedError('LS-302', 'the evidence disk is full; nothing was stored', { cause: error });
    return error instanceof Error ? error : new Error(String(error));
  }
}

interface Sealed {
  readonly group: EntryGroup;
  readonly proofs: RecentProofs;
  readonly seal: CommitSeal;
}

/** What was about to be journalled is not what arrived: memory failed, or the caller wrote to the entry's buffer. */
class ChangedEntry extends LogError {
  readonly pending: PendingEntry;

  constructor(pending: PendingEntry) {
    super('ERR_LOG_ENTRY_CHANGED', 'the bytes of an entry changed after it arrived; it is not logged');
    this.pending = pending;
  }
}

/** Before anything is signed: the new tree must begin with the old one and hold the group's first entry. */
function checkGrowth(tree: MerkleWindow, base: StoredHead | undefined, proofs: RecentProofs, leafHash: Bytes): void {
  const from = base ?? { treeSize: 0, rootHash: EMPTY_ROOT };
  const to = { treeSize: tree.size, rootHash: proofs.rootHash };
  const index = from.treeSize;
  try {
    const proof = new Prover(to.treeSize, tree).consistencyProof(index);
    verifyConsistency({ fromSize: index, fromRoot: from.rootHash, toSize: to.treeSize, toRoot: to.rootHash, proof });
    verifyInclusion({ leafHash, index, ...to, proof: proofs.inclusionProof(index) });
  } catch (cause) {
    throw fatal('the tree in memory does not extend the one that was committed', cause);
  }
}

export function fatal(what: string, cause: unknown): LogError {
  return new LogError('ERR_LOG_FATAL', `${what}; stop, start again and re-read`, { cause });
}

function pick<T>(items: readonly T[], positions: readonly number[]): readonly T[] {
  return positions.length === items.length ? items : positions.map((position) => items[position] as T);
}
