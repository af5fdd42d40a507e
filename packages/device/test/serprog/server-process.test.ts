// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseChipState, sampleUniqueId, SerprogClient, SerprogProcess, SpiNorFlash } from '../../src/index.ts';

const UNIQUE_ID = sampleUniqueId('process', 0);

let directory: string;
let chipPath: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'witnessmark-test-'));
  chipPath = join(directory, 'unit.chip');
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

describe('SerprogProcess', () => {
  it('serves a chip as a program of its own and keeps what was done to it', async () => {
    const server = await SerprogProcess.start({ chipPath, uniqueId: UNIQUE_ID });
    const { signal } = new AbortController();
    const client = await SerprogClient.open(server, signal);
    const flash = new SpiNorFlash(client, signal);
    expect(await flash.readUniqueId(8)).toEqual(UNIQUE_ID);
    await flash.programPage(0x1234, Uint8Array.of(0x5a));
    // Not closed on purpose: the server has to save on its own when it is told to end.
    await server.close();
    expect(parseChipState(new Uint8Array(readFileSync(chipPath))).memory[0x1234]).toBe(0x5a);

    const again = await SerprogProcess.start({ chipPath });
    const second = await SerprogClient.open(again, signal);
    expect(await new SpiNorFlash(second, signal).read({ address: 0x1234, length: 1 })).toEqual(Uint8Array.of(0x5a));
    await second.close();
    await again.close();
    expect(isRunning(again.pid)).toBe(false);
  });

  it('saves when a client goes, so that even a kill loses nothing of its work', async () => {
    const server = await SerprogProcess.start({ chipPath, uniqueId: UNIQUE_ID });
    const { signal } = new AbortController();
    for (const value of [0x7f, 0x3f]) {
      const client = await SerprogClient.open(server, signal);
      await new SpiNorFlash(client, signal).programPage(0, Uint8Array.of(value));
      await client.close();
    }
    // A later client's answer means that the earlier ones are gone and saved.
    const last = await SerprogClient.open(server, signal);
    await last.readProgrammerName();
    process.kill(server.pid, 'SIGKILL');
    await server.close();
    expect(parseChipState(new Uint8Array(readFileSync(chipPath))).memory[0]).toBe(0x3f);
  });

  it('says why it does not start', async () => {
    await expect(SerprogProcess.start({ chipPath })).rejects.toMatchObject({
      code: 'ERR_DEVICE_TOOL',
      message: expect.stringContaining('does not exist'),
    });
  });
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
