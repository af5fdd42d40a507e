// SPDX-License-Identifier: Apache-2.0
export { LABEL_FORMATS, toSymbolText } from './content.ts';
export { formatElementString, formatHumanReadable, GROUP_SEPARATOR, hasCheckDigit, parseElementString } from './gs1.ts';
export { formatMessage, parseMessage } from './iso15434.ts';
export { CARRIERS, renderPng, renderSvg } from './render.ts';
export { MAX_SCAN_LENGTH, parseScan } from './scan.ts';
export { formatUnitZpl, renderUnitPng, renderUnitSvg, toUnitSymbolText, UNIT_LABEL_LAYOUT } from './unit-label.ts';
export { DEFAULT_LAYOUT, formatZpl } from './zpl.ts';

export type { LabelContent, LabelFormat, SymbolText } from './content.ts';
export type { Element } from './gs1.ts';
export type { DataIdentifier, Field } from './iso15434.ts';
export type { Carrier, RenderRequest } from './render.ts';
export type { Scan } from './scan.ts';
export type { DataFormat, Symbology } from './symbology.ts';
export type { UnitLabel } from './unit-label.ts';
export type { LabelMark } from './unit-mark.ts';
export type { LabelLayout } from './zpl.ts';
