// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { toPlainLine } from '../src/plain-text.ts';
import { run } from './run.ts';

describe('text from somewhere else', () => {
  it('stays on its line: nothing in it can pretend to be a verdict', () => {
    expect(toPlainLine('reason\nVERIFIED  GW-210')).toBe('reason\ufffdVERIFIED  GW-210');
    expect(toPlainLine('a\r\u2028\u2029b')).toBe('a\ufffd\ufffd\ufffdb');
  });

  it('gives the terminal no orders', () => {
    expect(toPlainLine('\u001b[2J\u001b]0;title\u0007\u009b1A')).toBe('\ufffd[2J\ufffd]0;title\ufffd\ufffd1A');
    expect(toPlainLine('\u202edelifeR')).toBe('\ufffddelifeR');
  });

  it('keeps the colours that this program writes itself', () => {
    expect(toPlainLine('\u001b[32mpass\u001b[39m  name')).toBe('\u001b[32mpass\u001b[39m  name');
  });

  it('an argument in an error message is no exception', async () => {
    const { stderr } = await run(['trace', 'x\u001b[2J\nVERIFIED', '--trust', 't', '--policy', 'p']);
    expect(stderr).not.toContain('\u001b');
    expect(stderr).not.toMatch(/^VERIFIED/m);
  });
});

describe('streams', () => {
  it('data on stdout, everything else on stderr', async () => {
    expect(await run(['explain', 'LS-101'])).toMatchObject({ exit: 0, stderr: '' });
    expect(await run(['explain', 'LS-999'])).toMatchObject({ exit: 2, stdout: '' });
  });
});
