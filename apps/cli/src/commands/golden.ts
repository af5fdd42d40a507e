// SPDX-License-Identifier: Apache-2.0
import { defineCommand } from '../command.ts';
import {
  goldenCheckOptions,
  goldenListOptions,
  goldenRegisterOptions,
  goldenRetireOptions,
} from '../options/golden.ts';

export const goldenRegisterCommand = defineCommand({
  path: ['golden', 'register'],
  summary: 'Registers the device in the fixture as a golden or known-bad unit; it can never be shipped from then on.',
  examples: [
    {
      command:
        'witnessmark golden register --data site --device simulated:golden.chip --kind golden --image firmware.bin --key sam.pem --reason "line 3, station check"',
      note: 'a board that holds the image',
    },
    {
      command:
        'witnessmark golden register --data site --device flashrom:127.0.0.1:24000 --kind knownBad --image firmware.bin --key sam.pem --reason "one bit off"',
      note: 'a board that does not',
    },
    {
      command:
        'witnessmark golden register --data site --slot 2 --kind golden --image firmware.bin --address 4096 --key sam.pem',
      note: 'in a slot of station.json; asks for the reason',
    },
  ],
  args: [],
  options: goldenRegisterOptions,
  exits: {
    0: 'the unit is registered',
    1: 'the device has no usable hardware identifier',
    3: 'the device gave no answer',
    4: 'refused: not a supervisor, or a device that cannot be such a unit',
    6: 'the fixture, the device or the line server does not answer',
  },
  run: async (input) => (await import('../actions/golden.ts')).goldenRegister(input),
});

export const goldenRetireCommand = defineCommand({
  path: ['golden', 'retire'],
  summary: 'Takes a golden or known-bad unit out of use; it stays what can never be shipped.',
  examples: [
    {
      command: 'witnessmark golden retire GW-210-7Q3K-9ZD2-M4XT --data site --key sam.pem --reason "worn out"',
      note: 'by its serial',
    },
    {
      command: 'witnessmark golden retire GW-210-7Q3K-9ZD2-M4XT --data site --key sam.pem',
      note: 'asks for the reason',
    },
    {
      command:
        'witnessmark golden retire GW-210-7Q3K-9ZD2-M4XT --config station.json --key sam.pem --reason lost --json',
      note: 'for machines',
    },
  ],
  args: [{ name: 'SERIAL', description: 'the serial of the unit', required: true, variadic: false }],
  options: goldenRetireOptions,
  exits: {
    0: 'the unit is out of use',
    3: 'no such unit is in use',
    4: 'refused: not a supervisor',
    6: 'the line server or the key does not answer',
  },
  run: async (input) => (await import('../actions/golden.ts')).goldenRetire(input),
});

export const goldenCheckCommand = defineCommand({
  path: ['golden', 'check'],
  summary:
    'Proves the station with a registered unit in the fixture: reads it back, writes nothing, and logs what it showed.',
  examples: [
    {
      command:
        'witnessmark golden check --data site --device simulated:golden.chip --kind golden --operator-key olga.pem',
      note: 'the golden unit must pass',
    },
    {
      command:
        'witnessmark golden check --data site --device flashrom:127.0.0.1:24000 --kind knownBad --operator-key olga.pem',
      note: 'the known-bad unit must fail',
    },
    {
      command: 'witnessmark golden check --data site --slot 2 --kind golden --operator-key olga.pem --json',
      note: 'a slot of station.json, for machines',
    },
  ],
  args: [],
  options: goldenCheckOptions,
  exits: {
    0: 'the unit did as expected',
    3: 'the device gave no answer',
    4: 'it did not: the station is stopped until a check succeeds',
    6: 'the fixture or the line server does not answer',
  },
  run: async (input) => (await import('../actions/golden.ts')).goldenCheck(input),
});

export const goldenListCommand = defineCommand({
  path: ['golden', 'list'],
  summary: 'Lists the golden and known-bad units in use, and the newest checks.',
  examples: [
    { command: 'witnessmark golden list --data site', note: 'as the line has them' },
    { command: 'witnessmark golden list --config station.json', note: 'of the line a station belongs to' },
    { command: 'witnessmark golden list --data site --json', note: 'for machines' },
  ],
  args: [],
  options: goldenListOptions,
  exits: { 0: 'listed', 6: 'the line server does not answer' },
  run: async (input) => (await import('../actions/golden.ts')).goldenList(input),
});
