// SPDX-License-Identifier: Apache-2.0
/**
 * The evidence log (spec/evidence-log.md): an append-only tree of entries that answers with a proof once an entry is
 * durable, and publishes itself as static tiles. The only writer of its store and directory.
 */
import { RefusedError, type Bytes, type Clock, type NoteVerifierKey } from '@witnessmark/core';
import type { NoteSigner } from '@witnessmark/custody';
import type { DiskGuard, EntryChanges, Store, StoredHead, WorkKind } from '@witnessmark/store';
import { hashLeaf, type LogProof } from '@witnessmark/tlog';
import { EntryQueue } from './entry-queue.ts';
import { LogError } from './error.ts';
import { LOG_LIMITS, type LogLimits } from './limits.ts';
import { openState, type OpenedState } from './opening.ts';
import { systemScheduler, type Scheduler } from './scheduler.ts';
import { fatal, Sequencer, type PendingEntry, type Receipt } from './sequencer.ts';
import { compareHeads, openHead } from './shown-head.ts';
import { Publisher } from './tiles/publisher.ts';
import type { TileStorage } from './tiles/tile-storage.ts';
import type { EntryWindow } from './tree/entry-window.ts';
import { TreeReader } from './tree/tree-reader.ts';

export interface EvidenceLogOptions {
  readonly store: Store;
  readonly tiles: TileStorage;
  readonly signer: NoteSigner;
  readonly clock: Clock;
  /** Checkpoints of this log that others hold; the log does not start behind any of them. */
  readonly shownHeads?: readonly Bytes[];
  readonly diskGuard?: DiskGuard;
  readonly scheduler?: Scheduler;
  readonly limits?: Partial<LogLimits>;
  /** Called once when the log stops for good: the process should end and start again. */
  readonly onFatal?: (error: LogError) => void;
}

export interface AppendRequest {
  /** The bytes to log; not to be written to until the answer. */
  readonly entry: Bytes;
  /** The leaf hash when it is known from verifying the entry; computed otherwise. */
  readonly leafHash?: Bytes;
  readonly changes?: EntryChanges;
  /** `closing` work may use the disk's reserve. */
  readonly work?: WorkKind;
}

/** A checkpoint, and the proof that it extends an earlier size. */
export interface ConsistencyEvidence {
  readonly proof: readonly Bytes[];
  readonly checkpoint: Bytes;
}

export class EvidenceLog {
  readonly #options: EvidenceLogOptions;
  readonly #limits: LogLimits;
  readonly #scheduler: Scheduler;
  readonly #sequencer: Sequencer;
  readonly #publisher: Publisher;
  readonly #reader: TreeReader;
  readonly #entries: EntryWindow;
  readonly #queue: EntryQueue;
  #isCommitting = false;
  /** Monotonic milliseconds. */
  #nextGroupAt = 0;
  /** Set while a group waits for its time. */
  #cancelWait: (() => void) | undefined;
  #publishing: Promise<void> | undefined;
  #cancelPublish: (() => void) | undefined;
  #ended: LogError | undefined;

  /** Checks store, tiles and shown heads against each other. Throws an `LG-*` refusal when they do not fit. */
  static async open(options: EvidenceLogOptions): Promise<EvidenceLog> {
    const { store, tiles, signer, shownHeads = [] } = options;
    const log = new EvidenceLog(options, await openState({ store, tiles, logKey: signer.verifierKey, shownHeads }));
    log.#schedulePublish();
    return log;
  }

  private constructor(options: EvidenceLogOptions, { head, publishedSize, tree, entries }: OpenedState) {
    const { store, tiles, signer, clock } = options;
    this.#options = options;
    this.#limits = { ...LOG_LIMITS, ...options.limits };
    this.#queue = new EntryQueue(this.#limits);
    this.#scheduler = options.scheduler ?? systemScheduler;
    this.#publisher = new Publisher({ tiles, tree, entries, publishedSize });
    const durableBelow = (): number => this.#publisher.durableBelow;
    this.#sequencer = new Sequencer({ store, signer, clock, limits: this.#limits, tree, entries, head, durableBelow });
    this.#reader = new TreeReader(tiles, tree);
    this.#entries = entries;
  }

  get logKey(): NoteVerifierKey {
    return this.#options.signer.verifierKey;
  }

  /** How many entries are durable. */
  get size(): number {
    return this.#sequencer.head?.treeSize ?? 0;
  }

  /** The newest checkpoint note; undefined while the log is empty. */
  get checkpoint(): Bytes | undefined {
    return this.#sequencer.head?.checkpoint;
  }

  /** How many entries the public checkpoint covers. */
  get publishedSize(): number {
    return this.#publisher.publishedSize;
  }

  /**
   * Resolves when the entry is durable in a signed tree. Rejects with the refusal of its view changes (a
   * `ConflictError`), `LS-302` when the disk has no room, `LS-301` when the clock went back, `ERR_LOG_OVERLOADED` when
   * too much waits; nothing is stored then. After `ERR_LOG_FATAL` the outcome is unknown until the log was opened again.
   */
  append(request: AppendRequest): Promise<Receipt> {
    const { entry, leafHash, changes, work = 'new' } = request;
    return new Promise((resolve, reject) => {
      this.#requireAlive();
      this.#queue.admit(entry);
      this.checkRoom(work);
      this.#queue.push({ entry, leafHash: leafHash ?? hashLeaf(entry), changes, resolve, reject });
      this.#scheduleCommit();
    });
  }

  /** Throws `LS-302` when work of this kind must not begin now. */
  checkRoom(work: WorkKind): void {
    this.#options.diskGuard?.check(work);
  }

  /** Throws `LG-107`, `LG-108` or `LG-105` when the log does not contain a head that somebody else holds. */
  async checkShownHead(note: Bytes): Promise<void> {
    const shown = openHead(note, this.logKey, 'a shown head');
    const head = this.#requireHead();
    await compareHeads(head, shown, (treeSize) => this.#reader.rootHash(treeSize, this.publishedSize));
  }

  /** Throws `LG-101` to `LG-103` when the stored entry is not the one in the tree. */
  async readEntry(index: number): Promise<Bytes> {
    if (!Number.isSafeInteger(index) || index < 0 || index >= this.size) {
      throw new LogError('ERR_LOG_INDEX', `there is no entry ${index} in a log of ${this.size}`);
    }
    return this.#entries.entry(index) ?? (await this.#reader.readEntry(index, this.publishedSize));
  }

  /** The proof of a logged entry to the newest checkpoint; it was verified. */
  async entryProof(index: number): Promise<LogProof> {
    const leafHash = hashLeaf(await this.readEntry(index));
    const head = this.#requireHead();
    const proof = await this.#reader.inclusionProof(leafHash, index, head, this.publishedSize);
    return { index, proof, checkpoint: head.checkpoint };
  }

  /** The proof, verified, that the newest checkpoint extends the first `fromSize` entries. */
  async consistency(fromSize: number): Promise<ConsistencyEvidence> {
    const head = this.#requireHead();
    if (!Number.isSafeInteger(fromSize) || fromSize < 0 || fromSize > head.treeSize) {
      throw new LogError('ERR_LOG_INDEX', `a log of ${head.treeSize} entries does not extend one of ${fromSize}`);
    }
    const from = { treeSize: fromSize, rootHash: await this.#reader.rootHash(fromSize, this.publishedSize) };
    const proof = await this.#reader.consistencyProof(from, head, this.publishedSize);
    return { proof, checkpoint: head.checkpoint };
  }

  /** Publishes what is durable now. Throws `LS-302` when the disk is full: it is tried again later. */
  async publish(): Promise<void> {
    this.#requireAlive();
    this.#cancelPublish?.();
    this.#cancelPublish = undefined;
    // One publication at a time: the second waits, and then covers what the first did not.
    await this.#publishing?.catch(() => undefined);
    const head = this.#sequencer.head;
    if (head === undefined) return;
    this.#publishing ??= this.#publisher.publish(head);
    try {
      await this.#publishing;
    } catch (error) {
      throw this.#judgePublishing(error);
    } finally {
      this.#publishing = undefined;
    }
  }

  /** Takes no more entries, answers those that wait, publishes. The store stays open: it is the caller's. */
  async close(): Promise<void> {
    this.#cancelPublish?.();
    while (this.#ended === undefined && (this.#queue.length > 0 || this.#isCommitting)) {
      await new Promise<void>((resolve) => {
        this.#scheduler.soon(resolve);
      });
    }
    try {
      if (this.#ended === undefined) await this.publish();
    } finally {
      this.#ended ??= new LogError('ERR_LOG_CLOSED', 'the log is closed');
      this.#cancelPublish?.();
    }
  }

  /** To be called whenever there is something to commit: the next group begins at once, or when its time has come. */
  #scheduleCommit(): void {
    if (this.#isCommitting || this.#queue.length === 0) return;
    const wait = this.#queue.isFull
      ? 0
      : Math.min(this.#nextGroupAt - this.#options.clock.monotonic(), this.#limits.largePauseMs);
    if (wait > 0) {
      this.#cancelWait ??= this.#scheduler.after(wait, () => {
        this.#beginGroup();
      });
      return;
    }
    this.#cancelWait?.();
    this.#beginGroup();
  }

  #beginGroup(): void {
    this.#cancelWait = undefined;
    this.#isCommitting = true;
    // Everything that arrives in this turn of the event loop shares one transaction.
    this.#scheduler.soon(() => void this.#commitNext());
  }

  async #commitNext(): Promise<void> {
    const group = this.#queue.takeGroup();
    try {
      // Tiles that cannot be written hold back new entries, before memory or journal run full.
      if (this.#entries.bytes > this.#limits.maxUnpublishedBytes) await this.publish();
      await this.#sequencer.commit(group);
    } catch (error) {
      if (error instanceof RefusedError) for (const pending of group) pending.reject(error);
      else this.#fail(error, group);
    }
    this.#nextGroupAt = this.#options.clock.monotonic() + this.#queue.pauseAfter(group.length);
    this.#isCommitting = false;
    this.#schedulePublish();
    this.#scheduleCommit();
  }

  #schedulePublish(): void {
    if (this.#ended !== undefined || this.size === this.publishedSize || this.#publishing !== undefined) return;
    if (this.#entries.bytes >= this.#limits.publishEarlyBytes) {
      void this.#publishInBackground();
      return;
    }
    this.#cancelPublish ??= this.#scheduler.after(this.#limits.publishIntervalMs, () => {
      void this.#publishInBackground();
    });
  }

  /** A failure that ends the log was told through `onFatal`; after any other the next interval tries again. */
  async #publishInBackground(): Promise<void> {
    await this.publish().catch(() => undefined);
    this.#schedulePublish();
  }

  /** Tiles are written anew from memory, so a full disk is waited out; any other failure of a disk ends the log. */
  #judgePublishing(error: unknown): Error {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOSPC' || code === 'EDQUOT') {
      return new RefusedError('LS-302', 'the disk of the log directory is full; tiles wait', { cause: error });
    }
    return this.#fail(error, []);
  }

  #fail(error: unknown, group: readonly PendingEntry[]): LogError {
    const isOwn = error instanceof LogError && error.code === 'ERR_LOG_FATAL';
    const failure = this.#ended ?? (isOwn ? error : fatal('the log cannot go on', error));
    if (this.#ended === undefined) {
      this.#ended = failure;
      this.#cancelPublish?.();
      this.#options.onFatal?.(failure);
    }
    for (const pending of [...group, ...this.#queue.takeAll()]) pending.reject(failure);
    return failure;
  }

  #requireAlive(): void {
    if (this.#ended !== undefined) throw this.#ended;
  }

  #requireHead(): StoredHead {
    const head = this.#sequencer.head;
    if (head === undefined) throw new LogError('ERR_LOG_INDEX', 'the log is empty');
    return head;
  }
}
