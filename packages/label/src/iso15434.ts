// SPDX-License-Identifier: Apache-2.0
/** ISO/IEC 15434 messages in format 06: fields with ASC MH10.8.2 data identifiers. */
import { refuseLabel } from './error.ts';

const RECORD_SEPARATOR = '\u001e';
const GROUP_SEPARATOR = '\u001d';
const END_OF_TRANSMISSION = '\u0004';
/** Message header and the header of the one format envelope a label has (ISO/IEC 15434, 5.1 to 5.3). */
export const MESSAGE_HEADER = `[)>${RECORD_SEPARATOR}`;
const FORMAT_HEADER = `06${GROUP_SEPARATOR}`;
const TRAILER = `${RECORD_SEPARATOR}${END_OF_TRANSMISSION}`;
const MAX_FIELDS = 16;
const FIELD = /^([0-9]{0,3}[A-Z])([!-~]{1,50})$/;

/** Data identifiers a unit's label uses. */
const IDENTIFIERS = {
  P: 'customer part number',
  '1P': 'supplier part number',
  '30P': 'part number',
  S: 'serial number',
  '25S': 'unique item identifier',
  '1T': 'lot',
  Q: 'quantity',
  '10D': 'date code',
  '4L': 'country of origin',
  Z: 'mark of the label',
} as const;

export type DataIdentifier = keyof typeof IDENTIFIERS;

export interface Field {
  readonly identifier: DataIdentifier;
  readonly value: string;
}

/**
 * Reads a message of one envelope in format 06. Throws LB-103 when headers, separators or trailer are not as the standard
 * says – a scanner that swallows control characters leaves such text –, LB-104 for an unknown identifier, LB-105 for one
 * that comes twice.
 */
export function parseMessage(message: string): readonly Field[] {
  const head = MESSAGE_HEADER + FORMAT_HEADER;
  if (!message.startsWith(head) || !message.endsWith(TRAILER)) {
    throw refuseLabel('LB-103', 'the message has not the header and trailer of one envelope in format 06');
  }
  const parts = message.slice(head.length, -TRAILER.length).split(GROUP_SEPARATOR);
  if (parts.length > MAX_FIELDS) throw refuseLabel('LB-104', `more than ${MAX_FIELDS} fields`);
  return requireUnique(parts.map(parseField));
}

/** The message of valid fields. Throws LB-107 for a value that no field can hold. */
export function formatMessage(fields: readonly Field[]): string {
  for (const { identifier, value } of requireUnique(fields)) {
    if (!FIELD.test(identifier + value)) {
      throw refuseLabel('LB-107', `the ${IDENTIFIERS[identifier]} cannot stand in a field`);
    }
  }
  const body = fields.map(({ identifier, value }) => identifier + value).join(GROUP_SEPARATOR);
  return `${MESSAGE_HEADER}${FORMAT_HEADER}${body}${TRAILER}`;
}

function parseField(part: string, index: number): Field {
  const match = FIELD.exec(part);
  if (match === null) throw refuseLabel('LB-103', `field ${index + 1} is empty, too long or holds control characters`);
  const [, identifier = '', value = ''] = match;
  if (!isIdentifier(identifier)) throw refuseLabel('LB-104', `field ${index + 1} has an unknown data identifier`);
  return { identifier, value };
}

function isIdentifier(text: string): text is DataIdentifier {
  return Object.hasOwn(IDENTIFIERS, text);
}

function requireUnique(fields: readonly Field[]): readonly Field[] {
  if (new Set(fields.map(({ identifier }) => identifier)).size === fields.length) return fields;
  throw refuseLabel('LB-105', 'one field stands there twice');
}
