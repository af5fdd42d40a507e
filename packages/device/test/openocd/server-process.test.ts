// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { sha256Hex } from '@witnessmark/core';
import { OpenocdDriver, RemoteBitbangProcess, STM32F103C8_BOARD } from '../../src/index.ts';
import { hasProgram } from '../has-program.ts';
import { MCU_KIT } from '../stm32/kit.ts';

const directory = mkdtempSync(join(tmpdir(), 'witnessmark-test-'));
const profile = STM32F103C8_BOARD;

afterAll(() => {
  rmSync(directory, { recursive: true });
});

describe('RemoteBitbangProcess', () => {
  it.skipIf(!hasProgram('openocd'))(
    'serves a part that keeps content and lock when the process ends, a 64 KiB one too',
    async () => {
      const partPath = join(directory, 'unit.mcu');
      const uniqueId = MCU_KIT.uniqueId('process', 0);
      const first = await RemoteBitbangProcess.start({ partPath, uniqueId, profile });
      const driver = await openDriver(first);
      expect(await driver.identify()).toEqual({
        state: 'DONE',
        value: { model: 'STM32F103C8', sizeBytes: 65536, jedecId: '16410041' },
      });
      expect(await driver.program({ address: 0, image: MCU_KIT.image })).toMatchObject({ state: 'DONE' });
      const content = await driver.readBack({ address: 0, length: MCU_KIT.image.length });
      expect(content.state === 'DONE' && sha256Hex(content.value)).toBe(sha256Hex(MCU_KIT.image));
      expect(await driver.lock()).toMatchObject({ state: 'DONE' });
      await first.close();
      // Another process is another power-up: the lock acts now.
      const second = await RemoteBitbangProcess.start({ partPath, profile });
      const again = await openDriver(second);
      expect(await again.readHardwareId()).toEqual({ state: 'DONE', value: { scheme: 'mcu-uid', value: uniqueId } });
      expect(await again.readLockState()).toEqual({ state: 'DONE', value: 'locked' });
      await second.close();
      expect(readdirSync(directory)).toEqual(['unit.mcu']);
    },
  );

  it('does not start without a part, and says why', async () => {
    await expect(RemoteBitbangProcess.start({ partPath: join(directory, 'none.mcu') })).rejects.toMatchObject({
      code: 'ERR_DEVICE_TOOL',
      message: expect.stringContaining('does not exist') as string,
    });
  });
});

async function openDriver({ host, port }: RemoteBitbangProcess): Promise<OpenocdDriver> {
  return OpenocdDriver.open({ profile, address: { host, port } });
}
