// SPDX-License-Identifier: Apache-2.0
/** What a label says, drawn up from the record of a unit, and the text its symbol carries. */
import { refuseLabel } from './error.ts';
import { formatElementString, formatHumanReadable, type Element } from './gs1.ts';
import { formatMessage } from './iso15434.ts';
import { parseScan } from './scan.ts';

/** A unit as its record names it. */
export interface LabelContent {
  readonly sku: string;
  readonly printedSerial: string;
  /** Needed for GS1; 14 digits. */
  readonly gtin: string | null;
  readonly lot: string | null;
}

export const LABEL_FORMATS = ['plain', 'iso15434', 'gs1'] as const;
export type LabelFormat = (typeof LABEL_FORMATS)[number];

export interface SymbolText {
  readonly format: LabelFormat;
  /** As a scanner returns it, without symbology identifier. */
  readonly text: string;
  /** GS1 elements with brackets, as label software takes them; null for other formats. */
  readonly bracketed: string | null;
}

/** Throws LB-107 when the content does not fit the format: a GS1 serial has at most 20 characters and needs a GTIN. */
export function toSymbolText(content: LabelContent, format: LabelFormat): SymbolText {
  const symbol = SYMBOL_TEXTS[format](content);
  // What cannot be read back the same must not be printed.
  const { printedSerial } = parseScan((format === 'gs1' ? ']d2' : ']d1') + symbol.text);
  if (printedSerial !== content.printedSerial) {
    throw refuseLabel('LB-107', `the symbol would read as ${printedSerial}, the record says ${content.printedSerial}`);
  }
  return symbol;
}

const SYMBOL_TEXTS: Readonly<Record<LabelFormat, (content: LabelContent) => SymbolText>> = {
  plain: ({ printedSerial }) => ({ format: 'plain', text: printedSerial, bracketed: null }),
  iso15434: ({ sku, printedSerial, lot }) => {
    const text = formatMessage([
      { identifier: '1P', value: sku },
      { identifier: 'S', value: printedSerial },
      ...(lot === null ? [] : [{ identifier: '1T', value: lot } as const]),
    ]);
    return { format: 'iso15434', text, bracketed: null };
  },
  gs1: (content) => {
    const elements = toElements(content);
    return { format: 'gs1', text: formatElementString(elements), bracketed: formatHumanReadable(elements) };
  },
};

/** A derived serial begins with the SKU, which then has an element of its own. */
function toElements({ sku, printedSerial, gtin, lot }: LabelContent): readonly Element[] {
  if (gtin === null) throw refuseLabel('LB-107', 'a GS1 label needs the GTIN of the product');
  const prefix = `${sku}-`;
  const isDerived = printedSerial.startsWith(prefix);
  return [
    { ai: '01', value: gtin },
    { ai: '21', value: isDerived ? printedSerial.slice(prefix.length) : printedSerial },
    ...(lot === null ? [] : [{ ai: '10', value: lot }]),
    ...(isDerived ? [{ ai: '240', value: sku }] : []),
  ];
}
