// SPDX-License-Identifier: Apache-2.0
import { defineCommand } from '../command.ts';
import {
  custodyServeOptions,
  keysCheckOptions,
  keysExportOptions,
  keysListOptions,
  keysQualifyOptions,
  keysReconcileOptions,
} from '../options/keys.ts';

export const custodyServeCommand = defineCommand({
  path: ['custody', 'serve'],
  summary: 'Runs the custody process: it alone talks to the token, and keeps account of every signature.',
  examples: [
    { command: 'witnessmark custody serve --data site', note: 'of a trial; Ctrl-C ends it cleanly' },
    { command: 'witnessmark custody serve --custody /etc/witnessmark/custody.json', note: 'as a service' },
    { command: 'witnessmark custody serve --custody custody.json -q', note: 'prints only the socket' },
  ],
  args: [],
  options: custodyServeOptions,
  exits: {
    0: 'ended by SIGTERM, every request answered',
    4: 'refused to start: a key is not as its policy says, or the journal was changed',
    6: 'the token is missing, busy or broken',
    130: 'ended by Ctrl-C, every request answered',
  },
  run: async (input) => (await import('../actions/custody-serve.ts')).custodyServe(input),
});

const TOKEN_EXITS = { 6: 'the token is missing, busy or broken' } as const;

export const keysCheckCommand = defineCommand({
  path: ['keys', 'check'],
  summary: 'Reads the attributes of keys back from their token and compares them with the key policies.',
  examples: [
    { command: 'witnessmark keys check --data site', note: 'every key of the custody process, and keys nobody knows' },
    { command: 'witnessmark keys check --custody /etc/witnessmark/custody.json --json', note: 'for machines' },
    {
      command:
        'witnessmark keys check --policy release-approval --key "pkcs11:token=ben;serial=1f2e;object=SIGN%20key?module-path=/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so"',
      note: 'a card',
    },
  ],
  args: [],
  options: keysCheckOptions,
  exits: { 0: 'every key is as its policy says', 4: 'a key is not; each finding has its code', ...TOKEN_EXITS },
  run: async (input) => (await import('../actions/keys-check.ts')).keysCheck(input),
});

export const keysQualifyCommand = defineCommand({
  path: ['keys', 'qualify'],
  summary:
    'Measures whether a token can do its work: latency under load, sessions, stability. It signs, so ask before.',
  examples: [
    {
      command:
        'witnessmark keys qualify --key "pkcs11:token=service;serial=1f2e;object=line-evidence?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:pin"',
      note: 'with the PIN from a file',
    },
    { command: 'witnessmark keys qualify --key "$KEY" --signatures 1000', note: 'longer' },
    { command: 'witnessmark keys qualify --key "$KEY" --acceptable-ms 50 --json', note: 'stricter, for machines' },
  ],
  args: [],
  options: keysQualifyOptions,
  exits: { 0: 'qualified', 1: 'not qualified; the text says why', ...TOKEN_EXITS },
  run: async (input) => (await import('../actions/keys-check.ts')).keysQualify(input),
});

export const keysReconcileCommand = defineCommand({
  path: ['keys', 'reconcile'],
  summary:
    'Balances what custody signed against the evidence logs and, where there is one, the audit log of the token.',
  examples: [
    { command: 'witnessmark keys reconcile --data site', note: 'custody, line log and office log of a data directory' },
    {
      command:
        'witnessmark keys reconcile --custody custody.json --log /media/mirror/log --trust trusted-root.json --token-log audit-1.bin --token-key 17=9f3c…',
      note: 'with readings of a YubiHSM',
    },
    { command: 'witnessmark keys reconcile --data site --json', note: 'for machines' },
  ],
  args: [],
  options: keysReconcileOptions,
  exits: {
    0: 'every signature is explained, in both directions',
    1: 'something does not balance; each finding names its request, entry or key',
    3: 'it balances but for requests of which nobody can tell whether they were signed',
    4: 'the journal of custody was changed',
  },
  run: async (input) => (await import('../actions/keys-reconcile.ts')).keysReconcile(input),
});

export const keysListCommand = defineCommand({
  path: ['keys', 'list'],
  summary: 'Lists the keys of the registry: what for, whose, where, in which state, known how.',
  examples: [
    { command: 'witnessmark keys list --data site', note: 'the registry of a data directory' },
    { command: 'witnessmark keys list --registry registry.json', note: 'a registry anywhere' },
    { command: 'witnessmark keys list --data site --json', note: 'for machines' },
  ],
  args: [],
  options: keysListOptions,
  exits: { 0: 'the registry is whole', 4: 'the registry contradicts itself' },
  run: async (input) => (await import('../actions/keys-registry.ts')).keysList(input),
});

export const keysExportCommand = defineCommand({
  path: ['keys', 'export'],
  summary: 'Prints the key registry as JSON, or as a CycloneDX bill of cryptography.',
  examples: [
    { command: 'witnessmark keys export --data site > registry.json', note: 'the registry, formatted anew' },
    { command: 'witnessmark keys export --data site --format cyclonedx > cbom.json', note: 'for other tools' },
    { command: 'witnessmark keys export --registry registry.json --format cyclonedx', note: 'a registry anywhere' },
  ],
  args: [],
  options: keysExportOptions,
  exits: { 0: 'the document is on stdout', 4: 'the registry contradicts itself' },
  run: async (input) => (await import('../actions/keys-registry.ts')).keysExport(input),
});
