// SPDX-License-Identifier: Apache-2.0
import { defineCommand } from '../command.ts';
import { mediaCheckOptions, mediaExportOptions, mediaIngestOptions, mediaLedgerOptions } from '../options/boundary.ts';

const medium = {
  name: 'PATH',
  description: 'a mounted medium, or a tar, tar.gz or zip archive',
  required: true,
  variadic: false,
} as const;

export const mediaIngestCommand = defineCommand({
  path: ['media', 'ingest'],
  summary:
    'Brings in a medium when everything on it is announced and nothing is a secret in the clear; a logged event.',
  examples: [
    {
      command:
        'witnessmark media ingest /media/stick --data site --repository . --medium 5A1C-0B2E --medium-from filesystemUuid --key olga.pem --to in/batch-7 --purpose "release of the week"',
      note: 'a stick with the trust repository; the line logs it',
    },
    {
      command:
        'witnessmark media ingest batch.tar.gz --data site --medium mail-0042 --key sam.pem --to in/batch-8 --purpose logs --record office',
      note: 'an archive with the statement of an export inside; no line at hand',
    },
    {
      command:
        'witnessmark media ingest /media/stick --data site --list files.txt --medium STICK-7 --medium-from mediumFile --key olga.pem --to in/batch-9 --purpose fixtures --json',
      note: 'what a list announces, for machines',
    },
  ],
  args: [medium],
  options: mediaIngestOptions,
  exits: {
    0: 'brought in, and in the log',
    4: 'refused, and that is in the log: every file that is wrong is named',
    6: 'the disk, the key or the line server failed',
  },
  run: async (input) => (await import('../actions/media-transfer.ts')).mediaIngest(input),
});

export const mediaExportCommand = defineCommand({
  path: ['media', 'export'],
  summary: 'Takes files out on a medium, numbered and signed, when none is a secret in a form that must stay inside.',
  examples: [
    {
      command:
        'witnessmark media export evidence/ --data site --medium 5A1C-0B2E --medium-from filesystemUuid --key sam.pem --to /media/stick/batch-12 --purpose "evidence of week 47"',
      note: 'a directory',
    },
    {
      command:
        'witnessmark media export site/trust --data site --medium STICK-7 --key anna.pem --to /media/stick/release --purpose "release 4.2.1" --ticket ECO-7731',
      note: 'the trust repository, with images that are sealed',
    },
    {
      command:
        'witnessmark media export logs/ --data site --medium STICK-7 --key sam.pem --to out --json --purpose logs',
      note: 'for machines',
    },
  ],
  args: [medium],
  options: mediaExportOptions,
  exits: {
    0: 'taken out, and in the log of the office',
    4: 'refused, and that is in the log: every file that is wrong is named',
    6: 'the disk or the key failed',
  },
  run: async (input) => (await import('../actions/media-transfer.ts')).mediaExport(input),
});

export const mediaCheckCommand = defineCommand({
  path: ['media', 'check'],
  summary: 'Looks through a directory or an archive for secrets that may not be there; records nothing.',
  examples: [
    { command: 'witnessmark media check /media/stick --place outside', note: 'before a stick leaves' },
    {
      command: 'witnessmark media check site/stations/S7/cache --data site --place cache',
      note: 'the cache of a station',
    },
    { command: 'witnessmark media check parcel.zip --place inside --json', note: 'an archive, for machines' },
  ],
  args: [medium],
  options: mediaCheckOptions,
  exits: { 0: 'nothing was found', 1: 'something was found; each file is named', 6: 'the disk failed' },
  run: async (input) => (await import('../actions/media-check.ts')).mediaCheck(input),
});

export const mediaLedgerCommand = defineCommand({
  path: ['media', 'ledger'],
  summary: 'Lists what crossed the boundary, from the logs and nothing else; finds gaps between exports.',
  examples: [
    { command: 'witnessmark media ledger --data site', note: 'the logs of the office and of the line' },
    {
      command: 'witnessmark media ledger --log /media/mirror/office --trust trusted-root.json',
      note: 'a mirror of a log',
    },
    { command: 'witnessmark media ledger --data site --json', note: 'for machines' },
  ],
  args: [],
  options: mediaLedgerOptions,
  exits: {
    0: 'every entry is proven, and the exports have no gap',
    1: 'an entry does not hold, or an export is missing',
    3: 'the trusted root has no key for the log',
  },
  run: async (input) => (await import('../actions/media-ledger.ts')).mediaLedger(input),
});
