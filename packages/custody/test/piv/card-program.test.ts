// SPDX-License-Identifier: Apache-2.0
import { readFileSync, writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PivTool } from '@witnessmark/custody';
import { afterAll, describe, expect, it } from 'vitest';
import { parseCardMetadata } from '../../src/piv/card-metadata.ts';
import { runCardProgram } from '../../src/piv/card-program.ts';

const dir = mkdtempSync(join(tmpdir(), 'witnessmark-card-program-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const run = (script: string, input = '', timeoutMs = 30_000) =>
  runCardProgram('sh', ['-c', script], input, { timeoutMs });

describe('programs that administer cards', () => {
  it('A47: get secrets through their standard input, and never through what others can read', async () => {
    const seen = join(dir, 'seen');
    const script = `tr '\\0' ' ' < /proc/$$/cmdline > ${seen}; tr '\\0' ' ' < /proc/$$/environ >> ${seen}; read -r pin; echo "\${#pin}"`;
    expect(await run(script, 'geheim-99\n')).toEqual({ exitCode: 0, stdout: '9\n', stderr: '' });
    expect(readFileSync(seen, 'latin1')).not.toContain('geheim-99');
  });

  it('say with their exit code that they failed', async () => {
    expect(await run('echo no >&2; exit 3')).toEqual({ exitCode: 3, stdout: '', stderr: 'no\n' });
  });

  it('that hang, are missing or talk without end leave unknown what the card did', async () => {
    await expect(run('exec sleep 600', '', 200)).rejects.toMatchObject({ code: 'CE-208' });
    await expect(run('yes | head -c 300000')).rejects.toMatchObject({ code: 'CE-208' });
    expect((await run('yes | head -c 262144')).stdout).toHaveLength(262_144);
    await expect(runCardProgram('witnessmark-no-such-program', [], '', {})).rejects.toMatchObject({ code: 'CE-208' });
  });

  it('that print nothing readable are no answer', async () => {
    const bin = join(dir, 'yubico-piv-tool');
    writeFileSync(bin, '#!/bin/sh\nexit 0\n', { mode: 0o755 });
    const tool = new PivTool({ env: { PATH: `${dir}:/usr/bin:/bin` } });
    expect(await tool.cards()).toEqual([]);
    await expect(tool.findCard('11000001')).rejects.toMatchObject({ code: 'CE-209' });
  });
});

const DUMP = `Sending: 00 A4 04 00 09 A0 00 00 03 08 00 00 10 00
Received (SW1=0x90, SW2=0x00):
61 11 4F 06 00 00 10 00 01 00 79 07 4F 05 A0 00 a.O.......y.O...
00 03 08                                        ...
Sending: 00 F7 00 80 00
Received (SW1=0x90, SW2=0x00):
05 01 01 06 02 03 02 .......
Sending: 00 F7 00 81 00
Received (SW1=0x90, SW2=0x00):
05 01 00 06 02 03 03 .......
Sending: 00 F7 00 9B 00
Received (SW1=0x90, SW2=0x00):
01 01 03 02 02 00 01 05 01 01 ..........
Sending: 00 F7 00 9C 00
Received (SW1=0x6A, SW2=0x88)
`;

describe('the metadata of a card', () => {
  it('says whose secrets are of the factory and what the slot holds', () => {
    expect(parseCardMetadata(DUMP, 4)).toEqual({
      pin: { isFactory: true, triesLeft: 2 },
      puk: { isFactory: false, triesLeft: 3 },
      managementKeyIsFactory: true,
      slot9c: 'empty',
    });
  });

  it.each([
    ['generated', '03 01 01 ...', 'generated'],
    ['imported', '03 01 02 ...', 'imported'],
  ])('tells a key that was %s', (_name, bytes, expected) => {
    const dump = DUMP.replace('(SW1=0x6A, SW2=0x88)', `(SW1=0x90, SW2=0x00):\n${bytes}`);
    expect(parseCardMetadata(dump, 4).slot9c).toBe(expected);
  });

  it.each([
    ['an answer is missing', DUMP.slice(0, DUMP.lastIndexOf('Sending'))],
    ['the card does not know the command', DUMP.replaceAll('SW1=0x90', 'SW1=0x6D')],
    ['a tag is missing', DUMP.replace('05 01 01 06', '07 01 01 06')],
    ['the origin is none that is known', DUMP.replace('(SW1=0x6A, SW2=0x88)', '(SW1=0x90, SW2=0x00):\n03 01 07 ...')],
    ['there is nothing', ''],
  ])('is refused when %s', (_why, dump) => {
    expect(() => parseCardMetadata(dump, 4)).toThrow(expect.objectContaining({ code: 'CE-208' }));
  });
});
