// SPDX-License-Identifier: Apache-2.0
/** Reading what avrdude 7 says while it works and how it ends; never the only ground for a claim about content. */
import { RefusedError } from '@witnessmark/core';
import { DeviceError } from '../error.ts';

const MAX_TAIL_CHARACTERS = 16 * 1024;
const MAX_REMARK_CHARACTERS = 200;
/** The bar of a write: fifty marks, one at a time. */
const BAR_MARKS = 50;
const BAR_START = 'Writing | ';

const SPOKE_TO_PART = 'AVR device initialized and ready to accept instructions';
const SILENT = 'programmer is not responding';
const OUT_OF_STEP = /not in sync|protocol expects|initialization failed/;
const BEGAN_WRITING = /avrdude: writing \d+ bytes (?:flash|eeprom) \.\.\./;
const CLAIMS_WRITTEN = /avrdude: \d+ bytes of (?:flash|eeprom) written/;
const NO_PORT = /cannot connect|can't open device|unable to open port|No such file or directory|Permission denied/;
const OTHER_PART = /expected signature|invalid device signature|Device signature = 0x/i;

export class AvrdudeOutput {
  #tail = '';
  #bar: { marks: number; isOpen: boolean } | null = null;
  #barOverlap = '';

  /** Takes the next piece of output and returns the share of the write that is done, or null when it did not grow. */
  receive(text: string): number | null {
    this.#tail = (this.#tail + text).slice(-MAX_TAIL_CHARACTERS);
    const before = this.#bar?.marks ?? -1;
    this.#takeBar(text);
    const marks = this.#bar?.marks ?? -1;
    return marks > before ? Math.min(marks, BAR_MARKS) / BAR_MARKS : null;
  }

  /**
   * Whether part and tool spoke past each other from the beginning, so that nothing can have changed and another start
   * may do better: an answer that came late is taken for that of the next question. A silent line stays silent.
   */
  get isOutOfStep(): boolean {
    return this.#neverBegan && OUT_OF_STEP.test(this.#tail) && !this.#tail.includes(SILENT);
  }

  get #neverBegan(): boolean {
    return !this.#tail.includes(SPOKE_TO_PART);
  }

  get claimsWritten(): boolean {
    return CLAIMS_WRITTEN.test(this.#tail);
  }

  /** What a run that ended with an error amounts to: a refusal while nothing was written, afterwards no answer. */
  toError(exitCode: number): RefusedError | DeviceError {
    const message = `avrdude ended with status ${exitCode}: ${this.#remark()}`;
    if (BEGAN_WRITING.test(this.#tail)) return new DeviceError('ERR_DEVICE_LINK', message);
    if (this.#neverBegan) return new RefusedError(NO_PORT.test(this.#tail) ? 'LS-403' : 'UF-01', message);
    return OTHER_PART.test(this.#tail)
      ? new RefusedError('UF-01', message)
      : new DeviceError('ERR_DEVICE_LINK', message);
  }

  #takeBar(text: string): void {
    let fresh = text;
    if (this.#bar === null) {
      const known = this.#barOverlap + text;
      this.#barOverlap = known.slice(-BAR_START.length);
      const at = known.indexOf(BAR_START);
      if (at < 0) return;
      this.#bar = { marks: 0, isOpen: true };
      fresh = known.slice(at + BAR_START.length);
    }
    if (!this.#bar.isOpen) return;
    const end = fresh.indexOf('|');
    const bar = end < 0 ? fresh : fresh.slice(0, end);
    this.#bar.marks += bar.split('#').length - 1;
    this.#bar.isOpen = end < 0;
  }

  /** The line that says why; printable and bounded. */
  #remark(): string {
    const lines = this.#tail
      .split('\n')
      .map((line) => line.replace(/[^\x20-\x7e]/g, ' ').trim())
      // Said of every line behind a socket.
      .filter((line) => line !== '' && !line.includes('TIOCMGET'));
    const line = lines.find((candidate) => /error/i.test(candidate)) ?? lines.at(-1) ?? 'it said nothing';
    return line.slice(0, MAX_REMARK_CHARACTERS);
  }
}
