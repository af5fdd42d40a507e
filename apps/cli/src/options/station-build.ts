// SPDX-License-Identifier: Apache-2.0
/** The options of the commands about what a station is made of. */
import { list, optionalInteger, optionalText, requiredText } from '../command.ts';
import { DEVICE_FORMS } from '../roots/device-forms.ts';

/** Either a data directory, with the file in its place, or the file itself. */
const configOptions = {
  data: optionalText('--data <DIR>', 'a data directory; its station.json is used', { environment: 'WITNESSMARK_DATA' }),
  config: optionalText('--config <FILE>', 'a station configuration instead'),
} as const;

const lineOption = optionalText('--line <URL>', 'the line server, instead of the configured one', {
  environment: 'WITNESSMARK_LINE',
});

const trustOption = optionalText('--trust <FILE>', 'the trusted root that lists people and stations', {
  environment: 'WITNESSMARK_TRUST',
  fallback: 'trusted-root.json of --data',
});

const keyOption = requiredText('--key <KEY>', 'your own key: a file, a pkcs11: URI or a custody: reference');

export const stationBuildProposeOptions = {
  ...configOptions,
  key: keyOption,
  approver: requiredText('--approver <PERSON>', 'who is to approve it'),
  out: requiredText('--out <DIR>', 'where record and kit go; a new directory'),
  station: list('--station <ID>', 'a station it is for, besides the one that is measured; repeat it for several'),
  tolerate: list('--tolerate <PATTERN>', 'lines that may differ: section, blank, text with * (hardware *)'),
  buildVersion: optionalInteger('--build-version <NUMBER>', 'its version', {
    min: 1,
    max: 1_000_000,
    fallback: 'the one after that of the record in use',
  }),
  reason: optionalText('--reason <TEXT>', 'why, for the record; asked for on a terminal'),
  ticket: optionalText('--ticket <ID>', 'the ticket; asked for on a terminal'),
} as const;

export const stationBuildApproveOptions = {
  data: configOptions.data,
  trust: trustOption,
  line: lineOption,
  key: keyOption,
  against: optionalText('--against <DIR>', 'the record it takes the place of, to see what is different', {
    fallback: 'the record in use, with --data',
  }),
  confirm: optionalText('--confirm <HEX4>', 'the first four characters of its digest; asked for on a terminal'),
} as const;

export const stationDiffOptions = {
  ...configOptions,
  record: optionalText('--record <DIR>', 'the approved record to compare with', {
    fallback: 'the one the configuration names',
  }),
} as const;

export const stationSelftestOptions = {
  ...configOptions,
  line: lineOption,
  device: optionalText('--device <DEVICE>', `the fixture: ${DEVICE_FORMS}`, { environment: 'WITNESSMARK_DEVICE' }),
  profile: optionalText('--profile <FILE>', 'the board, as a device profile of your own', {
    environment: 'WITNESSMARK_PROFILE',
  }),
} as const;

export const stationProveOptions = {
  ...configOptions,
  line: lineOption,
  nonce: requiredText('--nonce <TEXT>', 'what the asker wants it signed over: 8 to 64 letters, digits, dots, dashes'),
  out: requiredText('--out <FILE>', 'where the proof goes'),
} as const;

export const stationVerifyProofOptions = {
  data: optionalText('--data <DIR>', 'a data directory; its trusted root is used', { environment: 'WITNESSMARK_DATA' }),
  trust: trustOption,
  nonce: requiredText('--nonce <TEXT>', 'what you asked with'),
  station: optionalText('--station <ID>', 'the station you asked'),
  maxAgeMinutes: optionalInteger('--max-age-minutes <NUMBER>', 'how old it may be', {
    min: 1,
    max: 10_080,
    fallback: '15',
  }),
} as const;

export const stationRebuildOptions = {
  from: requiredText('--from <DIR>', 'the directory with record and kit'),
  root: requiredText('--root <DIR>', 'a new directory that becomes the root of the station'),
  data: optionalText('--data <DIR>', 'a data directory; its trusted root is used', { environment: 'WITNESSMARK_DATA' }),
  trust: trustOption,
} as const;
