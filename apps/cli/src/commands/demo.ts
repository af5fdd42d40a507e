// SPDX-License-Identifier: Apache-2.0
import { defineCommand } from '../command.ts';
import { demoOptions } from '../options/demo.ts';

export const demoCommand = defineCommand({
  path: ['demo'],
  summary:
    'Shows the whole way of a unit, from an approved release to a verdict anybody can check, and what goes wrong.',
  examples: [
    { command: 'npm run demo', note: 'in a checkout: sets itself up, runs the demo, leaves a line running' },
    {
      command: 'witnessmark demo --headless --units 5 --data /tmp/demo',
      note: 'the programming part only; exit 0 only when every unit verifies',
    },
    {
      command: 'npm run demo -- --headless --scene station --data /tmp/demo',
      note: 'two stations with flashrom and OpenOCD, and what happens to stations: every unit has a verdict or a named hold',
    },
  ],
  args: [],
  options: demoOptions,
  exits: {
    0: 'every unit verifies, and everything that went wrong was refused',
    1: 'a unit failed, or something that went wrong was not refused as it must be',
    3: 'a unit could not be judged',
    4: 'a unit was refused',
    6: 'a process, a port or the disk failed',
  },
  run: async (input) => (await import('../actions/demo.ts')).demo(input),
});
