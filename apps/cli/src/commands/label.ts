// SPDX-License-Identifier: Apache-2.0
import { defineCommand } from '../command.ts';
import {
  labelPrintOptions,
  labelReprintOptions,
  labelScanOptions,
  labelVoidOptions,
  stationCheckOptions,
} from '../options/label.ts';

const SITE = '--data site --device simulated:boards/ --operator-key site/keys/operator-olga.pem';
const SERIAL = 'GW-210-7Q3K-9ZD2-M4XT';

const LABEL_EXITS = {
  0: 'done, and in the log',
  4: 'refused by a rule; the refusal is in the log where the line could hear it',
  6: 'the line server does not answer, or the station key does not sign',
} as const;

export const labelPrintCommand = defineCommand({
  path: ['label', 'print'],
  summary: 'Prints the label of a unit that passed, from its record; a unit has one label that counts.',
  examples: [
    {
      command: `witnessmark label print ${SITE} --unit ${SERIAL}`,
      note: 'to the printer the station is configured with',
    },
    {
      command: `witnessmark label print ${SITE} --unit ${SERIAL} --json`,
      note: 'with the id of the label and its log entry',
    },
    {
      command: `witnessmark label print --config station.json --device flashrom:127.0.0.1:24000 --operator-key olga.pem --unit ${SERIAL}`,
      note: 'at a station of its own',
    },
  ],
  args: [],
  options: labelPrintOptions,
  exits: LABEL_EXITS,
  run: async (input) => (await import('../actions/label.ts')).labelPrint(input),
});

export const labelScanCommand = defineCommand({
  path: ['label', 'scan'],
  summary: 'Takes the scan of the label that was printed, and holds it against the record.',
  examples: [
    { command: `witnessmark label scan ${SITE}`, note: 'waits for the scanner' },
    { command: `witnessmark label scan ${SITE} --scan "$(cat scan.txt)"`, note: 'a scan that was kept' },
    { command: `witnessmark label scan ${SITE} --unit ${SERIAL}`, note: 'for a unit that was labelled elsewhere' },
  ],
  args: [],
  options: labelScanOptions,
  exits: { ...LABEL_EXITS, 0: 'the label is that of the unit, and the scan is in the log' },
  run: async (input) => (await import('../actions/label.ts')).labelScan(input),
});

export const labelReprintCommand = defineCommand({
  path: ['label', 'reprint'],
  summary: 'Prints another label for a unit; the one before no longer counts.',
  examples: [
    {
      command: `witnessmark label reprint ${SITE} --unit ${SERIAL} --reason "out of labels"`,
      note: 'decided by the operator',
    },
    {
      command: `witnessmark label reprint ${SITE} --unit ${SERIAL} --key sam.pem --reason smeared`,
      note: 'decided by a supervisor',
    },
    { command: `witnessmark label reprint ${SITE} --unit ${SERIAL}`, note: 'asks for the reason' },
  ],
  args: [],
  options: labelReprintOptions,
  exits: LABEL_EXITS,
  run: async (input) => (await import('../actions/label.ts')).labelReprint(input),
});

export const labelVoidCommand = defineCommand({
  path: ['label', 'void'],
  summary: 'Ends the label of a unit; without another one the unit is not shipped.',
  examples: [
    {
      command: `witnessmark label void ${SITE} --unit ${SERIAL} --key sam.pem --reason "torn off"`,
      note: 'by a supervisor',
    },
    { command: `witnessmark label void ${SITE} --unit ${SERIAL} --key sam.pem`, note: 'asks for the reason' },
    {
      command: `witnessmark label void ${SITE} --unit ${SERIAL} --key sam.pem --reason scrap --json`,
      note: 'for programs',
    },
  ],
  args: [],
  options: labelVoidOptions,
  exits: LABEL_EXITS,
  run: async (input) => (await import('../actions/label.ts')).labelVoid(input),
});

export const stationCheckCommand = defineCommand({
  path: ['station', 'check'],
  summary: 'Reads a finished unit, writes nothing, and holds it against its newest record and the label on it.',
  examples: [
    { command: `witnessmark station check ${SITE} --label ${SERIAL}`, note: 'at a check station' },
    {
      command: `witnessmark station check --data site --device flashrom:127.0.0.1:24000 --operator-key olga.pem`,
      note: 'waits for the scanner',
    },
    {
      command: `witnessmark station check ${SITE} --label ${SERIAL} --lift site/keys/supervisor-sam.pem`,
      note: 'a supervisor lifts an earlier flag, if nothing is found now',
    },
  ],
  args: [],
  options: stationCheckOptions,
  exits: {
    0: 'device, label and record go together',
    1: 'the device names itself by nothing usable',
    3: 'the device gave no answer',
    4: 'the unit is flagged, and not to be shipped; or the check was refused by a rule',
    6: 'the fixture, the device or the line server does not answer',
  },
  run: async (input) => (await import('../actions/station-check.ts')).stationCheck(input),
});
