// SPDX-License-Identifier: Apache-2.0
/** Listening to a board until its firmware has reported, within a limit of what it may say. */
import { DeviceError } from '../error.ts';
import type { BootReport } from './boot-check.ts';
import { BootLine } from './boot-line.ts';

/** A boot loader and a kernel together say some 100,000. */
export const MAX_CONSOLE_CHARACTERS = 1024 * 1024;

/** Gives what is said to `hear` until `signal` fires; then it rejects. Resolves with how the console ended by itself. */
export type Listen = (hear: (text: string) => void, signal: AbortSignal) => Promise<string>;

/**
 * Resolves with the first report. Throws a `DeviceError` for a console that ends before, for a report in another form and
 * for a board that says too much, and what `listen` throws.
 */
export async function hearReport(signal: AbortSignal, listen: Listen): Promise<BootReport> {
  const line = new BootLine();
  const heard = new AbortController();
  let characters = 0;
  const hear = (text: string): void => {
    if (heard.signal.aborted) return;
    characters += text.length;
    try {
      line.receive(text.slice(0, text.length - Math.max(0, characters - MAX_CONSOLE_CHARACTERS)));
    } catch (error) {
      heard.abort(error);
    }
    if (line.report !== null) heard.abort();
    else if (characters > MAX_CONSOLE_CHARACTERS) {
      heard.abort(
        new DeviceError('ERR_DEVICE_PROTOCOL', `the board said more than ${MAX_CONSOLE_CHARACTERS} characters`),
      );
    }
  };
  try {
    const ending = await listen(hear, AbortSignal.any([signal, heard.signal]));
    throw new DeviceError('ERR_DEVICE_TOOL', `${ending} before the firmware had reported`);
  } catch (error) {
    if (line.report === null || signal.aborted) throw error;
    return line.report;
  }
}
