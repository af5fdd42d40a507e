// SPDX-License-Identifier: Apache-2.0
import { defineCommand } from '../command.ts';
import {
  breakGlassOpenOptions,
  breakGlassResealOptions,
  breakGlassReviewOptions,
  breakGlassStatusOptions,
} from '../options/break-glass.ts';

export const breakGlassOpenCommand = defineCommand({
  path: ['break-glass', 'open'],
  summary: 'Suspends a rule of the line for minutes. Two people sign: the first writes it, the second gives its file.',
  examples: [
    {
      command:
        'witnessmark break-glass open --data site --key sam.pem --second ben --scope openStop --minutes 30 --reason "last board of the order" --ticket INC-7 --out opening.json',
      note: 'the first person; nothing is open yet',
    },
    { command: 'witnessmark break-glass open opening.json --data site --key ben.pem', note: 'the second; now it is' },
    {
      command:
        'witnessmark break-glass open opening.json --data site --key "pkcs11:token=ben;serial=1f2e;object=SIGN%20key?module-path=/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so" --confirm 9f3c',
      note: 'with a card',
    },
  ],
  args: [{ name: 'FILE', description: 'the opening that the first person signed', required: false, variadic: false }],
  options: breakGlassOpenOptions,
  exits: {
    0: 'it is open and in the log',
    4: 'refused: not two entitled people, too long, or an earlier one is not finished',
    5: 'the second person has to sign',
    6: 'the line server or the key does not answer',
  },
  run: async (input) => (await import('../actions/break-glass.ts')).breakGlassOpen(input),
});

export const breakGlassResealCommand = defineCommand({
  path: ['break-glass', 'reseal'],
  summary: 'Ends a break-glass, or closes the books on one that ran out by itself.',
  examples: [
    { command: 'witnessmark break-glass reseal --data site --key sam.pem', note: 'asks what was done' },
    {
      command: 'witnessmark break-glass reseal --data site --key sam.pem --done "one board" --seal S-118',
      note: 'with the number of the new seal',
    },
    {
      command: 'witnessmark break-glass reseal --line http://127.0.0.1:7300 --trust trusted-root.json --key sam.pem',
      note: 'of a line anywhere',
    },
  ],
  args: [],
  options: breakGlassResealOptions,
  exits: {
    0: 'it is resealed; a review is still to come',
    3: 'nothing waits for a reseal',
    4: 'refused: the person may not reseal',
    6: 'the line server or the key does not answer',
  },
  run: async (input) => (await import('../actions/break-glass.ts')).breakGlassReseal(input),
});

export const breakGlassReviewCommand = defineCommand({
  path: ['break-glass', 'review'],
  summary: 'Records what a person who did not open it found about a break-glass; before that there is no next one.',
  examples: [
    {
      command:
        'witnessmark break-glass review --data site --key chris.pem --verdict justified --findings "stop was about another board"',
      note: 'the next one may come',
    },
    {
      command: 'witnessmark break-glass review --data site --key chris.pem --verdict unjustified',
      note: 'units made under it fail verification from now on; asks for the findings',
    },
    {
      command:
        'witnessmark break-glass review --line http://127.0.0.1:7300 --trust trusted-root.json --key chris.pem --verdict justified',
      note: 'of a line anywhere',
    },
  ],
  args: [],
  options: breakGlassReviewOptions,
  exits: {
    0: 'the review is in the log',
    3: 'nothing waits for a review',
    4: 'refused: the person opened it, or is no approver',
    6: 'the line server or the key does not answer',
  },
  run: async (input) => (await import('../actions/break-glass.ts')).breakGlassReview(input),
});

export const breakGlassStatusCommand = defineCommand({
  path: ['break-glass', 'status'],
  summary: 'Shows the break-glass of a line: what is open, what waits for reseal or review, and the last ones.',
  examples: [
    { command: 'witnessmark break-glass status --data site', note: 'exit 5 while something waits' },
    { command: 'witnessmark break-glass status --line http://127.0.0.1:7300', note: 'of a line anywhere' },
    { command: 'witnessmark break-glass status --data site --json', note: 'for machines' },
  ],
  args: [],
  options: breakGlassStatusOptions,
  exits: {
    0: 'none is open or waits',
    5: 'one is open, or waits for its reseal or review',
    6: 'the line server does not answer',
  },
  run: async (input) => (await import('../actions/break-glass.ts')).breakGlassStatus(input),
});
