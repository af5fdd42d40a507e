// SPDX-License-Identifier: Apache-2.0
/** Program: serves one simulated STM32F1 board over remote_bitbang, and saves the part whenever a client goes. */
import { parseArgs } from 'node:util';
import { decodeHex } from '@witnessmark/core';
import { runBoardProgram } from '../board-program.ts';
import { findMcuProfile, STM32F103C8_BOARD } from '../built-in-profiles.ts';
import { McuBay } from '../stm32/mcu-bay.ts';
import { McuFile } from '../stm32/mcu-file.ts';
import { RemoteBitbangServer } from './server.ts';

const USAGE = 'usage: remote-bitbang-server --part FILE [--unique-id HEX] [--profile ID] [--port N]';

await runBoardProgram(async () => {
  const { values } = parseArgs({
    options: {
      part: { type: 'string' },
      'unique-id': { type: 'string' },
      profile: { type: 'string', default: STM32F103C8_BOARD.id },
      port: { type: 'string', default: '0' },
    },
  });
  const profile = findMcuProfile(values.profile);
  if (values.part === undefined || profile === undefined) throw new TypeError(USAGE);
  const uniqueId = values['unique-id'] === undefined ? {} : { uniqueId: decodeHex(values['unique-id']) };
  const file = McuFile.open(values.part, { profile, ...uniqueId });
  const server = await RemoteBitbangServer.open({
    bay: new McuBay(file.chip),
    port: Number(values.port),
    persist: () => {
      file.save();
    },
  });
  return { server, uniqueId: file.chip.uniqueId };
});
