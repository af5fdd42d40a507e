// SPDX-License-Identifier: Apache-2.0
/** Program: serves one simulated board over serprog, and saves the chip whenever a client goes. */
import { parseArgs } from 'node:util';
import { decodeHex } from '@witnessmark/core';
import { runBoardProgram } from '../board-program.ts';
import { findDeviceProfile, W25Q80_BOARD } from '../built-in-profiles.ts';
import { ChipFile } from '../simulated/chip-file.ts';
import { DeviceBay } from '../simulated/device-bay.ts';
import { SerprogServer } from './server.ts';

const USAGE = `usage: serprog-server --chip FILE [--unique-id HEX] [--profile ID] [--port N] [--write-protect-pin low|high]
`;

await runBoardProgram(async () => {
  const { values } = parseArgs({
    options: {
      chip: { type: 'string' },
      'unique-id': { type: 'string' },
      profile: { type: 'string', default: W25Q80_BOARD.id },
      port: { type: 'string', default: '0' },
      'write-protect-pin': { type: 'string', default: 'low' },
    },
  });
  const profile = findDeviceProfile(values.profile);
  const pin = values['write-protect-pin'];
  if (values.chip === undefined || profile === undefined || (pin !== 'low' && pin !== 'high'))
    throw new TypeError(USAGE);
  const uniqueId = values['unique-id'] === undefined ? {} : { uniqueId: decodeHex(values['unique-id']) };
  const file = ChipFile.open(values.chip, { profile, writeProtectPin: pin, ...uniqueId });
  const server = await SerprogServer.open({
    bay: new DeviceBay(file.chip),
    port: Number(values.port),
    persist: () => {
      file.save();
    },
  });
  return { server, uniqueId: file.chip.uniqueId };
});
