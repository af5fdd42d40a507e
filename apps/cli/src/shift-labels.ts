// SPDX-License-Identifier: Apache-2.0
/** Labels of the units that pass in a shift: printed after the receipt, scanned before the next unit. */
import type { LabelResult, UnitResult } from '@witnessmark/station';
import { describeError, formatErrorReport } from './error-report.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { describeLabel } from './label-text.ts';
import type { RunningStation } from './roots/station.ts';
import type { Session } from './session.ts';

export interface ShiftLabelsOptions {
  readonly session: Session;
  readonly running: RunningStation;
  /** Writes the evidence file of a unit anew. */
  readonly keepEvidence: (unit: Pick<UnitResult, 'serial'>) => Promise<unknown>;
}

export class ShiftLabels {
  readonly #options: ShiftLabelsOptions;

  constructor(options: ShiftLabelsOptions) {
    this.#options = options;
  }

  /** The unit stays PASS whatever the printer does; that it has no label yet is said and not 0. */
  async tryToPrint({
    serial,
  }: Pick<UnitResult, 'serial'>): Promise<{ readonly exit: ExitCode; readonly label: LabelResult | null }> {
    const { session, running } = this.#options;
    const { labels } = running.station;
    if (labels === null || serial === null) return { exit: EXIT.yes, label: null };
    try {
      return { exit: EXIT.yes, label: await labels.print(serial) };
    } catch (error) {
      const report = describeError(error);
      const message = `the label was not printed: ${report.message}`;
      session.output.error(formatErrorReport({ ...report, message }));
      return { exit: report.exit, label: null };
    }
  }

  /** Whether that is the label that waits; the evidence file is then written anew, so that the label is in it. */
  async tryToScan(raw: string): Promise<boolean> {
    const { session, running, keepEvidence } = this.#options;
    try {
      const result = await running.station.labels?.scan(raw);
      if (result === undefined) return true;
      session.output.data(describeLabel(result));
      await keepEvidence(result);
      return true;
    } catch (error) {
      session.output.error(formatErrorReport(describeError(error)));
      return false;
    }
  }
}
