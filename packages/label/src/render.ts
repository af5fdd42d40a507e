// SPDX-License-Identifier: Apache-2.0
/** Label symbols as pictures, drawn on this machine: a serial is never sent to a web service to be previewed. */
import { toBuffer, toSVG, type RenderOptions } from 'bwip-js/node';
import type { Bytes } from '@witnessmark/core';
import { refuseLabel } from './error.ts';
import { toSymbolText, type LabelContent, type LabelFormat } from './content.ts';

export const CARRIERS = ['dataMatrix', 'qrCode', 'code128'] as const;
/** The kind of bar code that carries the text. */
export type Carrier = (typeof CARRIERS)[number];

export interface RenderRequest {
  readonly content: LabelContent;
  readonly format: LabelFormat;
  readonly carrier: Carrier;
}

/** Pixels per module in PNG. */
const SCALE = 4;
/** Modules of white around the symbol: what QR Code needs is enough for the others. */
const QUIET_ZONE = 4;
const LINEAR_HEIGHT_MM = 10;

const SYMBOLS: Readonly<Record<Carrier, { readonly gs1: string; readonly other: string }>> = {
  dataMatrix: { gs1: 'gs1datamatrix', other: 'datamatrix' },
  qrCode: { gs1: 'gs1qrcode', other: 'qrcode' },
  code128: { gs1: 'gs1-128', other: 'code128' },
};

/** Throws LB-107 for content the carrier cannot hold. */
export async function renderPng(request: RenderRequest): Promise<Bytes> {
  return Uint8Array.from(await toBuffer(toOptions(request)).catch(refuse));
}

/** Throws LB-107 for content the carrier cannot hold. */
export function renderSvg(request: RenderRequest): string {
  try {
    return toSVG(toOptions(request));
  } catch (error) {
    return refuse(error);
  }
}

/** A text that is drawn up already, in a symbol that carries any. Throws LB-107 for one it cannot hold. */
export async function drawPng(text: string, carrier: Exclude<Carrier, 'code128'>): Promise<Bytes> {
  return Uint8Array.from(await toBuffer(toLiteralOptions(text, carrier)).catch(refuse));
}

/** Throws LB-107 for a text the symbol cannot hold. */
export function drawSvg(text: string, carrier: Exclude<Carrier, 'code128'>): string {
  try {
    return toSVG(toLiteralOptions(text, carrier));
  } catch (error) {
    return refuse(error);
  }
}

function toLiteralOptions(text: string, carrier: Carrier): RenderOptions {
  return {
    bcid: SYMBOLS[carrier].other,
    ...toLiteral(text),
    scale: SCALE,
    padding: QUIET_ZONE,
    backgroundcolor: 'ffffff',
  };
}

function toOptions({ content, format, carrier }: RenderRequest): RenderOptions {
  const { text, bracketed } = toSymbolText(content, format);
  if (carrier === 'code128' && format === 'iso15434') {
    throw refuseLabel('LB-107', 'a Code 128 symbol carries no ISO 15434 message here');
  }
  const { gs1, other } = SYMBOLS[carrier];
  return {
    ...(bracketed === null ? { bcid: other, ...toLiteral(text) } : { bcid: gs1, text: bracketed }),
    scale: SCALE,
    padding: QUIET_ZONE,
    backgroundcolor: 'ffffff',
    ...(carrier === 'code128' ? { height: LINEAR_HEIGHT_MM } : {}),
  };
}

/** Control characters in the notation of bwip-js, in which a caret alone means itself only when it is escaped. */
function toLiteral(text: string): { readonly text: string; readonly parse: true } {
  const escape = (character: string): string => `^${character.charCodeAt(0).toString().padStart(3, '0')}`;

  return { text: text.replaceAll(/[\u0000-\u001f^]/g, escape), parse: true };
}

function refuse(error: unknown): never {
  throw refuseLabel('LB-107', `the symbol cannot be drawn: ${error instanceof Error ? error.message : String(error)}`);
}
