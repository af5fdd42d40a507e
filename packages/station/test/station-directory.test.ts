// SPDX-License-Identifier: Apache-2.0
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openStationDirectory } from '../src/station-directory.ts';

const MODULE = new URL('../src/station-directory.ts', import.meta.url).href;

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'station-directory-'));
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

describe('the directory of a station', () => {
  it('belongs to one process at a time, and is free again when that one lets go', () => {
    const path = join(root, 'ST-07');
    const directory = openStationDirectory(path);
    expect(statSync(path).mode & 0o077).toBe(0);
    const script = `import { openStationDirectory } from ${JSON.stringify(MODULE)}; openStationDirectory(${JSON.stringify(path)});`;
    const attempt = (): string =>
      spawnSync(process.execPath, [...process.execArgv, '-e', script], { encoding: 'utf8' }).stderr;
    expect(attempt()).toContain('ERR_STATION_LOCKED');
    directory.close();
    expect(attempt()).not.toContain('ERR_STATION_LOCKED');
  });

  it('is free again after its process was killed', async () => {
    const path = join(root, 'ST-08');
    const script = `import { openStationDirectory } from ${JSON.stringify(MODULE)};
      const held = openStationDirectory(${JSON.stringify(path)}); process.stdout.write('held');
      setInterval(() => held, 1000);`;
    const child = spawn(process.execPath, [...process.execArgv, '--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await once(child.stdout, 'data');
    expect(() => openStationDirectory(path)).toThrow(expect.objectContaining({ code: 'ERR_STATION_LOCKED' }));
    child.kill('SIGKILL');
    await once(child, 'exit');
    openStationDirectory(path).close();
  });
});
