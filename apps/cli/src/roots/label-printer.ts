// SPDX-License-Identifier: Apache-2.0
/** The label printer a station configuration names. */
import { DeviceLabelPrinter, FolderLabelPrinter, TcpLabelPrinter, type LabelPrinter } from '@witnessmark/station';
import type { LoadedConfig, StationConfig } from '../config.ts';

type LabelConfig = NonNullable<StationConfig['labels']>;

export function openLabelPrinter({ printer }: LabelConfig, pathOf: LoadedConfig<unknown>['pathOf']): LabelPrinter {
  if ('host' in printer) return new TcpLabelPrinter(printer);
  if ('device' in printer) return new DeviceLabelPrinter({ path: printer.device });
  return new FolderLabelPrinter({ directory: pathOf(printer.folder), form: printer.form });
}
