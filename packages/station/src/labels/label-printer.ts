// SPDX-License-Identifier: Apache-2.0
/** What a station asks of a label printer. It is believed in nothing: only a label that was scanned back exists. */
import type { Bytes } from '@witnessmark/core';
import type { UnitLabel } from '@witnessmark/label';
import type { FileSystem } from '../file-system.ts';

export interface LabelPrinter {
  /** For the record: which printer. */
  readonly name: string;
  /** Takes one label. Rejects with a `StationRefusal` LB-112 when it did not take all of it: nobody knows what came out. */
  print(label: UnitLabel): Promise<void>;
}

/** What a station that labels its units has. */
export interface LabelPrinting {
  readonly printer: LabelPrinter;
  /** The station's own directory. */
  readonly files: FileSystem;
}

/** What a printer is given, and the ending of a file of it. */
export interface LabelForm {
  readonly suffix: 'zpl' | 'png' | 'svg';
  readonly format: (label: UnitLabel) => Bytes | Promise<Bytes>;
}
