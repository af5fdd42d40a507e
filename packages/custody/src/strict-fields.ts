// SPDX-License-Identifier: Apache-2.0
/** Reads the members of a JSON object one by one, and refuses what is missing, of another shape, or left over. */
import { decodeBase64, encodeBase64, parseInstant, type Bytes, type JsonValue } from '@witnessmark/core';

const PRINTABLE = /^[^\p{C}\p{Zl}\p{Zp}]*$/u;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const SHA256_HEX = /^[0-9a-f]{64}$/;
/** Of a name or a sentence. */
const MAX_TEXT_LENGTH = 1_000;

export class Fields {
  readonly #where: string;
  readonly #refuse: (detail: string) => Error;
  readonly #members: Map<string, JsonValue>;

  constructor(value: JsonValue, where: string, refuse: (detail: string) => Error) {
    this.#where = where;
    this.#refuse = refuse;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw refuse(`${where} is not an object`);
    this.#members = new Map(Object.entries(value));
  }

  /** A printable line of 1 to `max` characters. */
  text(name: string, max = MAX_TEXT_LENGTH): string {
    const value = this.#take(name);
    const isText = typeof value === 'string' && value.length > 0 && value.length <= max && PRINTABLE.test(value);
    if (!isText) throw this.#wrong(name, `a printable text of 1 to ${max} characters`);
    return value;
  }

  matching(name: string, pattern: RegExp, what: string): string {
    const value = this.#take(name);
    if (typeof value !== 'string' || !pattern.test(value)) throw this.#wrong(name, what);
    return value;
  }

  uuid(name: string): string {
    return this.matching(name, UUID, 'a UUID');
  }

  sha256(name: string): string {
    return this.matching(name, SHA256_HEX, 'a SHA-256 in hexadecimal');
  }

  instant(name: string): string {
    const value = this.text(name, 32);
    try {
      parseInstant(value);
    } catch {
      throw this.#wrong(name, 'an RFC 3339 time in UTC');
    }
    return value;
  }

  oneOf<T extends string>(name: string, values: readonly T[]): T {
    const value = this.#take(name);
    const found = values.find((candidate) => candidate === value);
    if (found === undefined) throw this.#wrong(name, `one of ${values.join(', ')}`);
    return found;
  }

  counter(name: string): number {
    const value = this.#take(name);
    if (!Number.isSafeInteger(value) || (value as number) < 0) throw this.#wrong(name, 'a whole number');
    return value as number;
  }

  flag(name: string): boolean {
    const value = this.#take(name);
    if (typeof value !== 'boolean') throw this.#wrong(name, 'true or false');
    return value;
  }

  /** Canonical base64 of at most `maxBytes`. */
  bytes(name: string, maxBytes: number): Bytes {
    const value = this.#take(name);
    try {
      const bytes = decodeBase64(value as string);
      if (bytes.length <= maxBytes && encodeBase64(bytes) === value) return bytes;
    } catch {
      // Falls through to the refusal.
    }
    throw this.#wrong(name, `base64 of at most ${maxBytes} bytes`);
  }

  array(name: string, max: number): readonly JsonValue[] {
    const value = this.#take(name);
    if (!Array.isArray(value) || value.length > max) throw this.#wrong(name, `an array of at most ${max}`);
    return value as readonly JsonValue[];
  }

  /** As `array`, for a member that may be left out, but not be empty then. */
  optionalArray(name: string, max: number): readonly JsonValue[] {
    if (!this.#members.has(name)) return [];
    const value = this.array(name, max);
    if (value.length === 0) throw this.#wrong(name, 'left out when it is empty');
    return value;
  }

  object(name: string): Fields {
    return new Fields(this.#take(name), `${this.#where}.${name}`, this.#refuse);
  }

  /** The member, or null when it is null. */
  nullable<T>(name: string, read: (fields: Fields) => T): T | null {
    if (this.#members.get(name) !== null) return read(this);
    this.#members.delete(name);
    return null;
  }

  /** Refuses members nobody asked for. */
  end(): void {
    const [name] = this.#members.keys();
    if (name !== undefined) throw this.#refuse(`${this.#where} has a member that is not known`);
  }

  #take(name: string): JsonValue {
    const value = this.#members.get(name);
    this.#members.delete(name);
    if (value === undefined) throw this.#refuse(`${this.#where}.${name} is missing`);
    return value;
  }

  #wrong(name: string, expected: string): Error {
    return this.#refuse(`${this.#where}.${name} must be ${expected}`);
  }
}
