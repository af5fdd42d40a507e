// SPDX-License-Identifier: Apache-2.0
import { defineCommand } from '../command.ts';
import { stationLabelOptions, stationOptions, stationProgramOptions } from '../options/station.ts';

const UNIT_EXITS = {
  0: 'PASS: programmed, measured, recorded, and the evidence file is written',
  1: 'FAIL: this unit is bad; its record says why',
  3: 'the state of the device is not known; leave the unit, run again',
  4: 'LINE STOP: refused by a rule; the record says which',
  5: 'HOLD: a supervisor decides about the unit',
  6: 'the fixture, the device or the line server does not answer',
} as const;

export const stationProgramCommand = defineCommand({
  path: ['station', 'program'],
  summary: 'Takes one unit from the scan of its label to PASS, FAIL, LINE STOP or HOLD.',
  examples: [
    {
      command:
        'witnessmark station program --data site --device simulated:board.chip --operator-key site/keys/operator-olga.pem --label GW-210-7Q3K-9ZD2-M4XT',
      note: 'a simulated board',
    },
    {
      command:
        'witnessmark station program --data site --device flashrom:127.0.0.1:24000 --operator-key olga.pem --label GW-210-7Q3K-9ZD2-M4XT',
      note: 'a board on a serprog programmer, through flashrom',
    },
    {
      command:
        'witnessmark station program --config station.json --device simulated:board.chip --operator-key olga.pem',
      note: 'asks for the label',
    },
  ],
  args: [],
  options: stationProgramOptions,
  exits: UNIT_EXITS,
  run: async (input) => (await import('../actions/station.ts')).stationProgram(input),
});

export const stationRunCommand = defineCommand({
  path: ['station', 'run'],
  summary: 'Runs a station: one label per line on stdin, one unit after the other.',
  examples: [
    {
      command: 'witnessmark station run --data site --device simulated:boards/ --operator-key olga.pem < labels.txt',
      note: 'simulated boards, each in the file boards/LABEL.chip',
    },
    {
      command: 'witnessmark station run --data site --device flashrom:127.0.0.1:24000 --operator-key olga.pem',
      note: 'with a scanner that types; Ctrl-D ends the shift',
    },
    {
      command:
        'witnessmark station run --data site --device simulated:boards/ --operator-key olga.pem --json < labels.txt',
      note: 'one JSON document with every unit, when all are done',
    },
  ],
  args: [],
  options: stationOptions,
  exits: {
    ...UNIT_EXITS,
    0: 'every unit passed',
    1: 'at least one unit failed',
    4: 'at least one LINE STOP, and no unit failed',
  },
  run: async (input) => (await import('../actions/station-run.ts')).stationRun(input),
});

export const stationLabelCommand = defineCommand({
  path: ['station', 'label'],
  summary: 'Reads the hardware identifier of the device in the fixture and prints the label serial that belongs to it.',
  examples: [
    {
      command: 'witnessmark station label --data site --device simulated:board.chip',
      note: 'what to print on its label',
    },
    {
      command: 'witnessmark station label --data site --device simulated:board.chip,uid=d2651c0b1f3a7788',
      note: 'makes the simulated board when there is none',
    },
    {
      command: 'witnessmark station label --data site --device avrdude:/dev/ttyACM0 --profile boards/sensor.json',
      note: 'for a board that programs itself, described by a profile of your own',
    },
  ],
  args: [],
  options: stationLabelOptions,
  exits: {
    0: 'the serial is printed',
    1: 'the device has no usable hardware identifier',
    3: 'the device gave no answer',
    6: 'the fixture does not answer, or no device is in it',
  },
  run: async (input) => (await import('../actions/station.ts')).stationLabel(input),
});
