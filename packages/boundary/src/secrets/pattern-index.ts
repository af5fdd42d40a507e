// SPDX-License-Identifier: Apache-2.0
/**
 * Finds many byte patterns in one pass: the first four bytes at each place are looked up in a filter of bits, and only what
 * passes is compared. Thousands of patterns cost as much as one.
 */
const KEY_BYTES = 4;
const FILTER_BITS = 20;
const GOLDEN_RATIO = 0x9e3779b1;

interface Pattern<Owner> {
  readonly owner: Owner;
  /** At least four bytes. */
  readonly bytes: Buffer;
}

export class PatternIndex<Owner> {
  readonly #filter = new Uint8Array(2 ** FILTER_BITS / 8);
  readonly #byKey = new Map<number, Pattern<Owner>[]>();

  /** Throws `TypeError` for a pattern that is too short. */
  constructor(patterns: readonly Pattern<Owner>[]) {
    for (const pattern of patterns) {
      if (pattern.bytes.length < KEY_BYTES) throw new TypeError(`a pattern has at least ${KEY_BYTES} bytes`);
      const key = pattern.bytes.readUInt32BE(0);
      const bit = filterBit(key);
      this.#filter[bit >> 3] = (this.#filter[bit >> 3] as number) | (1 << (bit & 7));
      this.#byKey.set(key, [...(this.#byKey.get(key) ?? []), pattern]);
    }
  }

  /** Adds the owner of every pattern that is in the content. */
  collect(content: Buffer, found: Set<Owner>): void {
    if (this.#byKey.size === 0) return;
    let key = 0;
    for (let end = 0; end < content.length; end += 1) {
      key = ((key << 8) | (content[end] as number)) >>> 0;
      const bit = filterBit(key);
      if (((this.#filter[bit >> 3] as number) & (1 << (bit & 7))) === 0 || end < KEY_BYTES - 1) continue;
      const at = end - KEY_BYTES + 1;
      for (const { owner, bytes } of this.#byKey.get(key) ?? []) {
        if (content.compare(bytes, 0, bytes.length, at, Math.min(at + bytes.length, content.length)) === 0)
          found.add(owner);
      }
    }
  }
}

function filterBit(key: number): number {
  return Math.imul(key, GOLDEN_RATIO) >>> (32 - FILTER_BITS);
}
