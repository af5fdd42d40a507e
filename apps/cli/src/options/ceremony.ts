// SPDX-License-Identifier: Apache-2.0
/** The options of the ceremony commands. */
import { flag, list, optionalText, requiredText } from '../command.ts';

/** Where ceremonies lie. */
const place = {
  data: optionalText('--data <DIR>', 'a data directory; its folder ceremonies is used', {
    environment: 'WITNESSMARK_DATA',
  }),
  directory: optionalText('--directory <DIR>', 'a folder for ceremonies instead'),
} as const;

const answers = optionalText(
  '--answers <FILE>',
  'answers instead of people, mode 0600; for rehearsals and simulated sites only',
);

/** Who signs in the end, and where it is logged. */
const closing = {
  config: optionalText('--config <FILE>', 'the office whose evidence log gets the transcript', {
    fallback: 'the office of --data',
  }),
  key: list('--key <KEY>', 'the keys of administrator and witness, one after the other: a file or a pkcs11: URI'),
  unlogged: flag('--unlogged', 'do not log it now; close again, with the office, later'),
} as const;

export const ceremonyRunOptions = {
  ...place,
  setup: requiredText('--setup <FILE>', 'who takes part, with which things, and what the acts reach'),
  scriptDigest: optionalText(
    '--script-digest <SHA256>',
    'the digest from the review of the script; its first eight characters are asked for on a terminal',
  ),
  answers,
  ...closing,
} as const;

export const ceremonyResumeOptions = { ...place, answers, ...closing } as const;

export const ceremonyReplayOptions = {
  trust: optionalText('--trust <FILE>', 'a trusted root that has the keys of administrator and witness, and the log', {
    environment: 'WITNESSMARK_TRUST',
  }),
  signer: list('--signer <PERSON=FILE>', 'a public key (PEM) you got from this person by another way'),
  logKey: list('--log-key <KEY>', 'the verifier key (name+id+key) of a log you trust'),
  unlogged: flag('--unlogged', 'accept a transcript that is in no log yet'),
  page: optionalText('--page <FILE>', 'write the printable page there'),
} as const;

export const ceremonyCloseOptions = {
  ...place,
  ...closing,
  abort: optionalText('--abort <REASON>', 'end a ceremony that is not finished'),
} as const;
