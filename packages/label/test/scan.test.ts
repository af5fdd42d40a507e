// SPDX-License-Identifier: Apache-2.0
import { RefusedError } from '@witnessmark/core';
import { formatElementString, formatMessage, MAX_SCAN_LENGTH, parseElementString, parseScan } from '@witnessmark/label';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const GS = '\u001d';
const RS = '\u001e';
const EOT = '\u0004';
const GTIN = '04012345678901';

function codeOf(work: () => unknown): string | null {
  try {
    work();
    return null;
  } catch (error) {
    if (error instanceof RefusedError) return error.code;
    throw error;
  }
}

describe('a scan', () => {
  it.each([
    ['a plain serial', 'GW-210-7Q3K-9ZD2-M4XT', 'plain', 'GW-210-7Q3K-9ZD2-M4XT', null],
    ['with its leading zeros', ']C0000123', 'plain', '000123', null],
    ['from a Data Matrix', ']d1GW-210-7Q3K-9ZD2-M4XT', 'plain', 'GW-210-7Q3K-9ZD2-M4XT', null],
    ['GS1 DataMatrix', `]d201${GTIN}217Q3K-9ZD2-M4XT${GS}240GW-210`, 'gs1', 'GW-210-7Q3K-9ZD2-M4XT', 'GW-210'],
    ['GS1 without part number', `]d201${GTIN}21A1`, 'gs1', 'A1', null],
    ['GS1 with a lot before the serial', `]Q301${GTIN}10L5${GS}2100A1`, 'gs1', '00A1', null],
    ['GS1 known by its separator', `01${GTIN}21A1${GS}10L5`, 'gs1', 'A1', null],
    [
      'ISO 15434',
      `[)>${RS}06${GS}1PGW-210${GS}SGW-210-7Q3K-9ZD2-M4XT${RS}${EOT}`,
      'iso15434',
      'GW-210-7Q3K-9ZD2-M4XT',
      'GW-210',
    ],
  ])('is read: %s', (_, raw, format, printedSerial, partNumber) => {
    expect(parseScan(raw)).toMatchObject({ raw, format, printedSerial, partNumber });
  });

  it.each([
    ['nothing', '', 'LB-101'],
    ['too long', 'A'.repeat(MAX_SCAN_LENGTH + 1), 'LB-101'],
    ['a plain serial of 65 characters', 'A'.repeat(65), 'LB-101'],
    ['a space inside', 'GW-210 7Q3K', 'LB-101'],
    ['a line end', 'GW-210-7Q3K-9ZD2-M4XT\n', 'LB-101'],
    ['a letter outside ASCII', 'GW-210-7Q3К', 'LB-101'],
    ['a symbology no label has', ']E04012345678901', 'LB-106'],
    ['half an identifier', ']', 'LB-106'],
    ['GS1 text in Code 128', `]C001${GTIN}21A1${GS}10L5`, 'LB-106'],
    ['a message in GS1 DataMatrix', `]d2[)>${RS}06${GS}SA1${RS}${EOT}`, 'LB-106'],
    ['a wrong check digit', ']d20104012345678902' + '21A1', 'LB-102'],
    ['a GTIN cut short', ']d2010401234', 'LB-103'],
    ['a swallowed separator', `]d201${GTIN}217Q3K-9ZD2-M4XT240GW-210-EU`, 'LB-103'],
    ['an empty serial', `]d201${GTIN}21${GS}10L5`, 'LB-103'],
    ['a separator at the end', `]d201${GTIN}${GS}`, 'LB-103'],
    ['an unknown identifier', `]d201${GTIN}9921A1`, 'LB-104'],
    ['a letter in a number', ']d20104012345X78901' + '21A1', 'LB-104'],
    ['month 13', `]d201${GTIN}11261301` + '21A1', 'LB-104'],
    ['a caret in a serial', `]d201${GTIN}21A^1`, 'LB-104'],
    ['two serials', `]d201${GTIN}21A1${GS}21A1`, 'LB-105'],
    ['no serial', `]d201${GTIN}10L5`, 'LB-105'],
    ['a serial without its GTIN', ']d221A1', 'LB-105'],
    ['a message without control characters', '[)>06SA1', 'LB-103'],
    ['a message without trailer', `[)>${RS}06${GS}SA1`, 'LB-103'],
    ['a message in another format', `[)>${RS}12${GS}SA1${RS}${EOT}`, 'LB-103'],
    ['two envelopes', `[)>${RS}06${GS}SA1${RS}06${GS}SA2${RS}${EOT}`, 'LB-103'],
    ['an empty field', `[)>${RS}06${GS}SA1${GS}${RS}${EOT}`, 'LB-103'],
    ['a data identifier nobody uses here', `[)>${RS}06${GS}SA1${GS}7ZX${RS}${EOT}`, 'LB-104'],
    ['two serials in a message', `[)>${RS}06${GS}SA1${GS}SA2${RS}${EOT}`, 'LB-105'],
    ['a message without serial', `[)>${RS}06${GS}1PGW-210${RS}${EOT}`, 'LB-105'],
  ])('A4: is refused: %s', (_, raw, code) => {
    expect(codeOf(() => parseScan(raw))).toBe(code);
  });

  it('takes exactly the longest plain serial and the most fields', () => {
    expect(parseScan('A'.repeat(64)).printedSerial).toHaveLength(64);
    const serial = 'S'.repeat(20);
    expect(parseScan(`]d201${GTIN}21${serial}`).printedSerial).toBe(serial);
    expect(codeOf(() => parseScan(`]d201${GTIN}21${serial}S`))).toBe('LB-103');
  });

  it('A4: look-alikes stay what they are: never repaired into another serial', () => {
    for (const raw of ['GW-21O-7Q3K', 'gw-210-7q3k', 'GW-210-7Q3l']) expect(parseScan(raw).printedSerial).toBe(raw);
  });

  it('never throws anything but a refusal', () => {
    const noise = fc.string({
      unit: fc.constantFrom(']', 'd', '2', '0', '1', 'S', 'A', GS, RS, EOT, '[)>', '06'),
      maxLength: 60,
    });
    fc.assert(
      fc.property(noise, (raw) => {
        const code = codeOf(() => parseScan(raw));
        expect(code === null || code.startsWith('LB-')).toBe(true);
      }),
    );
  });
});

describe('fields', () => {
  const gs1Value = fc.string({
    unit: fc.constantFrom('A', 'z', '0', '9', '-', '.', '/', '_', '%', '&', '(', ')'),
    minLength: 1,
    maxLength: 20,
  });

  it('GS1 elements come back as they were given', () => {
    fc.assert(
      fc.property(gs1Value, gs1Value, (serial, lot) => {
        const elements = [
          { ai: '01', value: GTIN },
          { ai: '21', value: serial },
          { ai: '10', value: lot },
        ];
        expect(parseElementString(formatElementString(elements))).toEqual(elements);
      }),
    );
  });

  it('fields of a message come back as they were given', () => {
    const value = fc.string({
      unit: fc.integer({ min: 0x21, max: 0x7e }).map(String.fromCharCode),
      minLength: 1,
      maxLength: 50,
    });
    fc.assert(
      fc.property(value, (serial) => {
        const message = formatMessage([{ identifier: 'S', value: serial }]);
        expect(parseScan(message).printedSerial).toBe(serial);
      }),
    );
  });

  it('refuses to write what could not be read', () => {
    expect(codeOf(() => formatMessage([{ identifier: 'S', value: `A${GS}B` }]))).toBe('LB-107');
    expect(codeOf(() => formatElementString([{ ai: '99', value: 'A' }]))).toBe('LB-104');
    expect(codeOf(() => formatElementString([{ ai: '01', value: '04012345678902' }]))).toBe('LB-102');
  });
});
