// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it, vi } from 'vitest';
import { Output } from '../src/output.ts';
import { formatProgress, Progress } from '../src/progress.ts';
import type { Terminal } from '../src/terminal.ts';

const MEBIBYTE = 1024 * 1024;

it('draws one line with phase, bar, share, bytes and time left', () => {
  const line = formatProgress({
    phase: 'program',
    done: 0.61 * MEBIBYTE,
    total: MEBIBYTE,
    things: null,
    rest: '.',
    trailer: 'ETA 1 s',
  });
  expect(line).toBe('PROGRAM  /############......../  61 %  0.6/1.0 MiB  ETA 1 s');
});

it('never rounds up to done', () => {
  const line = formatProgress({
    phase: 'measure',
    done: MEBIBYTE - 1,
    total: MEBIBYTE,
    things: null,
    rest: '.',
    trailer: '',
  });
  expect(line).toContain(' 99 %');
});

it('shows what a failed phase did not reach', () => {
  const line = formatProgress({
    phase: 'program',
    done: 0,
    total: MEBIBYTE,
    things: null,
    rest: '-',
    trailer: '2.0 s  failed',
  });
  expect(line).toBe('PROGRAM  /--------------------/   0 %  0.0/1.0 MiB  2.0 s  failed');
});

it('draws no bar when nothing can be counted', () => {
  expect(formatProgress({ phase: 'lock', done: 0, total: 0, things: null, rest: '.', trailer: '0.1 s' })).toBe(
    'LOCK     0.1 s',
  );
});

it('counts other things than bytes by their name', () => {
  const line = formatProgress({
    phase: 'check',
    done: 256,
    total: 1024,
    things: 'entries',
    rest: '.',
    trailer: 'ETA 1 s',
  });
  expect(line).toBe('CHECK    /#####.............../  25 %  256/1024 entries  ETA 1 s');
});

describe('the progress of a command', () => {
  function watch(isAnimated: boolean): { progress: Progress; shown: () => string; clock: { monotonicMs: number } } {
    let shown = '';
    const clock = { monotonicMs: 0 };
    const terminal: Terminal = {
      environment: {},
      isInteractive: isAnimated,
      isAnimated,
      columns: 100,
      write: (_stream, text) => {
        shown += text;
      },
      style: (_stream, _style, text) => text,
      ask: () => Promise.reject(new Error('nobody answers')),
      askSecret: () => Promise.reject(new Error('nobody answers')),
      readInput: () => Promise.reject(new Error('nothing to read')),
      lines: () => {
        throw new Error('no lines');
      },
    };
    const output = new Output(terminal, { json: false, quiet: 0 });
    const time = { now: () => 0, monotonic: () => clock.monotonicMs };
    return { progress: new Progress({ terminal, output, clock: time }), shown: () => shown, clock };
  }

  it('is one line for each phase where nothing can be redrawn', () => {
    const { progress, shown, clock } = watch(false);
    progress.begin('program');
    progress.refine('erase', MEBIBYTE);
    progress.move(MEBIBYTE, MEBIBYTE);
    clock.monotonicMs = 1500;
    progress.refine('program', MEBIBYTE);
    progress.move(MEBIBYTE / 2, MEBIBYTE);
    clock.monotonicMs = 2000;
    progress.end('failed');
    expect(shown().split('\n')).toEqual([
      '  ERASE    /####################/ 100 %  1.0/1.0 MiB  1.5 s',
      '  PROGRAM  /##########----------/  50 %  0.5/1.0 MiB  0.5 s  failed',
      '',
    ]);
  });

  it('on a terminal clears its line before anything else is printed', () => {
    const { progress, shown } = watch(true);
    progress.begin('program', MEBIBYTE);
    progress.end();
    expect(shown()).toMatch(/^\r\u001b\[K {2}PROGRAM [^\n]*\r\u001b\[K {2}PROGRAM [^\n]*100 %[^\n]*\n$/);
  });

  it('says that it is still working when nothing moves for five seconds', () => {
    vi.useFakeTimers();
    try {
      const { progress, shown, clock } = watch(true);
      progress.begin('program', MEBIBYTE);
      progress.move(1024, MEBIBYTE);
      clock.monotonicMs = 12_000;
      vi.advanceTimersByTime(1000);
      expect(shown()).toContain('still working 00:12');
      progress.end();
    } finally {
      vi.useRealTimers();
    }
  });
});
