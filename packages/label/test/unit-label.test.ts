// SPDX-License-Identifier: Apache-2.0
/** The label of a finished unit: what is drawn is what a reader that is not ours returns, and it says which record and copy. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { RefusedError } from '@witnessmark/core';
import {
  formatUnitZpl,
  parseScan,
  renderUnitPng,
  renderUnitSvg,
  toUnitSymbolText,
  UNIT_LABEL_LAYOUT,
  type UnitLabel,
} from '@witnessmark/label';
import { beforeAll, describe, expect, it } from 'vitest';
import { prepareZXingModule, readBarcodes } from 'zxing-wasm/reader';

const UNIT: UnitLabel = {
  sku: 'GW-210',
  printedSerial: 'GW-210-7Q3K-9ZD2-M4XT',
  lot: 'L2647',
  deviceId: `0123456789abcdef${'0'.repeat(48)}`,
  recordDigest: `fedcba9876543210${'0'.repeat(48)}`,
  copy: 2,
};
const MARK = { device: '0123456789abcdef', record: 'fedcba9876543210', copy: 2 };

beforeAll(async () => {
  const require = createRequire(import.meta.url);
  const wasm = readFileSync(require.resolve('zxing-wasm/reader/zxing_reader.wasm'));
  const wasmBinary = wasm.buffer.slice(wasm.byteOffset, wasm.byteOffset + wasm.byteLength);
  await prepareZXingModule({ overrides: { wasmBinary }, fireImmediately: true });
});

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof RefusedError) return error.code;
    throw error;
  }
  return 'nothing refused';
}

describe('the label of a unit', () => {
  it.each(['qrCode', 'dataMatrix'] as const)('drawn as %s is read back as unit, record and copy', async (carrier) => {
    const [symbol, ...others] = await readBarcodes(await renderUnitPng(UNIT, carrier), { textMode: 'Plain' });
    expect(others).toEqual([]);
    const text = Buffer.from(symbol?.bytes ?? []).toString('latin1');
    expect(text).toBe(toUnitSymbolText(UNIT));
    const { printedSerial, partNumber, lot, mark } = parseScan((symbol?.symbologyIdentifier ?? '') + text);
    expect([printedSerial, partNumber, lot, mark]).toEqual([UNIT.printedSerial, 'GW-210', 'L2647', MARK]);
  });

  it('in ZPL carries the same text in a QR code, and for people serial, device and copy', () => {
    const zpl = formatUnitZpl(UNIT);
    expect(zpl).toContain('^BQN,2,4^FH_^FDMA,');
    const field = /\^FDMA,([^^]*)\^FS/.exec(zpl)?.[1] ?? '';
    const read = field.replaceAll(/_([0-9A-F]{2})/g, (_, code: string) =>
      String.fromCharCode(Number.parseInt(code, 16)),
    );
    expect(read).toBe(toUnitSymbolText(UNIT));
    for (const line of ['GW-210', UNIT.printedSerial, MARK.device, 'copy 2'])
      expect(zpl).toContain(`^FH_^FD${line}^FS`);
    expect(formatUnitZpl({ ...UNIT, copy: 1 })).not.toContain('copy');
    expect(formatUnitZpl(UNIT, { ...UNIT_LABEL_LAYOUT, symbol: 'dataMatrix' })).toContain('^BXN,4,200');
  });

  it('is drawn as SVG without a script or a reference to anywhere', () => {
    const svg = renderUnitSvg(UNIT, 'qrCode');
    expect(svg).toMatch(/^<svg /);
    expect(svg).not.toMatch(/script|href|url\(/);
  });

  it.each<[string, Partial<UnitLabel>]>([
    ['a digest that is none', { recordDigest: 'XYZ' }],
    ['copy 0', { copy: 0 }],
    ['copy 10,001', { copy: 10_001 }],
    ['half a copy', { copy: 1.5 }],
    ['a serial with a separator', { printedSerial: 'A\u001dB' }],
  ])('is not drawn up from %s (LB-107)', (_, change) => {
    expect(codeOf(() => toUnitSymbolText({ ...UNIT, ...change }))).toBe('LB-107');
  });

  it('has at most 10,000 copies', () => {
    expect(toUnitSymbolText({ ...UNIT, copy: 10_000 })).toContain('/10000');
  });

  it.each([
    ['another version', 'WM2/'],
    ['capital letters', 'WM1/0123456789ABCDEF/'],
    ['a leading zero', '/02'],
    ['too many copies', '/10001'],
  ])('A4: a mark with %s is none (LB-104)', (_, wrong) => {
    const text = toUnitSymbolText(UNIT);
    const changed = wrong.startsWith('/')
      ? text.replace(/\/2(?=\u001e)/, wrong)
      : text.replace(wrong.length > 4 ? /WM1\/0123456789abcdef\// : /WM1\//, wrong);
    expect(changed).not.toBe(text);
    expect(codeOf(() => parseScan(`]Q1${changed}`))).toBe('LB-104');
  });
});
