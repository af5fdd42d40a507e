// SPDX-License-Identifier: Apache-2.0
/**
 * The label of a finished unit, drawn up from its record (spec/label-event.md, "What the symbol says"): part number,
 * serial, and a mark that says which device, which record and which copy, so that one who scans it knows what to look up.
 */
import type { Bytes } from '@witnessmark/core';
import { formatMessage } from './iso15434.ts';
import { drawPng, drawSvg, type Carrier } from './render.ts';
import { formatLabelMark } from './unit-mark.ts';
import { formatLabelZpl, type LabelLayout } from './zpl.ts';

export interface UnitLabel {
  readonly sku: string;
  readonly printedSerial: string;
  readonly lot: string | null;
  /** SHA-256 in lower-case hexadecimal, as are records' digests. */
  readonly deviceId: string;
  readonly recordDigest: string;
  /** From 1. */
  readonly copy: number;
}

/** 60 × 25 mm at 203 dpi. */
export const UNIT_LABEL_LAYOUT: LabelLayout = {
  widthDots: 480,
  heightDots: 200,
  symbol: 'qrCode',
  moduleDots: 4,
  textDots: 20,
};
/** Of the device id, as people compare it. */
const SHORT_ID_LENGTH = 16;

/** The text of the symbol as a scanner returns it, without symbology identifier. Throws LB-107. */
export function toUnitSymbolText({ sku, printedSerial, lot, ...mark }: UnitLabel): string {
  return formatMessage([
    { identifier: '1P', value: sku },
    { identifier: 'S', value: printedSerial },
    ...(lot === null ? [] : [{ identifier: '1T', value: lot } as const]),
    { identifier: 'Z', value: formatLabelMark(mark) },
  ]);
}

/** One label, printed once. Throws LB-107 when the content does not fit. */
export function formatUnitZpl(label: UnitLabel, layout: LabelLayout = UNIT_LABEL_LAYOUT): string {
  const { sku, printedSerial, deviceId, copy } = label;
  const lines = [sku, printedSerial, deviceId.slice(0, SHORT_ID_LENGTH), ...(copy === 1 ? [] : [`copy ${copy}`])];
  return formatLabelZpl({ format: 'iso15434', text: toUnitSymbolText(label) }, lines, layout);
}

export function renderUnitPng(label: UnitLabel, carrier: Exclude<Carrier, 'code128'>): Promise<Bytes> {
  return drawPng(toUnitSymbolText(label), carrier);
}

export function renderUnitSvg(label: UnitLabel, carrier: Exclude<Carrier, 'code128'>): string {
  return drawSvg(toUnitSymbolText(label), carrier);
}
