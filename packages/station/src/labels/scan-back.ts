// SPDX-License-Identifier: Apache-2.0
/** Whether a label that was scanned is the one that counts for a unit. Pure; says what is wrong in the code people act on. */
import { encodeUtf8, RefusedError, sha256Hex } from '@witnessmark/core';
import { parseScan, toUnitSymbolText, type Scan, type UnitLabel } from '@witnessmark/label';
import { StationRefusal } from '../error.ts';
import type { UnitRecord } from '../unit-record.ts';

/** The label of a unit as its record says it. Throws LB-107 for a record that no label can carry. */
export function toUnitLabel({ deviceId, serial, record }: UnitRecord, copy: number): UnitLabel {
  const { product } = record.predicate;
  return { sku: product.sku, printedSerial: serial, lot: product.lot, deviceId, recordDigest: record.digest, copy };
}

export function digestSymbol(text: string): string {
  return sha256Hex(encodeUtf8(text));
}

/** The text of the symbol, without what the scanner says about it. Throws the LB codes of a label that cannot be read. */
export function readScan(raw: string): { readonly scan: Scan; readonly text: string } {
  try {
    const scan = parseScan(raw);
    return { scan, text: raw.slice(scan.symbology === null ? 0 : scan.symbology.length + 1) };
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    throw new StationRefusal(error.code, {
      expected: 'a label of this product',
      observed: error.message,
      cause: error,
    });
  }
}

/**
 * Throws LS-101 for the label of another unit, LB-110 for one of this unit that no longer counts, LB-115 for one that says
 * something else than the record.
 */
export function requireLiveLabel(raw: string, unit: UnitRecord): void {
  const { scan, text } = readScan(raw);
  const { serial, liveLabel: live } = unit;
  if (scan.printedSerial !== serial) {
    throw new StationRefusal('LS-101', {
      expected: `label ${serial} on this unit`,
      observed: `label ${scan.printedSerial}`,
    });
  }
  if (live === null) {
    throw new StationRefusal('LB-110', { expected: `a label of ${serial} that counts`, observed: 'none does' });
  }
  if (scan.mark !== null && scan.mark.copy !== live.copy) {
    throw new StationRefusal('LB-110', { expected: `copy ${live.copy}`, observed: `copy ${scan.mark.copy}` });
  }
  if (live.recordDigest !== unit.record.digest) {
    throw new StationRefusal('LB-110', {
      expected: `a label printed from record ${unit.record.digest.slice(0, 16)}…`,
      observed: `one from ${live.recordDigest.slice(0, 16)}…`,
    });
  }
  const expected = toUnitSymbolText(toUnitLabel(unit, live.copy));
  if (digestSymbol(expected) === live.symbolDigest && text === expected) return;
  throw new StationRefusal('LB-115', {
    expected: `the label that was printed for ${serial}`,
    observed: scan.mark === null ? 'one without the mark of its record' : 'one that says something else',
  });
}
