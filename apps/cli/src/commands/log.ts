// SPDX-License-Identifier: Apache-2.0
import { defineCommand } from '../command.ts';
import { logFsckOptions, logShowOptions, logUnsealingsOptions } from '../options/log.ts';

export const logShowCommand = defineCommand({
  path: ['log', 'show'],
  summary: 'Shows the public log from its tiles: the signed head, and entries that are proven to be in it.',
  examples: [
    { command: 'witnessmark log show --data site', note: 'the head and the newest entries' },
    { command: 'witnessmark log show --data site --index 12', note: 'one statement, whole' },
    {
      command: 'witnessmark log show --log /media/mirror/log --trust trusted-root.json --last 100 --json',
      note: 'a copy of the log, for machines',
    },
  ],
  args: [],
  options: logShowOptions,
  exits: {
    0: 'everything shown is proven by the signed head',
    1: 'the head, a tile or an entry does not hold',
    3: 'the trusted root has no key for this log',
  },
  run: async (input) => (await import('../actions/log-show.ts')).logShow(input),
});

export const logFsckCommand = defineCommand({
  path: ['log', 'fsck'],
  summary:
    'Checks a whole log: root hash from the entries, every tile, every signature, and the database against the log.',
  examples: [
    { command: 'witnessmark log fsck --data site', note: 'everything; the line may go on meanwhile' },
    {
      command: 'witnessmark log fsck --log /media/mirror/log --trust trusted-root.json',
      note: 'a copy, without a database',
    },
    { command: 'witnessmark log fsck --data site --hashes-only --json', note: 'faster, for machines' },
  ],
  args: [],
  options: logFsckOptions,
  exits: {
    0: 'nothing is damaged',
    1: 'something is damaged; each finding names the object',
    3: 'the trusted root has no key for this log',
    6: 'the disk or the database failed',
  },
  run: async (input) => (await import('../actions/log-fsck.ts')).logFsck(input),
});

export const logUnsealingsCommand = defineCommand({
  path: ['log', 'unsealings'],
  summary: 'Balances unsealings of sealed releases against units: who had a content key, and was a unit made with it.',
  examples: [
    { command: 'witnessmark log unsealings --data site', note: 'every unsealing and every unit in the log' },
    {
      command:
        'witnessmark log unsealings --log mirror/log --trust trusted-root.json --repository stick --root trust-root.json',
      note: 'from copies of log and repository',
    },
    { command: 'witnessmark log unsealings --data site --json', note: 'for machines' },
  ],
  args: [],
  options: logUnsealingsOptions,
  exits: {
    0: 'every unit has its unsealing, and every unsealing its unit',
    1: 'something does not balance; each finding names its entry',
    3: 'the trusted root has no key for this log',
    4: 'the trust repository does not verify',
  },
  run: async (input) => (await import('../actions/log-unsealings.ts')).logUnsealings(input),
});
