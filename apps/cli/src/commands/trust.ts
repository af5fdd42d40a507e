// SPDX-License-Identifier: Apache-2.0
import { defineCommand } from '../command.ts';
import {
  trustEnrolOptions,
  trustExportOptions,
  trustProposeOptions,
  trustPublishOptions,
  trustReviewOptions,
  trustShowOptions,
  trustSignOptions,
  trustStatusOptions,
} from '../options/trust.ts';

const changeArgument = {
  name: 'CHANGE',
  description: 'the number of a change, for example T-0001',
  required: true,
  variadic: false,
} as const;

export const trustShowCommand = defineCommand({
  path: ['trust', 'show'],
  summary: 'Shows who is trusted: every key, who holds it, how it is kept, and how many of them it takes.',
  examples: [
    { command: 'witnessmark trust show --data site', note: 'the keys in force' },
    { command: 'witnessmark trust show --config office.json -q', note: 'the root version and thresholds only' },
    { command: 'witnessmark trust show --data site --json', note: 'for machines' },
  ],
  args: [],
  options: trustShowOptions,
  exits: { 0: 'the repository verifies', 4: 'refused: it does not' },
  run: async (input) => (await import('../actions/trust-show.ts')).trustShow(input),
});

export const trustExportCommand = defineCommand({
  path: ['trust', 'export'],
  summary: 'Writes the trusted root in force, verified, for lines, stations and verifiers to be given.',
  examples: [
    { command: 'witnessmark trust export --data site --to trusted-root.json', note: 'compare its digest on paper' },
    {
      command: 'witnessmark trust export --config office.json --to /media/stick/trusted-root.json',
      note: 'to a stick',
    },
    { command: 'witnessmark trust export --data site --to trusted-root.json --json', note: 'for machines' },
  ],
  args: [],
  options: trustExportOptions,
  exits: { 0: 'written', 4: 'refused: the repository does not verify', 6: 'the disk failed' },
  run: async (input) => (await import('../actions/trust-export.ts')).trustExport(input),
});

export const trustEnrolCommand = defineCommand({
  path: ['trust', 'enrol'],
  summary: 'States what a new key is for and proves, with the key itself, that its holder has it.',
  examples: [
    {
      command:
        "witnessmark trust enrol --key 'pkcs11:token=officer-C;serial=43;object=SIGN%20key?module-path=/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so' --owner c.lind --role approver --scope security --use root --use targets --out c.lind.enrolment.json",
      note: 'a card of a new approver',
    },
    {
      command:
        'witnessmark trust enrol --key station.pem --owner ST-09 --role station --scope L3 --out ST-09.enrolment.json',
      note: 'a station',
    },
    {
      command:
        'witnessmark trust enrol --key online.pem --owner office --use online --out online.enrolment.json --json',
      note: 'a new online key, for machines',
    },
  ],
  args: [],
  options: trustEnrolOptions,
  exits: { 0: 'written; "trust propose --enrol" adds it', 6: 'the disk or the key failed' },
  run: async (input) => (await import('../actions/trust-enrol.ts')).trustEnrol(input),
});

export const trustProposeCommand = defineCommand({
  path: ['trust', 'propose'],
  summary: 'Proposes to change who is trusted: keys enrolled or revoked, the root rotated; holders have to sign.',
  examples: [
    {
      command:
        'witnessmark trust propose --data site --key alex.pem --enrol c.lind.enrolment.json --ticket SEC-7 --reason "joins the team"',
      note: 'a new approver, and with it a new root',
    },
    {
      command:
        'witnessmark trust propose --data site --key alex.pem --revoke 17cd9f1e…6393 --ticket SEC-8 --reason lost',
      note: 'a lost card; the key id is what "trust show" prints, in full',
    },
    {
      command:
        'witnessmark trust propose --data site --key alex.pem --renew-root --ticket SEC-9 --reason "runs out" --json',
      note: 'the same keys for two more years, for machines',
    },
  ],
  args: [],
  options: trustProposeOptions,
  exits: {
    0: 'proposed; the number of the change is printed',
    4: 'refused: nobody who may, threshold below the floor, one person twice, a key that does not hold, nothing to change',
    6: 'the disk or the key failed',
  },
  run: async (input) => (await import('../actions/trust-propose.ts')).trustPropose(input),
});

export const trustReviewCommand = defineCommand({
  path: ['trust', 'review'],
  summary: 'Recomputes a change from the bytes on this machine and shows what it does to the keys in force.',
  examples: [
    { command: 'witnessmark trust review T-0001 --data site', note: 'before signing' },
    { command: 'witnessmark trust review T-0001 --config office.json', note: "on a holder's own machine" },
    { command: 'witnessmark trust review T-0001 --data site --json', note: 'for machines' },
  ],
  args: [changeArgument],
  options: trustReviewOptions,
  exits: { 0: 'the change is what was proposed', 4: 'refused: bytes changed, a key does not hold, or overtaken' },
  run: async (input) => (await import('../actions/trust-review.ts')).trustReview(input),
});

export const trustSignCommand = defineCommand({
  path: ['trust', 'sign'],
  summary: 'Signs a change with an own card, as a holder of root or targets keys, before or after it.',
  examples: [
    {
      command:
        "witnessmark trust sign T-0001 --data site --key 'pkcs11:token=officer-B;serial=42;object=SIGN%20key?module-path=/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so'",
      note: 'shows the change, then asks',
    },
    {
      command:
        'witnessmark trust sign T-0001 --data site --key site/keys/approver-anna.pem --root-key site/keys/root-anna.pem --confirm 9f3c --meaning "compared with the paper" --ticket SEC-7',
      note: 'with everything said, and a root key of its own',
    },
    {
      command: 'witnessmark trust sign T-0001 --data site --key ben.pem --deny --meaning "who is this?" --ticket SEC-7',
      note: 'denies',
    },
  ],
  args: [changeArgument],
  options: trustSignOptions,
  exits: {
    0: 'the signatures are stored; the output says who is missing',
    4: 'refused: no holder, own change, second time, expired, bytes changed, wrong characters',
    6: 'the disk or the key failed, or the card is not there',
  },
  run: async (input) => (await import('../actions/trust-sign.ts')).trustSign(input),
});

export const trustStatusCommand = defineCommand({
  path: ['trust', 'status'],
  summary: 'Says where changes of the keys stand: who signed, how many are missing, and who may.',
  examples: [
    { command: 'witnessmark trust status --data site', note: 'all changes; exit 5 while one waits for people' },
    { command: 'witnessmark trust status T-0001 --data site', note: 'one change' },
    { command: 'witnessmark trust status T-0001 --data site -qq', note: 'for scripts: the exit code only' },
  ],
  args: [{ ...changeArgument, required: false }],
  options: trustStatusOptions,
  exits: {
    0: 'published; for all changes: none waits',
    1: 'denied, expired, overtaken or void',
    4: 'there is no such change',
    5: 'waiting for people, or to be published',
  },
  run: async (input) => (await import('../actions/trust-status.ts')).trustStatus(input),
});

export const trustPublishCommand = defineCommand({
  path: ['trust', 'publish'],
  summary: 'Publishes a change that enough old and enough new holders have signed.',
  examples: [
    { command: 'witnessmark trust publish T-0001 --data site', note: 'once' },
    {
      command:
        'witnessmark trust publish T-0002 --config office.json --online-key custody:release-online-2?socket=/run/custody.sock&client=office&token-file=office.token',
      note: 'with the new online key; then name it in the configuration',
    },
    { command: 'witnessmark trust publish T-0001 --data site --json', note: 'for machines' },
  ],
  args: [changeArgument],
  options: trustPublishOptions,
  exits: {
    0: 'published, now or before',
    4: 'refused: holders are missing, or overtaken',
    6: 'the disk or a key failed',
  },
  run: async (input) => (await import('../actions/trust-publish.ts')).trustPublish(input),
});
