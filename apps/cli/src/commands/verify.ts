// SPDX-License-Identifier: Apache-2.0
import { defineCommand } from '../command.ts';
import { trustOptions } from '../options/verify.ts';

export const verifyCommand = defineCommand({
  path: ['verify'],
  summary: 'Checks unit evidence files offline and says VERIFIED, FAILED or NOT VERIFIED.',
  examples: [
    {
      command: 'witnessmark verify GW-210-7Q3K-9ZD2-M4XT.evidence.json --trust trusted-root.json --policy policy.json',
      note: 'one unit, every check shown, the verdict last',
    },
    {
      command: 'witnessmark verify evidence/*.evidence.json --trust trusted-root.json --policy policy.json -q',
      note: 'a whole lot, one line; the worst verdict decides the exit code',
    },
    {
      command: 'curl -s http://line/api/v1/units/SERIAL/evidence | witnessmark verify - --trust t.json --policy p.json',
      note: 'from stdin',
    },
  ],
  args: [{ name: 'FILE', description: 'unit evidence files, or - for stdin', required: true, variadic: true }],
  options: trustOptions,
  exits: {
    0: 'VERIFIED: every file',
    1: 'FAILED: at least one file was checked and the answer is no',
    3: 'NOT VERIFIED: at least one file could not be judged, and none failed',
  },
  run: async (input) => (await import('../actions/verify.ts')).verify(input),
});
