// SPDX-License-Identifier: Apache-2.0
/**
 * Program: serves one simulated board over serprog. Prints one line of JSON with the port once it listens, saves the
 * chip whenever a client goes, and ends with status 0 on SIGTERM or SIGINT after a last save.
 */
import { parseArgs } from 'node:util';
import { decodeHex, encodeHex } from '@witnessmark/core';
import { findDeviceProfile, W25Q80_BOARD } from '../built-in-profiles.ts';
import { ChipFile } from '../simulated/chip-file.ts';
import { DeviceBay } from '../simulated/device-bay.ts';
import { SerprogServer } from './server.ts';

const USAGE = `usage: serprog-server --chip FILE [--unique-id HEX] [--profile ID] [--port N] [--write-protect-pin low|high]
`;

async function main(): Promise<void> {
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
  const port = Number(values.port);
  if (values.chip === undefined || profile === undefined || (pin !== 'low' && pin !== 'high'))
    throw new TypeError(USAGE);
  const uniqueId = values['unique-id'] === undefined ? {} : { uniqueId: decodeHex(values['unique-id']) };
  const file = ChipFile.open(values.chip, { profile, writeProtectPin: pin, ...uniqueId });
  const server = await SerprogServer.open({
    bay: new DeviceBay(file.chip),
    port,
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
