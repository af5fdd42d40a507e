// SPDX-License-Identifier: Apache-2.0
/** The options of the media and debug-bundle commands. */
import { MEDIUM_ID_SOURCES } from '@witnessmark/attestation';
import type { SecretPlace } from '@witnessmark/boundary';
import { flag, list, optionalInteger, optionalText, requiredText, textWithDefault } from '../command.ts';

/** Written out: the package of the boundary is loaded by the commands that need it. */
const PLACES = ['inside', 'outside', 'cache'] as const satisfies readonly SecretPlace[];

const officeOptions = {
  data: optionalText('--data <DIR>', 'a data directory; its office.json and policies are used', {
    environment: 'WITNESSMARK_DATA',
  }),
  config: optionalText('--config <FILE>', 'an office configuration instead'),
  trust: optionalText('--trust <FILE>', 'the trusted root that lists the people', {
    environment: 'WITNESSMARK_TRUST',
    fallback: 'trusted-root.json of --data',
  }),
} as const;

const policyOptions = {
  secretClasses: optionalText('--secret-classes <FILE>', 'which secrets may be where, and in which form', {
    fallback: 'secret-classes.json of --data, else the built-in policy',
  }),
  markers: optionalText('--markers <FILE>', 'byte patterns that betray a secret'),
  image: list('--image <FILE>', 'a firmware image of which no part may be inside; those in the repository are known'),
} as const;

const key = requiredText('--key <FILE>', 'the own key of the person', { environment: 'WITNESSMARK_PERSON_KEY' });
const purpose = optionalText('--purpose <TEXT>', 'what for, for the record; asked for on a terminal');
const ticket = optionalText('--ticket <ID>', 'the ticket this belongs to');
const to = requiredText('--to <DIR>', 'where the files go; a directory that does not exist yet');

const mediumOptions = {
  medium: requiredText('--medium <ID>', 'the identity of the medium, as it was learnt'),
  mediumFrom: textWithDefault('--medium-from <SOURCE>', 'how the identity was learnt', 'stated', {
    choices: MEDIUM_ID_SOURCES,
  }),
  mediumSerial: optionalText('--medium-serial <SERIAL>', 'the serial of the stick or disk'),
} as const;

export const mediaIngestOptions = {
  ...officeOptions,
  ...mediumOptions,
  ...policyOptions,
  key,
  to,
  repository: optionalText('--repository <PATH>', 'where on the medium the trust repository is; . for its top'),
  list: optionalText('--list <FILE>', 'files that may be on it as well, in the format of the tree digest'),
  record: textWithDefault(
    '--record <WHERE>',
    'whose log gets the event: the line, or the office without a line',
    'line',
    {
      choices: ['line', 'office'],
    },
  ),
  line: optionalText('--line <URL>', 'the line server, instead of the configured one', {
    environment: 'WITNESSMARK_LINE',
  }),
  purpose,
  ticket,
} as const;

export const mediaExportOptions = {
  ...officeOptions,
  ...mediumOptions,
  ...policyOptions,
  key,
  to,
  purpose,
  ticket,
} as const;

export const mediaCheckOptions = {
  data: officeOptions.data,
  place: requiredText('--place <PLACE>', 'where it is, or is to go', { choices: PLACES }),
  ...policyOptions,
} as const;

export const mediaLedgerOptions = {
  data: optionalText('--data <DIR>', 'a data directory: the logs of its office and line', {
    environment: 'WITNESSMARK_DATA',
  }),
  log: list('--log <DIR>', 'a log, or a mirror of one, instead'),
  trust: officeOptions.trust,
} as const;

const contentsOptions = {
  from: requiredText('--from <DIR>', 'the directory, or archive, with the files'),
  contents: optionalText('--contents <FILE>', 'what a debug bundle may hold', {
    fallback: 'debug-contents.json of --data',
  }),
  ...policyOptions,
} as const;

export const debugBundleProposeOptions = {
  ...officeOptions,
  ...contentsOptions,
  key,
  recipient: list('--recipient <PERSON=AGE>', 'who gets it, and the age recipient of that person'),
  hours: optionalInteger('--hours <NUMBER>', 'how long it may be opened', { min: 1, max: 720, fallback: '72' }),
  reseals: optionalText('--reseals <BUNDLE>', 'the earlier bundle, when this is the same for others'),
  purpose,
  ticket: optionalText('--ticket <ID>', 'the ticket this belongs to; asked for on a terminal'),
} as const;

export const debugBundleApproveOptions = {
  ...officeOptions,
  key,
  confirm: optionalText(
    '--confirm <CHARACTERS>',
    "the first four characters of the proposal's digest; asked for on a terminal",
  ),
  meaning: optionalText('--meaning <TEXT>', 'what the signature means, for the record; asked for on a terminal'),
  ticket: optionalText('--ticket <ID>', 'the ticket this belongs to; asked for on a terminal'),
  deny: flag('--deny', 'deny instead of approve: the bundle ends for good'),
} as const;

export const debugBundleSealOptions = { ...officeOptions, ...contentsOptions, key } as const;

export const debugBundleOpenOptions = {
  data: officeOptions.data,
  trust: officeOptions.trust,
  statements: requiredText('--statements <FILE>', 'the statements that go with the file'),
  identity: requiredText('--identity <FILE>', "the recipient's age key file, as age-keygen writes it"),
  to,
} as const;

export const debugBundleStatusOptions = {
  ...officeOptions,
  leaked: optionalText('--leaked <PATH>', 'a directory or archive that was passed on: whose copy is it'),
} as const;
