// SPDX-License-Identifier: Apache-2.0
import { defineCommand } from '../command.ts';
import { badgeDecisionOptions, badgeEnrolOptions, badgeListOptions } from '../options/badge.ts';

const DECISION_EXITS = {
  0: 'it is in the log',
  1: 'nobody has such a badge',
  4: 'refused: not a supervisor, or the badge is not in a state for it',
  6: 'the line server or the key does not answer',
} as const;

const badgeArgument = {
  name: 'BADGE',
  description: 'the number of the badge as the reader types it, or the person who has it',
  required: true,
  variadic: false,
} as const;

export const badgeEnrolCommand = defineCommand({
  path: ['badge', 'enrol'],
  summary: 'Gives a badge to a person, who chooses a PIN: the lesser grade of signing in at a station.',
  examples: [
    {
      command: 'witnessmark badge enrol 3310 --data site --person op-lee --key sam.pem',
      note: 'asks for PIN and reason',
    },
    {
      command:
        'witnessmark badge enrol 3310 --data site --person op-lee --key sam.pem --pin-source pin.txt --reason "new hire"',
      note: 'without a terminal; the file must be readable by its owner alone',
    },
    {
      command: 'witnessmark badge enrol 3310 --config /etc/witnessmark/line.json --person op-lee --key sam.pem',
      note: 'on the machine of the line, where the PIN record stays',
    },
  ],
  args: [{ ...badgeArgument, description: 'the number of the badge as the reader types it' }],
  options: badgeEnrolOptions,
  exits: {
    0: DECISION_EXITS[0],
    4: 'refused: not a supervisor, the badge is taken, or the person has other roles',
    6: DECISION_EXITS[6],
  },
  run: async (input) => (await import('../actions/badge.ts')).badgeEnrol(input),
});

export const badgeUnlockCommand = defineCommand({
  path: ['badge', 'unlock'],
  summary: 'Lets a badge be used again that was locked after wrong PINs.',
  examples: [
    { command: 'witnessmark badge unlock 3310 --data site --key sam.pem', note: 'asks for the reason' },
    {
      command: 'witnessmark badge unlock op-lee --data site --key sam.pem --reason "typed in gloves"',
      note: 'by the person',
    },
    { command: 'witnessmark badge unlock 3310 --data site --key sam.pem --reason known --json', note: 'for machines' },
  ],
  args: [badgeArgument],
  options: badgeDecisionOptions,
  exits: DECISION_EXITS,
  run: async (input) => (await import('../actions/badge.ts')).badgeUnlock(input),
});

export const badgeRevokeCommand = defineCommand({
  path: ['badge', 'revoke'],
  summary: 'Takes a badge back for good; whoever is signed in with it is signed out.',
  examples: [
    { command: 'witnessmark badge revoke 3310 --data site --key sam.pem --reason lost', note: 'by its number' },
    { command: 'witnessmark badge revoke op-lee --data site --key sam.pem --reason left', note: 'by the person' },
    { command: 'witnessmark badge revoke 3310 --data site --key sam.pem', note: 'asks for the reason' },
  ],
  args: [badgeArgument],
  options: badgeDecisionOptions,
  exits: DECISION_EXITS,
  run: async (input) => (await import('../actions/badge.ts')).badgeRevoke(input),
});

export const badgeListCommand = defineCommand({
  path: ['badge', 'list'],
  summary: 'Lists the badges that people have, and which are locked.',
  examples: [
    { command: 'witnessmark badge list --data site', note: 'people, never numbers of badges' },
    { command: 'witnessmark badge list --config line.json --line http://127.0.0.1:7300', note: 'of a line anywhere' },
    { command: 'witnessmark badge list --data site --json', note: 'for machines' },
  ],
  args: [],
  options: badgeListOptions,
  exits: { 0: 'listed', 6: 'the line server does not answer' },
  run: async (input) => (await import('../actions/badge.ts')).badgeList(input),
});
