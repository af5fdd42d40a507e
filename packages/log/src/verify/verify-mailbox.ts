// SPDX-License-Identifier: Apache-2.0
/**
 * How entries reach a verifying thread and verdicts come back: through memory that both share, for a message costs as much
 * as a signature. The pool fills the next batch and counts it as sent; the thread sleeps until that count goes up, writes
 * its verdicts into the batch and counts it as done. Batches are taken in turn.
 *
 * A batch is `count u32`, then for each entry a record of 72 bytes, `length u32 · signatures u8 (255: not an envelope) ·
 * signers u8 · 2 bytes · up to 16 signer positions u16 · leaf hash 32`, then the entries' bytes.
 */
import type { Bytes } from '@witnessmark/core';

export const MAILBOX_BATCHES = 2;
const BATCH_BYTES = 512 * 1024;
const HEADER_BYTES = 4;
const RECORD_BYTES = 72;
const SIGNATURES_AT = 4;
const SIGNERS_AT = 5;
const POSITIONS_AT = 8;
const HASH_AT = 40;
const HASH_BYTES = 32;
const NOT_AN_ENVELOPE = 255;

/** Which word of the control memory counts what. */
const SENT = 0;
const DONE = 1;

/** What the pool hands to a thread when it starts. */
export interface MailboxMemory {
  readonly control: SharedArrayBuffer;
  readonly batches: readonly SharedArrayBuffer[];
}

export interface Verdict {
  readonly leafHash: Bytes;
  /** Positions in the list of keys; undefined when the entry is not an envelope. */
  readonly signers: readonly number[] | undefined;
  readonly signatures: number;
}

/** One end of the mailbox; each end counts for itself what it has sent, or taken. */
export class Mailbox {
  readonly memory: MailboxMemory;
  readonly #control: Int32Array;
  readonly #batches: readonly SharedBatch[];
  /** Pool: batches whose verdicts were read. Thread: batches that were judged. */
  #taken = 0;

  constructor(memory?: MailboxMemory) {
    this.memory = memory ?? {
      control: new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT),
      batches: Array.from({ length: MAILBOX_BATCHES }, () => new SharedArrayBuffer(BATCH_BYTES)),
    };
    this.#control = new Int32Array(this.memory.control);
    this.#batches = this.memory.batches.map((batch) => new SharedBatch(batch));
  }

  /** Pool: gives the thread as many of the entries as fit into one batch; returns how many. */
  send(entries: readonly Bytes[]): number {
    const sent = Atomics.load(this.#control, SENT);
    const count = this.#batch(sent).fill(entries);
    Atomics.store(this.#control, SENT, sent + 1);
    Atomics.notify(this.#control, SENT);
    return count;
  }

  /** Pool: the next batch with verdicts, or undefined. What was read before may be overwritten from now on. */
  takeDone(): SharedBatch | undefined {
    if (this.#taken === Atomics.load(this.#control, DONE)) return undefined;
    this.#taken += 1;
    return this.#batch(this.#taken - 1);
  }

  /** Thread: sleeps until there is a batch. */
  waitForBatch(): SharedBatch {
    while (Atomics.load(this.#control, SENT) === this.#taken) Atomics.wait(this.#control, SENT, this.#taken);
    return this.#batch(this.#taken);
  }

  /** Thread: the verdicts of the batch are written. */
  finishBatch(): void {
    this.#taken += 1;
    Atomics.store(this.#control, DONE, this.#taken);
  }

  #batch(number: number): SharedBatch {
    return this.#batches[number % MAILBOX_BATCHES] as SharedBatch;
  }
}

export class SharedBatch {
  readonly #bytes: Uint8Array<SharedArrayBuffer>;
  readonly #view: DataView;

  constructor(memory: SharedArrayBuffer) {
    this.#bytes = new Uint8Array(memory);
    this.#view = new DataView(memory);
  }

  get count(): number {
    return this.#view.getUint32(0);
  }

  /** Puts in as many entries as fit, from the first; returns how many. */
  fill(entries: readonly Bytes[]): number {
    let count = 0;
    for (let room = BATCH_BYTES - HEADER_BYTES; count < entries.length; count += 1) {
      room -= RECORD_BYTES + (entries[count] as Bytes).length;
      if (room < 0) break;
    }
    this.#view.setUint32(0, count);
    let at = recordAt(count);
    for (let position = 0; position < count; position += 1) {
      const entry = entries[position] as Bytes;
      this.#view.setUint32(recordAt(position), entry.length);
      this.#bytes.set(entry, at);
      at += entry.length;
    }
    return count;
  }

  /** Copies each entry into `own` memory in turn, and passes it on: what is judged does not change meanwhile. */
  forEach(own: Bytes, use: (position: number, entry: Bytes) => void): void {
    const { count } = this;
    let at = recordAt(count);
    for (let position = 0; position < count; position += 1) {
      const length = this.#view.getUint32(recordAt(position));
      own.set(this.#bytes.subarray(at, at + length));
      at += length;
      use(position, own.subarray(0, length));
    }
  }

  write(position: number, { signers, signatures, leafHash }: Verdict): void {
    const record = recordAt(position);
    this.#view.setUint8(record + SIGNATURES_AT, signers === undefined ? NOT_AN_ENVELOPE : signatures);
    this.#view.setUint8(record + SIGNERS_AT, signers?.length ?? 0);
    let at = record + POSITIONS_AT;
    for (const signer of signers ?? []) {
      this.#view.setUint16(at, signer);
      at += 2;
    }
    this.#bytes.set(leafHash, record + HASH_AT);
  }

  read(position: number): Verdict {
    const record = recordAt(position);
    const leafHash = new Uint8Array(HASH_BYTES);
    leafHash.set(this.#bytes.subarray(record + HASH_AT, record + HASH_AT + HASH_BYTES));
    const signatures = this.#view.getUint8(record + SIGNATURES_AT);
    if (signatures === NOT_AN_ENVELOPE) return { leafHash, signers: undefined, signatures: 0 };
    const signers: number[] = [];
    const end = record + POSITIONS_AT + 2 * this.#view.getUint8(record + SIGNERS_AT);
    for (let at = record + POSITIONS_AT; at < end; at += 2) signers.push(this.#view.getUint16(at));
    return { leafHash, signers, signatures };
  }
}

function recordAt(position: number): number {
  return HEADER_BYTES + RECORD_BYTES * position;
}
