// SPDX-License-Identifier: Apache-2.0
/** The part of DER (ITU-T X.690 section 10) that a sealed image needs: elements of definite, minimal length, each read by the tag it must have. */
import { concatBytes, equalBytes, RefusedError, type Bytes } from '@witnessmark/core';

export const INTEGER = 0x02;
export const BIT_STRING = 0x03;
export const OCTET_STRING = 0x04;
export const SEQUENCE = 0x30;
export const SET = 0x31;

const CONSTRUCTED_CONTEXT = 0xa0;
const PRIMITIVE_CONTEXT = 0x80;
/** Lengths up to 4 GiB. */
const MAX_LENGTH_BYTES = 4;

/** `[number]`, constructed. */
export function context(number: number): number {
  return CONSTRUCTED_CONTEXT + number;
}

/** `[number]` in place of a primitive type's own tag. */
export function primitiveContext(number: number): number {
  return PRIMITIVE_CONTEXT + number;
}

export function encodeElement(tag: number, ...contents: readonly Bytes[]): Bytes {
  const length = contents.reduce((sum, { length: part }) => sum + part, 0);
  return concatBytes(encodeHeader(tag, length), ...contents);
}

/** Tag and length of an element whose content follows elsewhere. */
export function encodeHeader(tag: number, length: number): Bytes {
  if (length < 0x80) return Uint8Array.of(tag, length);
  const digits: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) digits.unshift(rest % 256);
  return Uint8Array.of(tag, 0x80 + digits.length, ...digits);
}

/** A SET OF, its elements in the order DER asks for. */
export function encodeSetOf(elements: readonly Bytes[]): Bytes {
  return encodeElement(SET, ...elements.toSorted((left, right) => Buffer.compare(left, right)));
}

/** Reads elements one after the other; throws BX-201 for whatever is not there as expected. */
export class DerReader {
  readonly #bytes: Bytes;
  #at = 0;

  constructor(bytes: Bytes) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** The content of the next element, which must have this tag. */
  content(tag: number): Bytes {
    const { start, end } = this.#next(tag);
    this.#at = end;
    return this.#bytes.subarray(start, end);
  }

  /** The next element with its tag and length. */
  element(tag: number): Bytes {
    const from = this.#at;
    const { end } = this.#next(tag);
    this.#at = end;
    return this.#bytes.subarray(from, end);
  }

  /** A reader of what is inside the next element. */
  inside(tag: number): DerReader {
    return new DerReader(this.content(tag));
  }

  /** Passes over these bytes and no others. */
  skip(expected: Bytes): void {
    const found = this.#bytes.subarray(this.#at, this.#at + expected.length);
    if (!equalBytes(found, expected)) throw malformed('it is not of the profile we write');
    this.#at += expected.length;
  }

  end(): void {
    if (!this.isAtEnd) throw malformed('there are bytes behind its end');
  }

  #next(tag: number): { readonly start: number; readonly end: number } {
    if (this.#bytes[this.#at] !== tag) throw malformed('an element is missing or another one');
    const { length, start } = this.#length(this.#at + 1);
    if (length > this.#bytes.length - start) throw malformed('it is cut off');
    return { start, end: start + length };
  }

  #length(at: number): { readonly length: number; readonly start: number } {
    const first = this.#bytes[at] ?? 0x80;
    if (first < 0x80) return { length: first, start: at + 1 };
    const size = first & 0x7f;
    const digits = this.#bytes.subarray(at + 1, at + 1 + size);
    if (size === 0 || size > MAX_LENGTH_BYTES || digits.length < size) throw malformed('a length is not definite');
    const length = digits.reduce((value, digit) => value * 256 + digit, 0);
    if (digits[0] === 0 || length < 0x80) throw malformed('a length is not minimal');
    return { length, start: at + 1 + size };
  }
}

export function malformed(what: string): RefusedError {
  return new RefusedError('BX-201', `the sealed image cannot be read: ${what}`);
}
