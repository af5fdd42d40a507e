// SPDX-License-Identifier: Apache-2.0
import { defineCommand } from '../command.ts';
import { traceOptions } from '../options/trace.ts';

export const traceCommand = defineCommand({
  path: ['trace'],
  summary: 'Shows the history of one unit, record by record, with the verdict on it.',
  examples: [
    {
      command: 'witnessmark trace GW-210-7Q3K-9ZD2-M4XT --data site',
      note: 'by serial, from the evidence files of a site',
    },
    {
      command: 'witnessmark trace GW-210-7Q3K-9ZD2-M4XT.evidence.json --trust trusted-root.json --policy policy.json',
      note: 'from a file, offline',
    },
    {
      command:
        'witnessmark trace GW-210-7Q3K-9ZD2-M4XT --line http://127.0.0.1:7300 --trust trusted-root.json --policy policy.json',
      note: 'as the line has it now; judged here all the same',
    },
  ],
  args: [
    {
      name: 'UNIT',
      description: 'an evidence file, - for stdin, or with --data or --line a serial or device id',
      required: true,
      variadic: false,
    },
  ],
  options: traceOptions,
  exits: {
    0: 'the history is proven: VERIFIED',
    1: 'FAILED: the history was checked and does not hold',
    3: 'NOT VERIFIED: the history could not be judged, or the unit is not known',
    6: 'the line server does not answer',
  },
  run: async (input) => (await import('../actions/trace.ts')).trace(input),
});
