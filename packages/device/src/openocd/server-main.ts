// SPDX-License-Identifier: Apache-2.0
/**
 * Program: serves one simulated STM32F1 board over remote_bitbang. Prints one line of JSON with the port once it
 * listens, saves the part whenever a client goes, and ends with status 0 on SIGTERM or SIGINT after a last save.
 */
import { parseArgs } from 'node:util';
import { decodeHex, encodeHex } from '@witnessmark/core';
import { findMcuProfile, STM32F103C8_BOARD } from '../built-in-profiles.ts';
import { McuBay } from '../stm32/mcu-bay.ts';
import { McuFile } from '../stm32/mcu-file.ts';
import { RemoteBitbangServer } from './server.ts';

const USAGE = 'usage: remote-bitbang-server --part FILE [--unique-id HEX] [--profile ID] [--port N]';

async function main(): Promise<void> {
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
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void server.close());
  process.stdout.write(`${JSON.stringify({ port: server.port, uniqueId: encodeHex(file.chip.uniqueId) })}\n`);
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
