// SPDX-License-Identifier: Apache-2.0
/**
 * A glance over JSON text that `JSON.parse` will read: does it hold anything that only the strict reader may judge? This
 * knows tokens and not the grammar, builds nothing, and errs towards "yes".
 */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const MINUS = 0x2d;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const LETTER_F = 0x66;
const LETTER_N = 0x6e;
const LETTER_T = 0x74;
const LETTER_U = 0x75;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
/** Makes a letter lower-case. */
const CASE_BIT = 0x20;

/** What a number goes on with after its integer part. */
const NUMBER = /-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
/** The texts of zero without a minus sign. */
const ZERO = /^0(?:\.0+)?(?:[eE].*)?$/;
/** Every integer of so many digits is exact. */
const SAFE_DIGITS = 15;
/** In objects that are open at once; beyond, comparing each key with those before it would take longer than looking it up. */
const MAX_OPEN_KEYS = 256;
const MAX_KEYS_OF_OBJECT = 64;

// Written before they are read, within one call.
const keyHashes = new Int32Array(MAX_OPEN_KEYS);
/** For each open container: where its keys begin in `keyHashes`, -1 for an array. */
const frames: number[] = [];

/**
 * Whether `JSON.parse` and the strict reader see one value in this text, if it is JSON at all: within the limits, no two
 * keys of an object that could be equal, no forbidden key, no lone surrogate, no number that readers disagree on.
 */
export function isPlainJson(text: string, limits: { readonly maxDepth: number; readonly maxValues: number }): boolean {
  const { maxDepth, maxValues } = limits;
  let at = 0;
  let depth = 0;
  let values = 0;
  let keys = 0;
  let isKeyNext = false;
  let escapeAt = nextEscape(text, 0);
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === QUOTE && isKeyNext) {
      const start = at + 1;
      let hash = 0;
      for (at = start; ; at += 1) {
        const character = text.charCodeAt(at);
        if (character === QUOTE) break;
        // Not a number at the end of the text.
        if (character === BACKSLASH || !(character >= 0x20)) return false;
        hash = (Math.imul(hash, 31) + character) | 0;
      }
      const first = frames[depth - 1] as number;
      if (keys === MAX_OPEN_KEYS || keys - first === MAX_KEYS_OF_OBJECT || isForbidden(text, start, at)) return false;
      for (let index = first; index < keys; index += 1) if (keyHashes[index] === hash) return false;
      keyHashes[keys] = hash;
      keys += 1;
      at += 1;
      isKeyNext = false;
      continue;
    }
    switch (code) {
      case QUOTE: {
        let end = text.indexOf('"', at + 1);
        while (escapeAt < end) {
          if (isSurrogateEscape(text, escapeAt)) return false;
          const after = escapeAt + 2;
          if (end < after) end = text.indexOf('"', after);
          escapeAt = nextEscape(text, after);
        }
        if (end < 0) return false;
        at = end + 1;
        values += 1;
        break;
      }
      case OPEN_BRACE:
      case OPEN_BRACKET:
        isKeyNext = code === OPEN_BRACE;
        frames[depth] = isKeyNext ? keys : -1;
        depth += 1;
        if (depth > maxDepth) return false;
        at += 1;
        values += 1;
        break;
      case CLOSE_BRACE:
      case CLOSE_BRACKET: {
        if (depth === 0) return false;
        depth -= 1;
        const first = frames[depth] as number;
        if (first >= 0) keys = first;
        at += 1;
        isKeyNext = false;
        break;
      }
      case COMMA:
        isKeyNext = depth > 0 && (frames[depth - 1] as number) >= 0;
        at += 1;
        break;
      case LETTER_F:
        at += 5;
        values += 1;
        break;
      case LETTER_N:
      case LETTER_T:
        at += 4;
        values += 1;
        break;
      default:
        if (code !== MINUS && !(code >= DIGIT_0 && code <= DIGIT_9)) {
          // Space, a colon, or what JSON.parse refuses.
          at += 1;
          break;
        }
        at = endOfNumber(text, at);
        if (at < 0) return false;
        values += 1;
    }
    if (values > maxValues) return false;
  }
  return true;
}

function isForbidden(text: string, start: number, end: number): boolean {
  const length = end - start;
  if (length === '__proto__'.length) return text.startsWith('__proto__', start) || text.startsWith('prototype', start);
  return length === 'constructor'.length && text.startsWith('constructor', start);
}

function nextEscape(text: string, from: number): number {
  const at = text.indexOf('\\', from);
  return at < 0 ? Infinity : at;
}

/** `\ud800` to `\udfff`: alone or in pairs, that is for the reader to see. */
function isSurrogateEscape(text: string, at: number): boolean {
  return text.charCodeAt(at + 1) === LETTER_U && (text.charCodeAt(at + 2) | CASE_BIT) === 0x64;
}

/** -1 for a number that {@link isAgreedNumber} refuses. */
function endOfNumber(text: string, start: number): number {
  let at = start;
  let code = text.charCodeAt(at);
  while (code >= DIGIT_0 && code <= DIGIT_9) {
    at += 1;
    code = text.charCodeAt(at);
  }
  const isPlain = at > start && at - start <= SAFE_DIGITS && (code === COMMA || code === CLOSE_BRACE);
  if (isPlain) return at;
  NUMBER.lastIndex = start;
  const number = NUMBER.exec(text)?.[0];
  return number !== undefined && isAgreedNumber(number) ? start + number.length : -1;
}

/**
 * Whether every reader takes a JSON number for the same value: past 2^53 neighbours collapse, however they are written; -0
 * and what underflows to 0 are zeros only to some.
 */
export function isAgreedNumber(text: string): boolean {
  const value = Number(text);
  return Math.abs(value) <= Number.MAX_SAFE_INTEGER && (value !== 0 || ZERO.test(text));
}
