// SPDX-License-Identifier: Apache-2.0
/** Structures of a TPM: big-endian numbers, and bytes with a length of two bytes before them (Part 1, section 6). */
import type { Bytes } from '@witnessmark/core';
import { EnrolmentError } from '../error.ts';

/** Every method throws `ERR_ENROLMENT_FORMAT` when the bytes end early or say something else. */
export class BigEndianReader {
  readonly #bytes: Bytes;
  #at = 0;

  constructor(bytes: Bytes) {
    this.#bytes = bytes;
  }

  take(length: number): Bytes {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw malformed('an end before its end');
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }

  read8(): number {
    return this.take(1)[0] as number;
  }

  read16(): number {
    return Number(this.#number(2));
  }

  read32(): number {
    return Number(this.#number(4));
  }

  read64(): bigint {
    return this.#number(8);
  }

  /** TPM2B: the length first. */
  sized(maxLength: number): Bytes {
    const length = this.read16();
    if (length > maxLength) throw malformed(`a part of ${length} bytes, at most ${maxLength} are read`);
    return this.take(length);
  }

  expect16(value: number, what: string): void {
    if (this.read16() !== value) throw malformed(`something other than ${what}`);
  }

  expect32(value: number, what: string): void {
    if (this.read32() !== value) throw malformed(`something other than ${what}`);
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw malformed('bytes after its end');
  }

  #number(length: number): bigint {
    return this.take(length).reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
  }
}

function malformed(what: string): EnrolmentError {
  return new EnrolmentError('ERR_ENROLMENT_FORMAT', `the structure of the TPM holds ${what}`);
}
