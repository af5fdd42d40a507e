// SPDX-License-Identifier: Apache-2.0
/** GS1 element strings: application identifiers and their values (GS1 General Specifications, sections 3 and 7.8). */
import { refuseLabel } from './error.ts';

/** FNC1 between elements, as a scanner transmits it. */
export const GROUP_SEPARATOR = '\u001d';
/** The GS1 AI encodable character set 82 (section 7.11). */
const CHARACTER_SET_82 = /^[!"%&'()*+,\-./0-9:;<=>?A-Z_a-z]+$/;
const DIGITS = /^[0-9]+$/;
const MAX_ELEMENTS = 16;

interface Definition {
  readonly title: string;
  /** `n`: digits only. */
  readonly characters: 'n' | 'x';
  readonly minLength: number;
  readonly maxLength: number;
  /** Ends by its length, without a separator (section 7.8.5, figure 7.8.5-2). */
  readonly isPredefined?: true;
  readonly check?: (value: string) => boolean;
}

const GTIN_LENGTH = 14;

/** The identifiers that labels of products use; a label with another one is not a label of a unit. */
const DEFINITIONS: Readonly<Record<string, Definition>> = {
  '01': fixed('GTIN', GTIN_LENGTH, hasCheckDigit),
  '10': text('BATCH/LOT', 20),
  '11': fixed('PROD DATE', 6, isDate),
  '20': fixed('VARIANT', 2),
  '21': text('SERIAL', 20),
  '22': text('CPV', 20),
  '240': text('ADDITIONAL ID', 30),
  '241': text('CUST. PART No.', 30),
  '250': text('SECONDARY SERIAL', 30),
  '400': text('ORDER NUMBER', 30),
  '8004': text('GIAI', 30),
};

export interface Element {
  readonly ai: string;
  readonly value: string;
}

/**
 * Reads an element string without its leading FNC1, which scanners turn into the symbology identifier. Throws LB-102 for
 * a wrong check digit, LB-103 for separators that are missing or misplaced, LB-104 for an identifier or value that is
 * not one, LB-105 for an identifier that comes twice, or a serial that says of nothing (section 4.13: 21 needs 01).
 */
export function parseElementString(elementString: string): readonly Element[] {
  const elements: Element[] = [];
  let rest = elementString;
  while (rest !== '') {
    if (elements.length === MAX_ELEMENTS) throw refuseLabel('LB-104', `more than ${MAX_ELEMENTS} fields`);
    const ai = Object.keys(DEFINITIONS).find((candidate) => rest.startsWith(candidate));
    if (ai === undefined) throw refuseLabel('LB-104', `field ${elements.length + 1} has an unknown identifier`);
    const { value, after } = takeValue(ai, rest.slice(ai.length));
    elements.push({ ai, value });
    rest = after;
  }
  checkElements(elements);
  return elements;
}

/** The element string of valid elements, separators where they are needed. Throws as {@link parseElementString} does. */
export function formatElementString(elements: readonly Element[]): string {
  for (const { ai, value } of elements) checkValue(ai, definitionOf(ai), value);
  checkElements(elements);
  return elements
    .map(({ ai, value }, index) => {
      const isLast = index === elements.length - 1;
      return ai + value + (isLast || definitionOf(ai).isPredefined === true ? '' : GROUP_SEPARATOR);
    })
    .join('');
}

/** With identifiers in brackets, as printed below a symbol: `(01)04012345678901(21)7Q3K`. */
export function formatHumanReadable(elements: readonly Element[]): string {
  return elements.map(({ ai, value }) => `(${ai})${value}`).join('');
}

/** The last digit of a GS1 number: modulo 10, weights 3 and 1 from the right (section 7.9.1). */
export function hasCheckDigit(digits: string): boolean {
  const sum = Array.from(digits)
    .reverse()
    .reduce((total, digit, index) => total + Number(digit) * (index % 2 === 0 ? 1 : 3), 0);
  return sum % 10 === 0;
}

function takeValue(ai: string, rest: string): { readonly value: string; readonly after: string } {
  const definition = definitionOf(ai);
  const separator = rest.indexOf(GROUP_SEPARATOR);
  const end = separator === -1 ? rest.length : separator;
  const length = definition.isPredefined === true ? definition.maxLength : end;
  if (length > end) throw refuseLabel('LB-103', `${definition.title} ends after ${end} of ${length} characters`);
  const value = rest.slice(0, length);
  checkValue(ai, definition, value);
  // A separator after a field of fixed length is superfluous, and allowed.
  const after = rest.slice(length === separator ? length + 1 : length);
  if (length === separator && after === '') throw refuseLabel('LB-103', 'the text ends in a separator');
  return { value, after };
}

function checkValue(ai: string, { title, characters, minLength, maxLength, check }: Definition, value: string): void {
  if (value.length > maxLength) {
    const detail = `${title} has ${value.length} characters, at most ${maxLength} are allowed`;
    throw refuseLabel('LB-103', `${detail}: a separator may be missing`);
  }
  if (value.length < minLength) throw refuseLabel('LB-103', `${title} is too short`);
  const alphabet = characters === 'n' ? DIGITS : CHARACTER_SET_82;
  if (!alphabet.test(value)) throw refuseLabel('LB-104', `${title} holds a character that it cannot have`);
  if (check?.(value) === false) {
    throw refuseLabel(ai === '01' ? 'LB-102' : 'LB-104', `${title} is not a valid one`);
  }
}

function checkElements(elements: readonly Element[]): void {
  const seen = new Set(elements.map(({ ai }) => ai));
  if (seen.size < elements.length) throw refuseLabel('LB-105', 'one field stands there twice');
  if (seen.has('21') && !seen.has('01')) throw refuseLabel('LB-105', 'a serial without the GTIN it belongs to');
}

function definitionOf(ai: string): Definition {
  const definition = Object.hasOwn(DEFINITIONS, ai) ? DEFINITIONS[ai] : undefined;
  if (definition === undefined) throw refuseLabel('LB-104', 'an unknown application identifier');
  return definition;
}

/** YYMMDD; day 00 means no day (section 3.4.2). */
function isDate(value: string): boolean {
  const month = Number(value.slice(2, 4));
  const day = Number(value.slice(4, 6));
  return month >= 1 && month <= 12 && day <= 31;
}

function fixed(title: string, length: number, check?: Definition['check']): Definition {
  const range = { minLength: length, maxLength: length };
  return { title, characters: 'n', ...range, isPredefined: true, ...(check && { check }) };
}

function text(title: string, maxLength: number): Definition {
  return { title, characters: 'x', minLength: 1, maxLength };
}
