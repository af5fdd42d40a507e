// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256Hex } from '@witnessmark/core';
import { describe, it } from 'vitest';
import {
  FlashromDriver,
  sampleUniqueId,
  SerprogProcess,
  W25Q32_BOARD,
  W25Q80_BOARD,
  type DeviceProfile,
} from '../../src/index.ts';
import { hasProgram } from '../has-program.ts';

/** Real firmware from Debian packages, each on the board it fits; boot firmware sits at the top of its flash. */
const FIRMWARE: readonly { file: string; debianPackage: string; profile: DeviceProfile }[] = [
  { file: '/usr/share/seabios/bios-256k.bin', debianPackage: 'seabios', profile: W25Q80_BOARD },
  { file: '/usr/share/OVMF/OVMF_CODE_4M.fd', debianPackage: 'ovmf', profile: W25Q32_BOARD },
];

describe.concurrent('real firmware through flashrom and a programmer process', () => {
  for (const { file, debianPackage, profile } of FIRMWARE) {
    it.skipIf(!hasProgram('flashrom') || !existsSync(file))(
      `programs ${file} (${debianPackage}) into a ${profile.model} and reads it back byte for byte`,
      { timeout: 120_000 },
      async ({ expect }) => {
        const directory = mkdtempSync(join(tmpdir(), 'witnessmark-test-'));
        const chipPath = join(directory, 'unit.chip');
        const server = await SerprogProcess.start({ chipPath, profile, uniqueId: sampleUniqueId('firmware', 0) });
        try {
          const image = new Uint8Array(readFileSync(file));
          const address = profile.sizeBytes - image.length;
          const driver = await FlashromDriver.open({ profile, address: server, temporaryDirectory: directory });
          expect(await driver.program({ address, image })).toEqual({ state: 'DONE', value: undefined });
          const content = await driver.readBack({ address, length: image.length });
          expect(content.state === 'DONE' && sha256Hex(content.value)).toBe(sha256Hex(image));
        } finally {
          await server.close();
          rmSync(directory, { recursive: true, force: true });
        }
      },
    );
  }
});
