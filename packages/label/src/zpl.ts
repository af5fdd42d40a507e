// SPDX-License-Identifier: Apache-2.0
/**
 * Labels in ZPL II, the language most label printers take on TCP port 9100. Written by hand: a label is ten commands
 * (Zebra, ZPL II Programming Guide: ^BQ, ^BX, ^FH, ^FO, ^PQ).
 */
import { refuseLabel } from './error.ts';
import { GROUP_SEPARATOR } from './gs1.ts';
import { toSymbolText, type LabelContent, type LabelFormat } from './content.ts';

/** Sizes in dots; 8 dots are a millimetre at 203 dpi. */
export interface LabelLayout {
  readonly widthDots: number;
  readonly heightDots: number;
  /** What carries the text; a Data Matrix unless said. */
  readonly symbol?: 'dataMatrix' | 'qrCode';
  /** Of one square of the symbol. */
  readonly moduleDots: number;
  readonly textDots: number;
}

/** 40 × 15 mm at 203 dpi. */
export const DEFAULT_LAYOUT: LabelLayout = { widthDots: 320, heightDots: 120, moduleDots: 4, textDots: 22 };

const MARGIN_DOTS = 8;
const MAX_TEXT_LENGTH = 40;
/** QR Code: a normal symbol of model 2, medium error correction, input mode chosen by the printer. */
const QR_MODEL = 2;
const QR_DATA_PREFIX = 'MA,';
/** Data Matrix ECC 200. */
const QUALITY = 200;
/** Escapes control codes inside ^BX data. */
const ESCAPE = '~';
const FNC1 = `${ESCAPE}1`;
/** Characters that need no ^FH escape: none that ZPL, ^FH or ^BX gives a meaning. */
const SAFE = /[0-9A-Za-z .:/()+*=-]/;

/** One label, printed once. Throws LB-107 when the content does not fit format or place. */
export function formatZpl(content: LabelContent, format: LabelFormat, layout: LabelLayout = DEFAULT_LAYOUT): string {
  return formatLabelZpl(toSymbolText(content, format), [content.sku, ownSerial(content)], layout);
}

/** The same for text that is drawn up already. */
export function formatLabelZpl(
  symbol: { readonly format: LabelFormat; readonly text: string },
  lines: readonly string[],
  layout: LabelLayout,
): string {
  if (lines.some((line) => line.length > MAX_TEXT_LENGTH)) throw refuseLabel('LB-107', 'a line of text is too long');
  const { widthDots, heightDots, textDots } = layout;
  const textLeft = heightDots + MARGIN_DOTS;
  return [
    '^XA',
    '^CI28',
    `^PW${widthDots}`,
    `^LL${heightDots}`,
    `^FO${MARGIN_DOTS},${MARGIN_DOTS}${toSymbolCommand(symbol, layout)}^FS`,
    ...lines.map((line, index) => {
      const top = MARGIN_DOTS + index * (textDots + MARGIN_DOTS);
      return `^FO${textLeft},${top}^A0N,${textDots},${textDots}^FH_^FD${escapeField(line)}^FS`;
    }),
    '^PQ1,0,1,N',
    '^XZ',
    '',
  ].join('\n');
}

function toSymbolCommand(
  symbol: { readonly format: LabelFormat; readonly text: string },
  { symbol: carrier, moduleDots }: LabelLayout,
): string {
  if (carrier === 'qrCode') return `^BQN,${QR_MODEL},${moduleDots}^FH_^FD${QR_DATA_PREFIX}${escapeField(symbol.text)}`;
  return `^BXN,${moduleDots},${QUALITY},,,,${ESCAPE}^FH_^FD${toSymbolField(symbol)}`;
}

/** The symbol's text in ^BX's own notation, then in that of ^FH. */
function toSymbolField({ format, text }: { readonly format: LabelFormat; readonly text: string }): string {
  const escaped = Array.from(text, (character) => {
    if (format === 'gs1' && character === GROUP_SEPARATOR) return FNC1;
    if (character === ESCAPE || character < ' ') {
      return `${ESCAPE}d${character.charCodeAt(0).toString().padStart(3, '0')}`;
    }
    return character;
  });
  return escapeField((format === 'gs1' ? FNC1 : '') + escaped.join(''), ESCAPE);
}

/** ^FH: every byte that is not plainly harmless as `_` and two hexadecimal digits, so that no text is a command. */
function escapeField(text: string, allowed = ''): string {
  return Array.from(new TextEncoder().encode(text), (byte) => {
    const character = String.fromCharCode(byte);
    const isSafe = byte < 0x80 && (SAFE.test(character) || character === allowed);
    return isSafe ? character : `_${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }).join('');
}

/** The serial without the SKU that stands above it. */
function ownSerial({ sku, printedSerial }: LabelContent): string {
  return printedSerial.startsWith(`${sku}-`) ? printedSerial.slice(sku.length + 1) : printedSerial;
}
