// SPDX-License-Identifier: Apache-2.0
/**
 * A SHA-256 as people carry it on paper (spec/station-enrolment.md): thirteen groups of four symbols and one check symbol.
 * The check is a sum over GF(32) whose weights differ from place to place and from group to group, so that one wrong
 * symbol, two swapped ones and two swapped groups are found, and the group is named. All of the digest is there: nothing
 * shorter is ever compared.
 */
import { decodeHex, encodeHex, type Bytes } from '@witnessmark/core';
import { EnrolmentError } from '../error.ts';

/** Crockford's base 32: no I, L, O and U, which are read as other symbols (https://www.crockford.com/base32.html). */
const SYMBOLS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const LOOKALIKES: Readonly<Record<string, string>> = { O: '0', I: '1', L: '1' };
const DIGEST_BYTES = 32;
/** 256 bits in symbols of five, the last four bits of which are zero. */
const GROUPS = 13;
const GROUP_SYMBOLS = 4;
const GROUPS_IN_LINE = 5;
/** x^5 + x^2 + 1, whose root generates GF(32). */
const POLYNOMIAL = 0b100101;
const MAX_TYPED_LENGTH = 256;

/** Three lines of at most five groups; `digest` is a SHA-256 in hexadecimal. */
export function formatPaperFingerprint(digest: string): readonly string[] {
  const groups = toGroups(decodeHex(digest));
  const lines: string[] = [];
  for (let at = 0; at < groups.length; at += GROUPS_IN_LINE) {
    lines.push(groups.slice(at, at + GROUPS_IN_LINE).join(' '));
  }
  return lines;
}

/**
 * The digest that was typed, in either case, with any blanks and dashes; 64 hexadecimal digits are read as well. Throws
 * `ERR_ENROLMENT_PAPER` naming the group that is wrong.
 */
export function parsePaperFingerprint(typed: string): string {
  if (typed.length > MAX_TYPED_LENGTH) throw wrong(`more than ${MAX_TYPED_LENGTH} characters`);
  const text = typed.replaceAll(/[\s-]/g, '').toUpperCase();
  if (/^[0-9A-F]{64}$/.test(text)) return text.toLowerCase();
  const length = GROUPS * (GROUP_SYMBOLS + 1);
  if (text.length !== length) throw wrong(`${text.length} symbols, expected ${length} in ${GROUPS} groups`);
  const values = Array.from(text, (symbol) => SYMBOLS.indexOf(LOOKALIKES[symbol] ?? symbol));
  const symbols: number[] = [];
  for (let group = 0; group < GROUPS; group += 1) {
    const at = group * (GROUP_SYMBOLS + 1);
    const data = values.slice(at, at + GROUP_SYMBOLS);
    const isRight = !data.includes(-1) && checkSymbol(data, group) === values[at + GROUP_SYMBOLS];
    if (!isRight) throw wrong(`an error in group ${group + 1}, "${text.slice(at, at + GROUP_SYMBOLS + 1)}"`);
    symbols.push(...data);
  }
  return encodeHex(fromSymbols(symbols));
}

function toGroups(bytes: Bytes): readonly string[] {
  if (bytes.length !== DIGEST_BYTES) throw new TypeError('a fingerprint on paper is a SHA-256');
  const symbols = toSymbols(bytes);
  return Array.from({ length: GROUPS }, (_, group) => {
    const data = symbols.slice(group * GROUP_SYMBOLS, (group + 1) * GROUP_SYMBOLS);
    return [...data, checkSymbol(data, group)].map((value) => SYMBOLS[value]).join('');
  });
}

/** Weights a, a^2, a^3, a^4, and a constant a^group: no two places and no two groups have the same. */
function checkSymbol(data: readonly number[], group: number): number {
  return data.reduce((sum, value, place) => sum ^ multiply(value, power(place + 1)), power(group));
}

function multiply(a: number, b: number): number {
  let product = 0;
  for (let bit = 4; bit >= 0; bit -= 1) {
    product <<= 1;
    if ((product & 0b100000) !== 0) product ^= POLYNOMIAL;
    if (((b >> bit) & 1) === 1) product ^= a;
  }
  return product;
}

function power(exponent: number): number {
  let value = 1;
  for (let count = 0; count < exponent; count += 1) value = multiply(value, 2);
  return value;
}

function toSymbols(bytes: Bytes): number[] {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const padded = bits.padEnd(GROUPS * GROUP_SYMBOLS * 5, '0');
  return Array.from({ length: GROUPS * GROUP_SYMBOLS }, (_, at) => parseInt(padded.slice(at * 5, at * 5 + 5), 2));
}

function fromSymbols(symbols: readonly number[]): Bytes {
  const bits = symbols.map((value) => value.toString(2).padStart(5, '0')).join('');
  // One digest has one spelling.
  if (bits.slice(DIGEST_BYTES * 8).includes('1')) throw wrong('an error in the last group');
  return Uint8Array.from({ length: DIGEST_BYTES }, (_, at) => parseInt(bits.slice(at * 8, at * 8 + 8), 2));
}

function wrong(what: string): EnrolmentError {
  return new EnrolmentError('ERR_ENROLMENT_PAPER', `the fingerprint has ${what}`);
}
