// SPDX-License-Identifier: Apache-2.0
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
import { hasProgram } from '../has-program.ts';
import { runAlone } from '../tool-kit.ts';

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

async function flashrom({ host, port }: SerprogServer, request: string): ReturnType<typeof runAlone> {
  const programmer = ['-p', `serprog:ip=${host}:${port}`, '-c', W25Q128_BOARD.flashromChip];
  return runAlone('/usr/sbin/flashrom', [...programmer, request]);
}
