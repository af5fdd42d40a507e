// SPDX-License-Identifier: Apache-2.0
/** What is printed is what a scanner reads: decoded by a reader that is not ours. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { RefusedError } from '@witnessmark/core';
import {
  formatZpl,
  parseScan,
  renderPng,
  renderSvg,
  toSymbolText,
  type Carrier,
  type LabelContent,
  type LabelFormat,
} from '@witnessmark/label';
import { beforeAll, describe, expect, it } from 'vitest';
import { prepareZXingModule, readBarcodes } from 'zxing-wasm/reader';

const UNIT: LabelContent = {
  sku: 'GW-210',
  printedSerial: 'GW-210-7Q3K-9ZD2-M4XT',
  gtin: '04012345678901',
  lot: 'L2647',
};

beforeAll(async () => {
  const require = createRequire(import.meta.url);
  const wasm = readFileSync(require.resolve('zxing-wasm/reader/zxing_reader.wasm'));
  const wasmBinary = wasm.buffer.slice(wasm.byteOffset, wasm.byteOffset + wasm.byteLength);
  await prepareZXingModule({ overrides: { wasmBinary }, fireImmediately: true });
});

describe('a printed symbol', () => {
  it.each<[LabelFormat, Carrier, string]>([
    ['plain', 'dataMatrix', ']d1'],
    ['plain', 'qrCode', ']Q1'],
    ['plain', 'code128', ']C0'],
    ['iso15434', 'dataMatrix', ']d1'],
    ['gs1', 'dataMatrix', ']d2'],
    ['gs1', 'qrCode', ']Q3'],
    ['gs1', 'code128', ']C1'],
  ])('%s in %s is read back as %s and the same unit', async (format, carrier, identifier) => {
    const [symbol, ...others] = await readBarcodes(await renderPng({ content: UNIT, format, carrier }), {
      textMode: 'Plain',
    });
    expect(others).toEqual([]);
    expect(symbol?.symbologyIdentifier).toBe(identifier);
    const text = Buffer.from(symbol?.bytes ?? []).toString('latin1');
    expect(parseScan(identifier + text)).toMatchObject({ printedSerial: UNIT.printedSerial });
    expect(text).toBe(toSymbolText(UNIT, format).text);
  });

  it('is drawn as SVG without a script or a reference to anywhere', () => {
    const svg = renderSvg({ content: UNIT, format: 'plain', carrier: 'dataMatrix' });
    expect(svg).toMatch(/^<svg /);
    expect(svg).not.toMatch(/script|href|url\(/);
  });

  it.each<[string, Partial<LabelContent>, LabelFormat, Carrier]>([
    ['GS1 without GTIN', { gtin: null }, 'gs1', 'dataMatrix'],
    ['a serial that is too long for GS1', { printedSerial: 'A'.repeat(21) }, 'gs1', 'dataMatrix'],
    ['a message in Code 128', {}, 'iso15434', 'code128'],
    ['a serial with a space', { printedSerial: 'A B' }, 'plain', 'dataMatrix'],
    ['a separator in a lot', { lot: 'L\u001dSX' }, 'iso15434', 'dataMatrix'],
  ])('is refused: %s', async (_, change, format, carrier) => {
    await expect(renderPng({ content: { ...UNIT, ...change }, format, carrier })).rejects.toThrow(RefusedError);
  });
});

describe('a label in ZPL', () => {
  it.each<[LabelFormat, string]>([
    ['plain', ']d1'],
    ['iso15434', ']d1'],
    ['gs1', ']d2'],
  ])('%s carries the same text', (format, identifier) => {
    const field = /\^BXN,4,200,,,,~\^FH_\^FD([^^]*)\^FS/.exec(formatZpl(UNIT, format))?.[1] ?? '';
    expect(parseScan(identifier + readSymbolField(field))).toMatchObject({ printedSerial: UNIT.printedSerial });
  });

  it('lets no text become a command', () => {
    const zpl = formatZpl({ ...UNIT, sku: 'GW^XZ~JA_', printedSerial: 'A^FS~1_5E' }, 'plain');
    expect(zpl.match(/\^X[AZ]/g)).toEqual(['^XA', '^XZ']);
    expect(zpl).not.toMatch(/~JA/);
    const field = /\^FH_\^FD([^^]*)\^FS/.exec(zpl)?.[1] ?? '';
    expect(readSymbolField(field)).toBe('A^FS~1_5E');
  });

  it('prints one label and fits its lines', () => {
    expect(formatZpl(UNIT, 'plain')).toContain('^PQ1,0,1,N');
    expect(() => formatZpl({ ...UNIT, sku: 'S'.repeat(41) }, 'plain')).toThrow(RefusedError);
  });
});

/** As the printer does: first ^FH, then the escapes of ^BX; a leading FNC1 becomes the symbology identifier. */
function readSymbolField(field: string): string {
  const hexadecimal = field.replaceAll(/_([0-9A-F]{2})/g, (_, digits: string) =>
    String.fromCharCode(parseInt(digits, 16)),
  );
  return hexadecimal
    .replace(/^~1/, '')
    .replaceAll(/~(?:d([0-9]{3})|1)/g, (_, code?: string) =>
      code === undefined ? '\u001d' : String.fromCharCode(Number(code)),
    );
}
