// SPDX-License-Identifier: Apache-2.0
/** AIM symbology identifiers (ISO/IEC 15424): what a scanner says about the bar code it read, before the text. */
import { refuseLabel } from './error.ts';

export type DataFormat = 'gs1' | 'iso15434' | 'plain';

/** The symbologies labels here use, and the forms of text each may carry. */
const SYMBOLOGIES = {
  C0: { name: 'Code 128', formats: ['plain'] },
  C1: { name: 'GS1-128', formats: ['gs1'] },
  d1: { name: 'Data Matrix', formats: ['iso15434', 'plain'] },
  d2: { name: 'GS1 DataMatrix', formats: ['gs1'] },
  Q1: { name: 'QR Code', formats: ['iso15434', 'plain'] },
  Q3: { name: 'GS1 QR Code', formats: ['gs1'] },
} as const satisfies Record<string, { name: string; formats: readonly DataFormat[] }>;

export type Symbology = keyof typeof SYMBOLOGIES;

const IDENTIFIER_LENGTH = 3;

/** Takes the identifier off the text; null when the scanner sent none. Throws LB-106 for one that no label here has. */
export function splitSymbology(scan: string): { readonly symbology: Symbology | null; readonly text: string } {
  if (!scan.startsWith(']')) return { symbology: null, text: scan };
  const identifier = scan.slice(1, IDENTIFIER_LENGTH);
  if (!isSymbology(identifier)) {
    throw refuseLabel('LB-106', 'expected Code 128, Data Matrix or QR Code; the scanner names another symbology');
  }
  return { symbology: identifier, text: scan.slice(IDENTIFIER_LENGTH) };
}

/** Throws LB-106 when text of this form cannot come from that symbology. */
export function requireFormat(symbology: Symbology | null, format: DataFormat): void {
  if (symbology === null) return;
  const { name, formats } = SYMBOLOGIES[symbology];
  if ((formats as readonly DataFormat[]).includes(format)) return;
  throw refuseLabel('LB-106', `a ${name} symbol carries ${formats.join(' or ')}, the text is ${format}`);
}

function isSymbology(text: string): text is Symbology {
  return Object.hasOwn(SYMBOLOGIES, text);
}
