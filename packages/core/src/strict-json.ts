// SPDX-License-Identifier: Apache-2.0
/**
 * JSON (RFC 8259, restricted as I-JSON, RFC 7493) for input nobody vouches for. `JSON.parse` keeps the last of two equal
 * keys, takes lone surrogates, 1e400 and 2^53+1; this reader refuses them, and bounds bytes, depth and the number of values.
 */
import { decodeUtf8, encodeUtf8, type Bytes } from './bytes.ts';
import { CoreError, type CoreErrorCode } from './error.ts';
import { isAgreedNumber, isPlainJson } from './json-scan.ts';

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };

export interface JsonLimits {
  readonly maxBytes: number;
  /** Nesting of arrays and objects; a scalar has depth 0. */
  readonly maxDepth: number;
  /** Values in all, containers included. */
  readonly maxValues: number;
}

/** Fits a log entry (64 KiB) with room for its base64. */
export const DEFAULT_JSON_LIMITS: JsonLimits = { maxBytes: 256 * 1024, maxDepth: 32, maxValues: 20_000 };

/** Keys that would reach an object's prototype in careless code further in. */
const FORBIDDEN_KEYS = new Set(['__proto__', 'constructor', 'prototype']);
/** Most keys are shorter, and need not be looked up. */
const SHORTEST_FORBIDDEN_KEY = '__proto__'.length;

/** Reads exactly one JSON value. Throws a `CoreError` with an `ERR_JSON_*` or `ERR_CORE_UTF8` code. */
export function parseStrictJson(bytes: Bytes, limits: JsonLimits = DEFAULT_JSON_LIMITS): JsonValue {
  if (bytes.length > limits.maxBytes) {
    throw new CoreError('ERR_JSON_TOO_LARGE', `${bytes.length} bytes of JSON, at most ${limits.maxBytes} are read`);
  }
  const text = decodeUtf8(bytes);
  // Nearly all that is read holds nothing a lenient parser would take; the native one is twice as fast.
  if (isPlainJson(text, limits)) {
    try {
      return JSON.parse(text) as JsonValue;
    } catch {
      // It is no JSON: the reader says what is wrong with it.
    }
  }
  return readStrictly(text, limits);
}

/** The reader itself: every text it takes, and the code of every one it refuses. */
export function readStrictly(text: string, limits: JsonLimits): JsonValue {
  return new Reader(text, limits).readDocument();
}

/** Compact JSON, keys in insertion order. Throws `TypeError` for values JSON cannot carry. */
export function formatJson(value: unknown): Bytes {
  const text = JSON.stringify(value) as string | undefined;
  if (text === undefined) throw new TypeError('the value has no JSON form');
  return encodeUtf8(text);
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const LETTER_F = 0x66;
const LETTER_N = 0x6e;
const LETTER_T = 0x74;
const SPACE = 0x20;
const TAB = 0x09;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
/** What stands in a string for itself. On long base64 a regular expression is six times as fast as a loop, on names slower. */
const PLAIN_CHARACTERS = /[^\u0000-\u001f"\\]*/y;
const LONG_STRING = 16;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;

class Reader {
  readonly #text: string;
  readonly #limits: JsonLimits;
  #at = 0;
  #values = 0;

  constructor(text: string, limits: JsonLimits) {
    this.#text = text;
    this.#limits = limits;
  }

  readDocument(): JsonValue {
    this.#peek();
    const value = this.#readValue(0);
    this.#peek();
    if (this.#at < this.#text.length) throw this.#error('ERR_JSON_SYNTAX', 'more text after the value');
    return value;
  }

  /** Begins at the first character of a value. */
  #readValue(depth: number): JsonValue {
    this.#values += 1;
    if (this.#values > this.#limits.maxValues) {
      throw this.#error('ERR_JSON_TOO_MANY_VALUES', `more than ${this.#limits.maxValues} values`);
    }
    switch (this.#text.charCodeAt(this.#at)) {
      case QUOTE:
        return this.#readString();
      case OPEN_BRACE:
        return this.#readObject(depth + 1);
      case OPEN_BRACKET:
        return this.#readArray(depth + 1);
      case LETTER_T:
        return this.#readWord('true', true);
      case LETTER_F:
        return this.#readWord('false', false);
      case LETTER_N:
        return this.#readWord('null', null);
      default:
        return this.#readNumber();
    }
  }

  #readObject(depth: number): JsonValue {
    this.#enter(depth);
    const object: Record<string, JsonValue> = {};
    let code = this.#peek();
    if (code === CLOSE_BRACE) {
      this.#at += 1;
      return object;
    }
    for (;;) {
      if (code !== QUOTE) throw this.#error('ERR_JSON_SYNTAX', 'an object key must be a string');
      const key = this.#readString();
      if (key.length >= SHORTEST_FORBIDDEN_KEY && FORBIDDEN_KEYS.has(key))
        throw this.#error('ERR_JSON_FORBIDDEN_KEY', `the key ${key} is not allowed`);
      if (Object.hasOwn(object, key)) throw this.#error('ERR_JSON_DUPLICATE_KEY', 'an object has one key twice');
      if (this.#peek() !== COLON) throw this.#error('ERR_JSON_SYNTAX', 'a colon is missing after a key');
      this.#at += 1;
      this.#peek();
      object[key] = this.#readValue(depth);
      code = this.#peek();
      if (code !== COMMA) break;
      this.#at += 1;
      code = this.#peek();
    }
    if (code !== CLOSE_BRACE) throw this.#error('ERR_JSON_SYNTAX', 'an object is not closed');
    this.#at += 1;
    return object;
  }

  #readArray(depth: number): JsonValue {
    this.#enter(depth);
    const array: JsonValue[] = [];
    let code = this.#peek();
    if (code === CLOSE_BRACKET) {
      this.#at += 1;
      return array;
    }
    for (;;) {
      array.push(this.#readValue(depth));
      code = this.#peek();
      if (code !== COMMA) break;
      this.#at += 1;
      this.#peek();
    }
    if (code !== CLOSE_BRACKET) throw this.#error('ERR_JSON_SYNTAX', 'an array is not closed');
    this.#at += 1;
    return array;
  }

  #enter(depth: number): void {
    if (depth > this.#limits.maxDepth) {
      throw this.#error('ERR_JSON_TOO_DEEP', `nested more than ${this.#limits.maxDepth} deep`);
    }
    this.#at += 1;
  }

  #readString(): string {
    const text = this.#text;
    const start = this.#at + 1;
    let at = start;
    for (;;) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) break;
      if (code === BACKSLASH) return this.#readEscapedString();
      // Not a number at the end of the text.
      if (!(code >= 0x20)) throw this.#unclosedString();
      at += 1;
      if (at - start === LONG_STRING) at = skipPlainCharacters(text, at);
    }
    this.#at = at + 1;
    return text.slice(start, at);
  }

  /** JSON.parse reads one string exactly as RFC 8259 wants it; only an escape can make a lone surrogate. */
  #readEscapedString(): string {
    const start = this.#at;
    let end = start;
    do {
      end = this.#text.indexOf('"', end + 1);
      if (end < 0) throw this.#unclosedString();
    } while (isEscaped(this.#text, end));
    this.#at = end + 1;
    let value: string;
    try {
      value = JSON.parse(this.#text.slice(start, this.#at)) as string;
    } catch {
      throw this.#error('ERR_JSON_SYNTAX', 'a string holds an unknown escape or a control character');
    }
    if (!value.isWellFormed()) throw this.#error('ERR_JSON_SURROGATE', 'a string holds a lone surrogate');
    return value;
  }

  #unclosedString(): CoreError {
    return this.#error('ERR_JSON_SYNTAX', 'a string is not closed or holds a control character');
  }

  #readNumber(): number {
    NUMBER.lastIndex = this.#at;
    const match = NUMBER.exec(this.#text);
    if (match === null) throw this.#error('ERR_JSON_SYNTAX', 'a value is missing');
    const text = match[0];
    if (!isAgreedNumber(text)) {
      throw this.#error('ERR_JSON_NUMBER', 'a number is out of the range that every reader agrees on');
    }
    this.#at += text.length;
    return Number(text);
  }

  #readWord<T extends boolean | null>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) throw this.#error('ERR_JSON_SYNTAX', 'a value is missing');
    this.#at += word.length;
    return value;
  }

  /** Skips white space and looks at the next character; not a number at the end of the text. */
  #peek(): number {
    const text = this.#text;
    for (;;) {
      const code = text.charCodeAt(this.#at);
      if (code !== SPACE && code !== LINE_FEED && code !== CARRIAGE_RETURN && code !== TAB) return code;
      this.#at += 1;
    }
  }

  #error(code: CoreErrorCode, what: string): CoreError {
    return new CoreError(code, `${what} (character ${this.#at})`);
  }
}

function skipPlainCharacters(text: string, from: number): number {
  PLAIN_CHARACTERS.lastIndex = from;
  PLAIN_CHARACTERS.test(text);
  return PLAIN_CHARACTERS.lastIndex;
}

/** Whether an odd number of backslashes stands before a quotation mark. */
function isEscaped(text: string, at: number): boolean {
  let before = at;
  while (text.charCodeAt(before - 1) === BACKSLASH) before -= 1;
  return (at - before) % 2 === 1;
}
