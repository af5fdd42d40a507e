// SPDX-License-Identifier: Apache-2.0
import { defineCommand } from '../command.ts';
import {
  ceremonyCloseOptions,
  ceremonyReplayOptions,
  ceremonyResumeOptions,
  ceremonyRunOptions,
} from '../options/ceremony.ts';

const scriptArgument = {
  name: 'SCRIPT',
  description: 'the reviewed script, for example trust-root.ceremony.json',
  required: true,
  variadic: false,
} as const;

const ceremonyArgument = {
  name: 'CEREMONY',
  description: 'the id of a ceremony',
  required: true,
  variadic: false,
} as const;

const runExits = {
  0: 'every step is witnessed, and with --key the transcript is signed',
  1: 'aborted; "ceremony close" writes the transcript',
  4: 'refused: script, people, things, clock, or nobody to answer',
  5: 'a break, or nobody has signed the transcript: it waits to be resumed or closed',
  6: 'the disk failed, or another process holds the ceremony',
} as const;

export const ceremonyRunCommand = defineCommand({
  path: ['ceremony', 'run'],
  summary: 'Holds a key ceremony by its reviewed script, step by step, each witnessed; needs no network.',
  examples: [
    {
      command: 'witnessmark ceremony run trust-root.ceremony.json --data site --setup root-2027.setup.json',
      note: 'asks for the digest from the review first',
    },
    {
      command:
        'witnessmark ceremony run card-issue.ceremony.json --directory /media/ceremonies --setup card-17.setup.json --script-digest 7c1e02aa93d055b1c02f6e1d4a5b8890e58294f2e9a227486e8b061b31cc528f',
      note: 'on a machine that was never online',
    },
    {
      command:
        'witnessmark ceremony run trust-root.ceremony.json --data demo --setup demo.setup.json --answers demo.answers.json --key a.pem --key w.pem --json',
      note: 'on a simulated site, without people',
    },
  ],
  args: [scriptArgument],
  options: ceremonyRunOptions,
  exits: runExits,
  run: async (input) => (await import('../actions/ceremony-run.ts')).ceremonyRun(input),
});

export const ceremonyRehearseCommand = defineCommand({
  path: ['ceremony', 'rehearse'],
  summary: 'Rehearses a ceremony with spare things; says so on every line, and its keys are refused in production.',
  examples: [
    {
      command:
        'witnessmark ceremony rehearse trust-root.ceremony.json --data site --setup rehearsal-root-2027.setup.json',
      note: 'the same script, with the spare cards',
    },
    {
      command:
        'witnessmark ceremony rehearse device-ca.ceremony.json --directory /media/ceremonies --setup rehearsal-ca.setup.json',
      note: 'on a machine that was never online',
    },
    {
      command:
        'witnessmark ceremony rehearse trust-root.ceremony.json --data site --setup rehearsal.setup.json --answers rehearsal.answers.json',
      note: 'without people, to try a new script',
    },
  ],
  args: [scriptArgument],
  options: ceremonyRunOptions,
  exits: runExits,
  run: async (input) => (await import('../actions/ceremony-run.ts')).ceremonyRehearse(input),
});

export const ceremonyResumeCommand = defineCommand({
  path: ['ceremony', 'resume'],
  summary:
    'Goes on with a ceremony after a break or a crash; what cannot be undone is looked at, never repeated blindly.',
  examples: [
    { command: 'witnessmark ceremony resume root-2027 --data site', note: 'at the last witnessed step' },
    { command: 'witnessmark ceremony resume root-2027 --directory /media/ceremonies', note: 'in a folder of its own' },
    {
      command: 'witnessmark ceremony resume rehearsal-root --data site --answers rehearsal.answers.json',
      note: 'a rehearsal, without people',
    },
  ],
  args: [ceremonyArgument],
  options: ceremonyResumeOptions,
  exits: { ...runExits, 4: 'refused: the journal was changed, the clock is behind it, or the ceremony is over' },
  run: async (input) => (await import('../actions/ceremony-run.ts')).ceremonyResume(input),
});

export const ceremonyCloseCommand = defineCommand({
  path: ['ceremony', 'close'],
  summary: 'Ends a ceremony: administrator and witness sign the transcript, the office logs it, a page is printed.',
  examples: [
    {
      command:
        "witnessmark ceremony close root-2027 --data site --key 'pkcs11:token=administrator;object=approver' --key 'pkcs11:token=witness;object=approver'",
      note: 'with the cards of both; asks for their PINs',
    },
    {
      command: 'witnessmark ceremony close root-2027 --directory /media/ceremonies --key a.pem --key w.pem --unlogged',
      note: 'without a network; close once more at the office to log it',
    },
    {
      command:
        'witnessmark ceremony close root-2027 --data site --key a.pem --key w.pem --abort "the second card is broken"',
      note: 'one that cannot be finished',
    },
  ],
  args: [ceremonyArgument],
  options: ceremonyCloseOptions,
  exits: {
    0: 'closed; the transcript is signed, and logged unless --unlogged says otherwise',
    4: 'refused: a key nobody named at the opening, or one is missing',
    5: 'steps are open: resume it, or say why it is aborted',
    6: 'a token, the disk or the log failed; close again',
  },
  run: async (input) => (await import('../actions/ceremony-close.ts')).ceremonyClose(input),
});

export const ceremonyReplayCommand = defineCommand({
  path: ['ceremony', 'replay'],
  summary: 'Checks a ceremony transcript offline and shows it step by step.',
  examples: [
    {
      command: 'witnessmark ceremony replay root-2027.transcript.json --trust trusted-root.json',
      note: 'signatures, script, order, witnesses, chain, log',
    },
    {
      command:
        'witnessmark ceremony replay root-2027.transcript.json --signer a.rossi=rossi.pub.pem --signer j.abe=abe.pub.pem --unlogged',
      note: 'in the room, with keys got from their holders',
    },
    {
      command:
        'witnessmark ceremony replay root-2027.transcript.json --trust trusted-root.json --page root-2027.html -q',
      note: 'one line, and the printable page',
    },
  ],
  args: [{ name: 'FILE', description: 'a transcript, or - for stdin', required: true, variadic: false }],
  options: ceremonyReplayOptions,
  exits: {
    0: 'VERIFIED',
    1: 'FAILED: it was checked and the answer is no',
    3: 'NOT VERIFIED: unreadable, or no key you trust vouches for it',
  },
  run: async (input) => (await import('../actions/ceremony-replay.ts')).ceremonyReplay(input),
});
