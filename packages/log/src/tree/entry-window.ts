// SPDX-License-Identifier: Apache-2.0
/**
 * Entries whose tiles are not durable yet, as the groups they were committed in. A group is stored in the format of an
 * entry bundle (https://c2sp.org/tlog-tiles), so that bundles are cut from groups without copying.
 */
import type { Bytes } from '@witnessmark/core';
import { formatEntryBundle, parseEntryBundle } from '@witnessmark/tlog';

const LENGTH_BYTES = 2;

export class EntryGroup {
  readonly firstIndex: number;
  /** All entries as they are stored. */
  readonly bytes: Bytes;
  /** Where each entry's length stands, and the end. Numbers, for thousands of views would keep the collector busy. */
  readonly #offsets: Uint32Array;

  private constructor(firstIndex: number, bytes: Bytes, entries: readonly Bytes[]) {
    this.firstIndex = firstIndex;
    this.bytes = bytes;
    this.#offsets = new Uint32Array(entries.length + 1);
    let at = 0;
    for (const [position, entry] of entries.entries()) {
      this.#offsets[position] = at;
      at += LENGTH_BYTES + entry.length;
    }
    this.#offsets[entries.length] = at;
  }

  static from(firstIndex: number, entries: readonly Bytes[]): EntryGroup {
    return new EntryGroup(firstIndex, formatEntryBundle(entries), entries);
  }

  /** Reads stored bytes; throws `ERR_TLOG_ENTRY_BUNDLE` unless they hold exactly `count` entries. */
  static parse(firstIndex: number, bytes: Bytes, count: number): EntryGroup {
    return new EntryGroup(firstIndex, bytes, parseEntryBundle(bytes, count));
  }

  get count(): number {
    return this.#offsets.length - 1;
  }

  get endIndex(): number {
    return this.firstIndex + this.count;
  }

  /** An entry of the group, as a view. */
  entry(index: number): Bytes {
    const position = index - this.firstIndex;
    return this.bytes.subarray((this.#offsets[position] as number) + LENGTH_BYTES, this.#offsets[position + 1]);
  }

  /** The entries from `from` on, as views. */
  entriesFrom(from: number): Bytes[] {
    return Array.from({ length: this.endIndex - from }, (_, position) => this.entry(from + position));
  }

  /** The stored form of the entries from `from` up to `to`, as a view. */
  slice(from: number, to: number): Bytes {
    return this.bytes.subarray(this.#offsets[from - this.firstIndex], this.#offsets[to - this.firstIndex]);
  }
}

export class EntryWindow {
  #groups: EntryGroup[] = [];
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  append(group: EntryGroup): void {
    this.#groups.push(group);
    this.#bytes += group.bytes.length;
  }

  /** Forgets groups that end at or before `index`. */
  prune(index: number): void {
    this.#groups = this.#groups.filter((group) => group.endIndex > index);
    this.#bytes = this.#groups.reduce((sum, group) => sum + group.bytes.length, 0);
  }

  /** The entry, or undefined when the window does not hold it. */
  entry(index: number): Bytes | undefined {
    return this.#groups.find(({ firstIndex, endIndex }) => index >= firstIndex && index < endIndex)?.entry(index);
  }

  /** The stored form of the entries from `from` up to `to`, in parts that follow each other. */
  slice(from: number, to: number): readonly Bytes[] {
    const parts: Bytes[] = [];
    for (const group of this.#groups) {
      const start = Math.max(from, group.firstIndex);
      const end = Math.min(to, group.endIndex);
      if (start < end) parts.push(group.slice(start, end));
    }
    return parts;
  }
}
