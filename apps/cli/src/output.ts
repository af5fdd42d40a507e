// SPDX-License-Identifier: Apache-2.0
/** Data on stdout, everything else on stderr; the same text with and without a terminal. */
import { toPlainLine } from './plain-text.ts';
import type { StreamName, Style, Terminal } from './terminal.ts';

export interface OutputOptions {
  /** One JSON document on stdout instead of text. */
  readonly json: boolean;
  /** 1 keeps the last word (`-q`), 2 prints nothing (`-qq`). */
  readonly quiet: 0 | 1 | 2;
}

export class Output {
  readonly options: OutputOptions;
  readonly #terminal: Terminal;
  #beforeWrite: () => void = () => undefined;

  constructor(terminal: Terminal, options: OutputOptions) {
    this.#terminal = terminal;
    this.options = options;
  }

  /** A line of the result; whatever it was made from, it is one line. */
  data(line: string): void {
    this.block(toPlainLine(line));
  }

  /** Several lines of the result that this program composed itself. */
  block(text: string): void {
    if (!this.options.json && this.options.quiet === 0) this.#write('stdout', text);
  }

  /** The last word: one line that stays with `-q`. */
  verdict(line: string): void {
    if (!this.options.json && this.options.quiet < 2) this.#write('stdout', toPlainLine(line));
  }

  /** A line for the person watching. */
  note(line: string): void {
    if (this.options.quiet === 0) this.#write('stderr', toPlainLine(line));
  }

  /** Several lines; their parts are plain. */
  error(text: string): void {
    if (this.options.quiet < 2) this.#write('stderr', text);
  }

  /** The one document of `--json`: `ok` is true exactly when the exit code is 0. */
  document(exit: number, rest: Readonly<Record<string, unknown>>): void {
    if (!this.options.json || this.options.quiet === 2) return;
    this.#write('stdout', JSON.stringify({ ok: exit === 0, exit, ...rest }, null, 2));
  }

  style(style: Style, text: string, stream: StreamName = 'stdout'): string {
    return this.#terminal.style(stream, style, text);
  }

  /** The progress line clears itself before anything else is printed. */
  set beforeWrite(clear: () => void) {
    this.#beforeWrite = clear;
  }

  #write(stream: StreamName, line: string): void {
    this.#beforeWrite();
    this.#terminal.write(stream, `${line}\n`);
  }
}
