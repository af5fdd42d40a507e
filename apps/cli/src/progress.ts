// SPDX-License-Identifier: Apache-2.0
/** One line of progress on stderr: redrawn on a terminal, one line per finished phase elsewhere, honest when nothing moves. */
import type { Clock } from '@witnessmark/core';
import type { Output } from './output.ts';
import type { Terminal } from './terminal.ts';

const BAR_WIDTH = 20;
const REDRAW_MS = 100;
/** Without news for this long the line says so, with a running count of seconds. */
const STALL_MS = 5000;

interface ProgressOptions {
  readonly terminal: Terminal;
  readonly output: Output;
  readonly clock: Clock;
}

export class Progress {
  readonly #options: ProgressOptions;
  #phase: string | null = null;
  #startedAt = 0;
  #movedAt = 0;
  #drawnAt = -Infinity;
  #done = 0;
  #total = 0;
  /** What is counted; null for bytes. */
  #things: string | null = null;
  #isDrawn = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ProgressOptions) {
    this.#options = options;
    options.output.beforeWrite = () => {
      this.#clear();
    };
  }

  /** Begins a phase; the one before counts as done. `total` is 0 when nothing can be counted. */
  begin(phase: string, total = 0): void {
    this.end();
    this.#phase = phase;
    this.#total = total;
    this.#done = 0;
    this.#things = null;
    this.#startedAt = this.#movedAt = this.#options.clock.monotonic();
    this.#drawnAt = -Infinity;
    this.#timer = setInterval(() => {
      this.#beat();
    }, 1000);
    this.#timer.unref();
    this.#draw();
  }

  /** Names what is being done more exactly: takes the place of a phase in which nothing was counted, else begins another. */
  refine(phase: string, total: number): void {
    if (phase === this.#phase) return;
    if (this.#done === 0) this.#leave();
    this.begin(phase, total);
  }

  /** Reports things done of the current phase, counted one by one. */
  count(done: number, total: number, things: string): void {
    this.#things = things;
    this.move(done, total);
  }

  /** Reports bytes done of the current phase. */
  move(done: number, total: number): void {
    this.#done = done;
    this.#total = total;
    this.#movedAt = this.#options.clock.monotonic();
    if (this.#movedAt - this.#drawnAt >= REDRAW_MS || done === total) this.#draw();
  }

  /** Ends the phase; its line stays. A failed phase shows what was not reached as `-`. */
  end(outcome: 'done' | 'failed' = 'done'): void {
    if (this.#phase === null) return;
    const seconds = (this.#options.clock.monotonic() - this.#startedAt) / 1000;
    const line = formatProgress({
      phase: this.#phase,
      done: outcome === 'done' ? this.#total : this.#done,
      total: this.#total,
      things: this.#things,
      rest: outcome === 'failed' ? '-' : '.',
      trailer: `${seconds.toFixed(1)} s${outcome === 'failed' ? '  failed' : ''}`,
    });
    this.#leave();
    this.#options.output.note(`  ${line}`);
  }

  #leave(): void {
    clearInterval(this.#timer);
    this.#clear();
    this.#phase = null;
  }

  #beat(): void {
    if (this.#options.clock.monotonic() - this.#movedAt >= STALL_MS) this.#draw();
  }

  #draw(): void {
    const { terminal, output, clock } = this.#options;
    if (this.#phase === null || !terminal.isAnimated || output.options.quiet > 0) return;
    const now = clock.monotonic();
    const line = formatProgress({
      phase: this.#phase,
      done: this.#done,
      total: this.#total,
      things: this.#things,
      rest: '.',
      trailer: this.#trailer(now),
    });
    terminal.write('stderr', `\r\u001b[K  ${line.slice(0, Math.max(20, terminal.columns - 3))}`);
    this.#isDrawn = true;
    this.#drawnAt = now;
  }

  #trailer(now: number): string {
    if (now - this.#movedAt >= STALL_MS) return `still working ${formatSeconds((now - this.#startedAt) / 1000)}`;
    if (this.#done === 0 || this.#total === 0) return '';
    const left = ((now - this.#startedAt) / this.#done) * (this.#total - this.#done);
    return `ETA ${Math.ceil(left / 1000)} s`;
  }

  #clear(): void {
    if (!this.#isDrawn) return;
    this.#options.terminal.write('stderr', '\r\u001b[K');
    this.#isDrawn = false;
  }
}

interface ProgressLine {
  readonly phase: string;
  readonly done: number;
  readonly total: number;
  /** What is counted; null for bytes. */
  readonly things: string | null;
  /** Fills the part of the bar that was not reached. */
  readonly rest: string;
  readonly trailer: string;
}

/** For example `PROGRAM  /############......../  61 %  0.6/1.0 MiB  ETA 1 s`. */
export function formatProgress({ phase, done, total, things, rest, trailer }: ProgressLine): string {
  const name = phase.toUpperCase().padEnd(8);
  if (total === 0) return `${name} ${trailer}`.trimEnd();
  const share = Math.min(1, done / total);
  const filled = Math.floor(share * BAR_WIDTH);
  const bar = '#'.repeat(filled) + rest.repeat(BAR_WIDTH - filled);
  const percent = String(Math.floor(share * 100)).padStart(3);
  const counts =
    things === null ? `${formatMebibytes(done)}/${formatMebibytes(total)} MiB` : `${done}/${total} ${things}`;
  return `${name} /${bar}/ ${percent} %  ${counts}  ${trailer}`.trimEnd();
}

function formatMebibytes(bytes: number): string {
  return (bytes / (1024 * 1024)).toFixed(1);
}

function formatSeconds(seconds: number): string {
  const whole = Math.floor(seconds);
  return `${String(Math.floor(whole / 60)).padStart(2, '0')}:${String(whole % 60).padStart(2, '0')}`;
}
