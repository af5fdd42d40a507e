// SPDX-License-Identifier: Apache-2.0
import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import {
  blankChip,
  DeviceBay,
  FlashromDriver,
  sampleUniqueId,
  SerprogServer,
  SpiNorChip,
  W25Q128_BOARD,
} from '../../src/index.ts';
import { runFlashrom, withPrivateDirectory } from '../../src/flashrom/process.ts';
import { hasProgram } from '../has-program.ts';

describe.skipIf(!hasProgram('flashrom'))('a lock as flashrom sees it', () => {
  it('protects the whole part, is held by the WP# pin, and cannot be undone', async () => {
    const chip = new SpiNorChip(blankChip({ ...W25Q128_BOARD, uniqueId: sampleUniqueId('wp-status', 0) }));
    const server = await SerprogServer.open({ bay: new DeviceBay(chip) });
    try {
      const driver = await FlashromDriver.open({ profile: W25Q128_BOARD, address: server });
      expect(await driver.lock()).toEqual({ state: 'DONE', value: undefined });
      const status = await flashrom(server, '--wp-status');
      expect(status.output).toContain('Protection range: start=0x00000000 length=0x01000000 (all)');
      expect(status.output).toContain('Protection mode: hardware');
      expect((await flashrom(server, '--wp-disable')).exitCode).not.toBe(0);
      expect(chip.snapshot().statusRegister1).toBe(0x9c);
    } finally {
      await server.close();
    }
  });
});

async function flashrom(server: SerprogServer, request: string): Promise<{ exitCode: number; output: string }> {
  let output = '';
  const exitCode = await withPrivateDirectory(tmpdir(), async (directory) =>
    runFlashrom({
      programPath: '/usr/sbin/flashrom',
      args: ['-p', `serprog:ip=${server.host}:${server.port}`, '-c', W25Q128_BOARD.flashromChip, request],
      directory,
      signal: AbortSignal.timeout(20_000),
      onOutput: (text) => {
        output += text;
      },
    }),
  );
  return { exitCode, output };
}
