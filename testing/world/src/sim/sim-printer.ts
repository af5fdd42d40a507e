// SPDX-License-Identifier: Apache-2.0
/** A label printer of the simulated factory: takes ZPL, and gives labels that a scanner reads. Knows nothing of how they were made. */
import { decodeUtf8 } from '@witnessmark/core';
import { formatUnitZpl, type UnitLabel } from '@witnessmark/label';
import { StationRefusal, type LabelPrinter } from '@witnessmark/station';

/** The field of the one QR code of a label: model, magnification, then quality and input mode before the data. */
const QR_FIELD = /\^BQN,2,\d+\^FH_\^FDMA,([^^]*)\^FS/;

export class SimPrinter implements LabelPrinter {
  readonly name = 'simulated:zpl';
  /** Everything that came out, as a scanner reads it, oldest first. */
  readonly labels: string[] = [];
  /** `silent` takes nothing; `jammed` prints and does not say so. */
  trouble: 'silent' | 'jammed' | null = null;

  // eslint-disable-next-line @typescript-eslint/require-await -- the contract is asynchronous because printers are
  async print(label: UnitLabel): Promise<void> {
    if (this.trouble !== 'silent') this.labels.push(readZpl(formatUnitZpl(label)));
    if (this.trouble === null) return;
    throw new StationRefusal('LB-112', {
      expected: `${this.name} to take a label`,
      observed: 'nothing more was heard',
    });
  }

  /** The newest label. Throws when there is none. */
  get last(): string {
    const label = this.labels.at(-1);
    if (label === undefined) throw new Error('nothing was printed');
    return label;
  }
}

/** What a scanner that sends symbology identifiers returns for a printed label. */
function readZpl(zpl: string): string {
  const field = QR_FIELD.exec(zpl)?.[1];
  if (field === undefined || !zpl.startsWith('^XA') || !zpl.trimEnd().endsWith('^XZ')) throw new Error('no label');
  const bytes = Uint8Array.from(
    field.replaceAll(/_([0-9A-F]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16))),
    (character) => character.charCodeAt(0),
  );
  return `]Q1${decodeUtf8(bytes)}`;
}
