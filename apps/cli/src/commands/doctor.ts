// SPDX-License-Identifier: Apache-2.0
import { defineCommand } from '../command.ts';
import { doctorOptions } from '../options/doctor.ts';

export const doctorCommand = defineCommand({
  path: ['doctor'],
  summary: 'Examines this machine and a data directory, and says for each finding what to do.',
  examples: [
    { command: 'witnessmark doctor', note: 'this machine only' },
    { command: 'witnessmark doctor --data site', note: 'keys, trust, configuration, log, disk, line server and clock' },
    {
      command: 'witnessmark doctor --data site --device flashrom:127.0.0.1:24000 --json',
      note: 'with the fixture, for machines',
    },
  ],
  args: [],
  options: doctorOptions,
  exits: {
    0: 'nothing stands in the way of work; there may be warnings',
    1: 'at least one finding must be dealt with',
  },
  run: async (input) => (await import('../actions/doctor.ts')).doctor(input),
});
