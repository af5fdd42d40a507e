// SPDX-License-Identifier: Apache-2.0
import { defineCommand } from '../command.ts';
import { stationClockOptions, timeSignOptions } from '../options/time.ts';

export const stationClockCommand = defineCommand({
  path: ['station', 'clock'],
  summary: "Judges the station's time service now: by its policy, and by the time hierarchy of the line.",
  examples: [
    { command: 'witnessmark station clock --data site', note: 'the verdict, and every limit that is not kept' },
    { command: 'witnessmark station clock --config station.json --json', note: 'for monitoring' },
    { command: 'witnessmark station clock --data site || echo "no programming"', note: 'as a condition' },
  ],
  args: [],
  options: stationClockOptions,
  exits: {
    0: 'SANE',
    1: 'DEGRADED: recorded, and refused by policies that ask for SANE',
    4: 'INSANE, or a time hierarchy that is not one: nothing is signed',
  },
  run: async (input) => (await import('../actions/station-clock.ts')).stationClock(input),
});

export const timeSignCommand = defineCommand({
  path: ['time', 'sign'],
  summary: 'Signs a time hierarchy: the first person a draft, the second what the first has signed.',
  examples: [
    {
      command: 'witnessmark time sign hierarchy-3.json --data site --key ada.pem --out hierarchy-3.half',
      note: 'the first of the two people it names',
    },
    {
      command: 'witnessmark time sign hierarchy-3.half --data site --key sam.pem --out hierarchy-3.signed',
      note: 'the second; it is complete now',
    },
    {
      command:
        'witnessmark time sign hierarchy-3.half --trust trusted-root.json --key "pkcs11:token=sam" --out hierarchy-3.signed',
      note: 'with a token',
    },
  ],
  args: [{ name: 'file', description: 'a draft, or what the first person signed', required: true, variadic: false }],
  options: timeSignOptions,
  exits: {
    0: 'signed',
    4: 'the complete document is none that a station would take',
    6: 'the key does not sign',
  },
  run: async (input) => (await import('../actions/time-sign.ts')).timeSign(input),
});
