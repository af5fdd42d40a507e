// SPDX-License-Identifier: Apache-2.0
/**
 * What a scanner read, taken apart strictly (spec/label.md). Characters are never repaired: leading zeros stay, letter
 * case stays, and text in which a scanner left something out is refused, not guessed.
 */
import { refuseLabel } from './error.ts';
import { GROUP_SEPARATOR, parseElementString, type Element } from './gs1.ts';
import { MESSAGE_HEADER, parseMessage, type DataIdentifier, type Field } from './iso15434.ts';
import { requireFormat, splitSymbology, type DataFormat, type Symbology } from './symbology.ts';
import { parseLabelMark, type LabelMark } from './unit-mark.ts';

/** Longer text does not fit on a label of a unit. */
export const MAX_SCAN_LENGTH = 256;
const MAX_PLAIN_LENGTH = 64;
const PLAIN = /^[!-~]+$/;

export interface Scan {
  /** As it came, the symbology identifier included. */
  readonly raw: string;
  /** The two characters after `]` (ISO/IEC 15424); null when the scanner sends none. */
  readonly symbology: Symbology | null;
  readonly format: DataFormat;
  /** The serial as printed for people; its grammar is the product's business. */
  readonly printedSerial: string;
  readonly partNumber: string | null;
  readonly gtin: string | null;
  readonly lot: string | null;
  /** Which device, record and copy it names; only labels that were printed from a record do. */
  readonly mark: LabelMark | null;
}

/**
 * Reads one scan. Throws LB-101 for text of no known form, LB-102 to LB-104 for fields that are damaged or unknown,
 * LB-105 when it names no single serial, LB-106 when bar code and text do not go together.
 */
export function parseScan(raw: string): Scan {
  if (raw.length === 0 || raw.length > MAX_SCAN_LENGTH) {
    throw refuseLabel('LB-101', `a label has 1 to ${MAX_SCAN_LENGTH} characters, the scan has ${raw.length}`);
  }
  const { symbology, text } = splitSymbology(raw);
  const format = findFormat(symbology, text);
  requireFormat(symbology, format);
  return { raw, symbology, format, ...READERS[format](text) };
}

type Content = Omit<Scan, 'raw' | 'symbology' | 'format'>;

const READERS: Readonly<Record<DataFormat, (text: string) => Content>> = {
  gs1: (text) => toGs1Content(parseElementString(text)),
  iso15434: (text) => toMessageContent(parseMessage(text)),
  plain: toPlainContent,
};

/** GS1 text is known by its symbology, or by a separator: digits alone may be anybody's serial. */
function findFormat(symbology: Symbology | null, text: string): DataFormat {
  if (text.startsWith(MESSAGE_HEADER.slice(0, -1))) return 'iso15434';
  if (symbology === 'C1' || symbology === 'd2' || symbology === 'Q3') return 'gs1';
  return text.includes(GROUP_SEPARATOR) ? 'gs1' : 'plain';
}

/** The serial of a unit is that of element 21, after the part number of element 240 when there is one. */
function toGs1Content(elements: readonly Element[]): Content {
  const valueOf = (ai: string): string | null => elements.find((element) => element.ai === ai)?.value ?? null;
  const serial = requireSerial(valueOf('21'));
  const partNumber = valueOf('240');
  return {
    printedSerial: partNumber === null ? serial : `${partNumber}-${serial}`,
    partNumber,
    gtin: valueOf('01'),
    lot: valueOf('10'),
    mark: null,
  };
}

function toMessageContent(fields: readonly Field[]): Content {
  const valueOf = (name: DataIdentifier): string | null =>
    fields.find(({ identifier }) => identifier === name)?.value ?? null;
  const mark = valueOf('Z');
  return {
    printedSerial: requireSerial(valueOf('S')),
    partNumber: valueOf('1P') ?? valueOf('30P') ?? valueOf('P'),
    gtin: null,
    lot: valueOf('1T'),
    mark: mark === null ? null : parseLabelMark(mark),
  };
}

function toPlainContent(text: string): Content {
  if (text.length > MAX_PLAIN_LENGTH || !PLAIN.test(text)) {
    throw refuseLabel('LB-101', `a plain serial has 1 to ${MAX_PLAIN_LENGTH} printable characters and no space`);
  }
  return { printedSerial: text, partNumber: null, gtin: null, lot: null, mark: null };
}

function requireSerial(serial: string | null): string {
  if (serial === null) throw refuseLabel('LB-105', 'the label carries no serial');
  return serial;
}
