// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import {
  blankChip,
  DeviceBay,
  FlashromDriver,
  sampleUniqueId,
  SerprogServer,
  SpiNorChip,
  W25Q80_BOARD,
} from '../../src/index.ts';
import { runFlashrom, sweepPrivateDirectories, withPrivateDirectory } from '../../src/flashrom/process.ts';
import { hasProgram } from '../has-program.ts';

describe('runFlashrom', () => {
  it('gives the exit code, passes on both streams, and hands no environment over', async () => {
    const { exitCode, output } = await run('#!/bin/sh\necho out; echo err >&2; env | sort; exit 3\n');
    expect(exitCode).toBe(3);
    expect(output).toContain('out\n');
    expect(output).toContain('err\n');
    expect(output).toContain('LC_ALL=C');
    expect(output).not.toContain('HOME=');
  });

  it('kills the tool when it is told to stop, also one that ignores polite signals', async () => {
    const controller = new AbortController();
    const running = run(
      "#!/bin/sh\ntrap '' TERM INT HUP\necho $$\nwhile :; do sleep 0.05; done\n",
      controller,
      (text) => {
        pid = Number(text);
        controller.abort();
      },
    );
    let pid = 0;
    await expect(running).rejects.toThrow();
    expect(pid).toBeGreaterThan(1);
    expect(existsSync(`/proc/${pid}`)).toBe(false);
  });

  it('does not know what a killed tool has done', async () => {
    await expect(run('#!/bin/sh\nkill -9 $$\n')).rejects.toMatchObject({ code: 'ERR_DEVICE_TOOL' });
  });

  it('says LS-403 for a tool that is not there', async () => {
    const parameters = {
      programPath: '/nonexistent/flashrom',
      args: [],
      directory: tmpdir(),
      onOutput: () => undefined,
    };
    await expect(runFlashrom({ ...parameters, signal: new AbortController().signal })).rejects.toMatchObject({
      code: 'LS-403',
    });
  });

  it.skipIf(!hasProgram('flashrom') || !hasProgram('setpriv'))(
    'takes flashrom down with a station that is killed, and its files when the next one starts',
    async () => {
      const directory = mkdtempSync(join(tmpdir(), 'witnessmark-test-'));
      const chip = new SpiNorChip(blankChip({ ...W25Q80_BOARD, uniqueId: sampleUniqueId('orphan', 0) }));
      // Busy for ever: flashrom would never end by itself.
      chip.inject({ hangs: true });
      const server = await SerprogServer.open({ bay: new DeviceBay(chip) });
      const station = spawn(process.execPath, [
        '--conditions=@witnessmark/source',
        fileURLToPath(new URL('./program-for-ever.ts', import.meta.url)),
        String(server.port),
        directory,
      ]);
      try {
        await once(station.stdout, 'data');
        expect(flashromProcesses(server.port)).toHaveLength(1);
        const gone = once(station, 'exit');
        station.kill('SIGKILL');
        await gone;
        while (flashromProcesses(server.port).length > 0) await new Promise((resolve) => setTimeout(resolve, 20));
        expect(readdirSync(directory)).toHaveLength(1);
        await FlashromDriver.open({ profile: W25Q80_BOARD, address: server, temporaryDirectory: directory });
        expect(readdirSync(directory)).toEqual([]);
      } finally {
        station.kill('SIGKILL');
        await server.close();
        rmSync(directory, { recursive: true, force: true });
      }
    },
  );
});

describe('withPrivateDirectory', () => {
  it('is readable by its owner only, and gone afterwards, also after an error', async () => {
    const parent = mkdtempSync(join(tmpdir(), 'witnessmark-test-'));
    await withPrivateDirectory(parent, (directory) => {
      expect(statSync(directory).mode & 0o777).toBe(0o700);
      writeFileSync(join(directory, 'image.bin'), 'x');
      return Promise.resolve();
    });
    await expect(withPrivateDirectory(parent, () => Promise.reject(new Error('stop')))).rejects.toThrow('stop');
    expect(readdirSync(parent)).toEqual([]);
    rmSync(parent, { recursive: true });
  });
});

describe('sweepPrivateDirectories', () => {
  it('removes what killed processes left, and nothing else', async () => {
    const parent = mkdtempSync(join(tmpdir(), 'witnessmark-test-'));
    const ended = spawn('/bin/true');
    await once(ended, 'close');
    const left = `witnessmark-flashrom-${ended.pid}-abcdef`;
    const kept = [
      `witnessmark-flashrom-${process.pid}-abcdef`,
      'witnessmark-flashrom-x',
      `another-${ended.pid}-abcdef`,
    ];
    for (const name of [left, ...kept]) mkdirSync(join(parent, name));
    writeFileSync(join(parent, left, 'image.bin'), 'x');
    symlinkSync(join(parent, 'another'), join(parent, `witnessmark-flashrom-${ended.pid}-symlink`));
    await sweepPrivateDirectories(parent);
    expect(readdirSync(parent)).toEqual([...kept, `witnessmark-flashrom-${ended.pid}-symlink`].toSorted());
    rmSync(parent, { recursive: true });
  });
});

/** Runs a shell script in the place of flashrom. */
async function run(
  script: string,
  controller: AbortController = new AbortController(),
  onText: (text: string) => void = () => undefined,
): Promise<{ exitCode: number; output: string }> {
  const directory = mkdtempSync(join(tmpdir(), 'witnessmark-test-'));
  const programPath = join(directory, 'tool');
  writeFileSync(programPath, script, { mode: 0o700 });
  let output = '';
  try {
    const exitCode = await runFlashrom({
      programPath,
      args: [],
      directory,
      signal: controller.signal,
      onOutput: (text) => {
        output += text;
        onText(text);
      },
    });
    return { exitCode, output };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function flashromProcesses(port: number): string[] {
  return readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      const line = readFileSync(`/proc/${name}/cmdline`, 'utf8');
      return line.includes('flashrom') && line.includes(`:${port}\0`);
    } catch {
      return false;
    }
  });
}
