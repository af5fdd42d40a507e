// SPDX-License-Identifier: Apache-2.0
/** Finding the one line of a boot report in what a serial line says; everything on it is hostile. */
import type { BootReport } from './boot-check.ts';
import { DeviceError } from '../error.ts';

const MAX_LINE_CHARACTERS = 256;
const MARK = 'witnessmark boot ';
const REPORT = /^witnessmark boot 1 sha256:([0-9a-f]{64})$/;

export class BootLine {
  report: BootReport | null = null;
  #unfinished = '';

  /** Takes the next piece; the first report counts. Throws `ERR_DEVICE_PROTOCOL` for a report in another form. */
  receive(text: string): void {
    const lines = (this.#unfinished + text).split('\n');
    // Longer than a report: whatever it becomes, it is none.
    this.#unfinished = (lines.pop() ?? '').slice(0, MAX_LINE_CHARACTERS);
    for (const line of lines) this.#takeLine(line.trimEnd());
  }

  #takeLine(line: string): void {
    if (this.report !== null || !line.startsWith(MARK)) return;
    const sha256 = REPORT.exec(line)?.[1];
    if (sha256 === undefined)
      throw new DeviceError('ERR_DEVICE_PROTOCOL', 'the board reports its start in another form');
    this.report = { digest: { sha256 } };
  }
}
