// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildBootFirmware, buildBootImage, hasBootFirmware } from '@witnessmark/boards';
import { sha256Hex } from '@witnessmark/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  blankChip,
  DeviceBay,
  FlashromDriver,
  measureBoot,
  QemuBootCheck,
  sampleUniqueId,
  SerprogServer,
  SpiNorChip,
  W25Q80_BOARD,
} from '../../src/index.ts';
import { hasProgram } from '../has-program.ts';

const directory = mkdtempSync(join(tmpdir(), 'witnessmark-test-'));
const runs = mkdtempSync(join(directory, 'runs-'));
afterAll(() => {
  rmSync(directory, { recursive: true });
});

function expectNothingLeft(): void {
  expect(readdirSync(runs)).toEqual([]);
}

describe.skipIf(!hasProgram('qemu-system-arm') || !hasBootFirmware())(
  'needs qemu-system-arm',
  { timeout: 120_000 },
  () => {
    let code: Uint8Array;
    let image: Uint8Array;
    let expected: { sha256: string };
    beforeAll(() => {
      code = buildBootFirmware(directory);
      image = buildBootImage(code, { sizeBytes: W25Q80_BOARD.sizeBytes, seed: 'boot check' });
      expected = { sha256: sha256Hex(image) };
    });
    const boot = async (chip: Uint8Array): ReturnType<typeof measureBoot> =>
      measureBoot(await QemuBootCheck.open({ readChip: () => chip, temporaryDirectory: runs }), expected);

    it('builds the same firmware twice', () => {
      const again = mkdtempSync(join(directory, 'again-'));
      expect(sha256Hex(buildBootFirmware(again))).toBe(sha256Hex(code));
    });

    it.skipIf(!hasProgram('flashrom'))(
      'boots the chip that flashrom has programmed and read back, and the firmware names the digest of the release',
      async () => {
        const chip = new SpiNorChip(blankChip({ ...W25Q80_BOARD, uniqueId: sampleUniqueId('boot', 0) }));
        const server = await SerprogServer.open({ bay: new DeviceBay(chip) });
        try {
          const options = { profile: W25Q80_BOARD, address: server, temporaryDirectory: runs };
          const driver = await FlashromDriver.open(options);
          expect(await driver.program({ address: 0, image })).toEqual({ state: 'DONE', value: undefined });
          const content = await driver.readBack({ address: 0, length: image.length });
          expect(content.state === 'DONE' && sha256Hex(content.value)).toBe(expected.sha256);
        } finally {
          await server.close();
        }
        expect(await boot(chip.snapshot().memory)).toEqual({
          state: 'DONE',
          value: { digest: expected, result: 'SUCCESS', grade: 'measured' },
        });
        expectNothingLeft();
      },
    );

    it('finds another digest when one byte differs', async () => {
      const changed = image.slice();
      changed[changed.length - 1] = (changed.at(-1) as number) ^ 1;
      expect(await boot(changed)).toEqual({
        state: 'DONE',
        value: { digest: { sha256: sha256Hex(changed) }, result: 'FAIL', grade: 'measured' },
      });
    });

    it('ends UNKNOWN within its time limit for a chip that never boots, with nothing left', async () => {
      const blank = new Uint8Array(W25Q80_BOARD.sizeBytes).fill(0xff);
      const check = await QemuBootCheck.open({ readChip: () => blank, temporaryDirectory: runs });
      expect(await measureBoot(check, expected, { timeoutMs: 1_500 })).toEqual({
        state: 'UNKNOWN',
        detail: 'boot did not end within 1500 ms',
      });
      expectNothingLeft();
    });
  },
);

describe('QemuBootCheck with another tool in the place of QEMU', () => {
  const chip = new Uint8Array(W25Q80_BOARD.sizeBytes);
  const digest = 'ab'.repeat(32);
  const readReport = async (script: string): ReturnType<QemuBootCheck['readBootReport']> => {
    const programPath = join(directory, 'tool');
    writeFileSync(programPath, `#!/bin/sh\n${script}\n`, { mode: 0o700 });
    const check = await QemuBootCheck.open({ readChip: () => chip, programPath, temporaryDirectory: runs });
    return check.readBootReport({ timeoutMs: 20_000 });
  };

  it('takes the first report among other lines, and ends the machine', async () => {
    const lines = `printf 'U-Boot\\r\\nwitnessmark boot 1 sha256:${digest}\\r\\nwitnessmark boot 1 sha256:${'cd'.repeat(32)}\\r\\n'`;
    expect(await readReport(`${lines}; sleep 60`)).toEqual({ state: 'DONE', value: { digest: { sha256: digest } } });
    expectNothingLeft();
  });

  it.each([
    ['says nothing and ends with status 0', 'exit 0'],
    ['reports in another form', `echo "witnessmark boot 2 sha256:${digest}"; sleep 60`],
    ['reports a digest that is too short', `echo "witnessmark boot 1 sha256:${digest.slice(2)}"; sleep 60`],
    ['reports without ending the line', `printf "witnessmark boot 1 sha256:${digest}"`],
  ])('does not know what a board runs that %s', async (_, script) => {
    expect(await readReport(script)).toMatchObject({ state: 'UNKNOWN' });
    expectNothingLeft();
  });

  it('says LS-403 when QEMU is not there', async () => {
    const check = await QemuBootCheck.open({
      readChip: () => chip,
      programPath: '/nonexistent/qemu',
      temporaryDirectory: runs,
    });
    expect(await check.readBootReport()).toMatchObject({ state: 'FAILED', code: 'LS-403' });
  });

  it('refuses a chip no machine has, before anything is started', async () => {
    const check = await QemuBootCheck.open({ readChip: () => chip.subarray(1), temporaryDirectory: runs });
    await expect(check.readBootReport()).rejects.toThrow(RangeError);
  });
});
