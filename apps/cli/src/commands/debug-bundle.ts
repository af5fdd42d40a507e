// SPDX-License-Identifier: Apache-2.0
import { defineCommand } from '../command.ts';
import {
  debugBundleApproveOptions,
  debugBundleOpenOptions,
  debugBundleProposeOptions,
  debugBundleSealOptions,
  debugBundleStatusOptions,
} from '../options/boundary.ts';

const bundle = {
  name: 'BUNDLE',
  description: 'the number of a debug bundle, for example DB-0001',
  required: true,
  variadic: false,
} as const;

export const debugBundleProposeCommand = defineCommand({
  path: ['debug-bundle', 'propose'],
  summary: 'Asks for a debug bundle: lists its files, examines each, and names who may have it and until when.',
  examples: [
    {
      command:
        'witnessmark debug-bundle propose --data site --from collected/ --recipient eve=age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p --key alex.pem --purpose "verify failures" --ticket INC-77',
      note: 'for one recipient, three days',
    },
    {
      command:
        'witnessmark debug-bundle propose --data site --from collected/ --recipient eve=age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p --hours 24 --key alex.pem',
      note: 'for a day; asks for purpose and ticket',
    },
    {
      command:
        'witnessmark debug-bundle propose --data site --from collected/ --recipient uma=age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p --reseals DB-0001 --key alex.pem --purpose same --ticket INC-77',
      note: 'the same for somebody else, which is a new bundle',
    },
  ],
  args: [],
  options: debugBundleProposeOptions,
  exits: {
    0: 'proposed; the number is printed',
    4: 'refused: each file that may not be in it is named',
    6: 'the disk or the key failed',
  },
  run: async (input) => (await import('../actions/debug-bundle-propose.ts')).debugBundlePropose(input),
});

export const debugBundleApproveCommand = defineCommand({
  path: ['debug-bundle', 'approve'],
  summary: 'Approves or denies a debug bundle with an own key; two people beside the requester are needed.',
  examples: [
    {
      command:
        'witnessmark debug-bundle approve DB-0001 --data site --key anna.pem --confirm 9f3c --meaning "needed for INC-77" --ticket INC-77',
      note: 'with everything said',
    },
    { command: 'witnessmark debug-bundle approve DB-0001 --data site --key ben.pem', note: 'shows it, then asks' },
    {
      command:
        'witnessmark debug-bundle approve DB-0001 --data site --key ben.pem --deny --meaning "ask without the probe" --ticket INC-77',
      note: 'denies',
    },
  ],
  args: [bundle],
  options: debugBundleApproveOptions,
  exits: {
    0: 'the decision is signed and stored',
    4: 'refused: own request, recipient, second time, no approver, expired, wrong characters',
    6: 'the disk or the key failed',
  },
  run: async (input) => (await import('../actions/debug-bundle-approve.ts')).debugBundleApprove(input),
});

export const debugBundleSealCommand = defineCommand({
  path: ['debug-bundle', 'seal'],
  summary: 'Examines the files once more and encrypts one copy for each recipient, each with its own mark.',
  examples: [
    {
      command: 'witnessmark debug-bundle seal DB-0001 --data site --from collected/ --key alex.pem',
      note: 'prints where the sealed files are',
    },
    {
      command: 'witnessmark debug-bundle seal DB-0001 --data site --from collected.tar.gz --key alex.pem',
      note: 'the same files from an archive',
    },
    {
      command: 'witnessmark debug-bundle seal DB-0001 --data site --from collected/ --key alex.pem --json',
      note: 'for machines',
    },
  ],
  args: [bundle],
  options: debugBundleSealOptions,
  exits: {
    0: 'sealed, and in the log',
    4: 'refused: approvals are missing, or a byte changed',
    6: 'the disk or the key failed',
  },
  run: async (input) => (await import('../actions/debug-bundle-seal.ts')).debugBundleSeal(input),
});

export const debugBundleOpenCommand = defineCommand({
  path: ['debug-bundle', 'open'],
  summary: 'Verifies who agreed to a sealed debug bundle and until when, then opens it with the own key.',
  examples: [
    {
      command:
        'witnessmark debug-bundle open DB-0001.eve-1.tar.age --statements DB-0001.statements.json --trust trusted-root.json --identity key.txt --to opened',
      note: "on the recipient's machine",
    },
    {
      command:
        'witnessmark debug-bundle open DB-0001.eve-1.tar.age --statements DB-0001.statements.json --data site --identity key.txt --to opened',
      note: 'with the trusted root of a data directory',
    },
    {
      command:
        'witnessmark debug-bundle open DB-0001.eve-1.tar.age --statements DB-0001.statements.json --trust trusted-root.json --identity key.txt --to opened --json',
      note: 'for machines',
    },
  ],
  args: [{ name: 'FILE', description: 'the sealed file', required: true, variadic: false }],
  options: debugBundleOpenOptions,
  exits: {
    0: 'opened; every byte is what was approved',
    4: 'refused, nothing was written: expired, another key, damaged, or not authorised',
    6: 'the disk failed',
  },
  run: async (input) => (await import('../actions/debug-bundle-open.ts')).debugBundleOpen(input),
});

export const debugBundleStatusCommand = defineCommand({
  path: ['debug-bundle', 'status'],
  summary: 'Says where debug bundles stand, computed from signatures, and whose copy a leaked one is.',
  examples: [
    { command: 'witnessmark debug-bundle status --data site', note: 'all; exit 5 while one waits for people' },
    { command: 'witnessmark debug-bundle status DB-0001 --data site', note: 'one: contents, recipients, who signed' },
    {
      command: 'witnessmark debug-bundle status DB-0001 --data site --leaked found.tar',
      note: 'whose copy somebody passed on',
    },
  ],
  args: [{ ...bundle, required: false }],
  options: debugBundleStatusOptions,
  exits: {
    0: 'sealed; for all: none waits; for a leaked one: its recipient is found',
    1: 'denied or expired',
    3: 'a leaked copy has no mark that is known',
    4: 'there is no such bundle',
    5: 'waiting for people',
  },
  run: async (input) => (await import('../actions/debug-bundle-status.ts')).debugBundleStatus(input),
});
