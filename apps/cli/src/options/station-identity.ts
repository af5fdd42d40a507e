// SPDX-License-Identifier: Apache-2.0
/** The options of the commands about who a station is, and of the office's side of them. */
import { flag, list, optionalInteger, optionalText, requiredText, textWithDefault } from '../command.ts';
import { officeOptions, personKey, reason, ticket } from './office.ts';

const stationPlace = {
  data: optionalText('--data <DIR>', 'a data directory; its station.json is used', { environment: 'WITNESSMARK_DATA' }),
  config: optionalText('--config <FILE>', 'a station configuration instead'),
} as const;

export const stationInitOptions = {
  data: requiredText('--data <DIR>', 'the directory to make; empty or new', { environment: 'WITNESSMARK_DATA' }),
  station: optionalText('--station <NAME>', 'what the station is called; asked for on a terminal'),
  line: optionalText('--line <NAME>', 'its line; asked for on a terminal'),
  plant: optionalText('--plant <NAME>', 'its plant; asked for on a terminal'),
  lineUrl: optionalText('--line-url <URL>', 'where the line server lives; asked for on a terminal'),
  repository: optionalText(
    '--repository <DIR>',
    'a copy of the trust repository, brought along; asked for on a terminal',
  ),
  rootFingerprint: optionalText(
    '--root-fingerprint <TEXT>',
    'SHA-256 of the first root of the repository, from the work sheet; asked for on a terminal',
  ),
  stationKey: optionalText(
    '--station-key <KEY>',
    'where the key of its statements is or will be; asked for on a terminal',
  ),
  connectionKey: optionalText(
    '--connection-key <KEY>',
    'where the key of its connections is or will be; for https only',
  ),
  sku: optionalText('--sku <SKU>', 'the product made; asked for on a terminal'),
  hwVersion: optionalText('--hw-version <NAME>', 'its hardware version; asked for on a terminal'),
  tpmKey: optionalText('--tpm-key <HANDLE>', 'a TPM key that signs quotes, for example 0x81010002'),
  tpmEndorsementKey: optionalText(
    '--tpm-endorsement-key <HANDLE>',
    "the TPM maker's key, for the machine's fingerprint",
  ),
  tpmTcti: optionalText('--tpm-tcti <TEXT>', 'how tpm2-tools reach the TPM', {
    fallback: "the machine's resource manager",
  }),
  production: flag('--production', 'refuse keys that production may not have'),
} as const;

export const stationEnrollOptions = {
  ...stationPlace,
  out: optionalText('--out <FILE>', 'a copy of the request, for the way to the office'),
  answer: optionalText('--answer <FILE>', "installs the office's answer, and checks it"),
  again: flag('--again', 'a new request in place of the one that is there'),
} as const;

export const stationRetireOptions = {
  ...stationPlace,
  key: optionalText('--key <KEY>', "a supervisor's own key, when the station key is lost", {
    environment: 'WITNESSMARK_SUPERVISOR_KEY',
  }),
  reason,
  destroyKeys: flag('--destroy-keys', 'afterwards, end the keys of the station on this machine for good'),
  confirm: optionalText(
    '--confirm <CHARACTERS>',
    "the first four characters of the retirement's digest; asked for on a terminal",
  ),
} as const;

export const trustAdmitOptions = {
  ...officeOptions,
  key: personKey('author or approver who compared the paper', 'WITNESSMARK_AUTHOR_KEY'),
  request: requiredText('--request <FILE>', 'the request as it was brought'),
  fingerprint: optionalText('--fingerprint <TEXT>', 'the fingerprint as the paper has it; asked for on a terminal'),
  authorityKey: optionalText('--authority-key <KEY>', 'signs the certificate of the connection'),
  authority: optionalText('--authority <FILE>', 'the certificate of that authority, PEM'),
  days: optionalInteger('--days <NUMBER>', 'how long the certificate is valid', { min: 1, max: 1095, fallback: '365' }),
  out: requiredText('--out <FILE>', 'where the answer goes'),
  ticket,
  reason,
} as const;

export const trustAuthorityOptions = {
  key: requiredText(
    '--key <KEY>',
    'the key of the authority: a file, which is made when it is not there, or a pkcs11: reference',
  ),
  organization: requiredText('--organization <NAME>', 'the plant or company'),
  name: textWithDefault('--name <NAME>', 'what the authority is called', 'station authority'),
  days: optionalInteger('--days <NUMBER>', 'how long it is valid', { min: 1, max: 7300, fallback: '3650' }),
  out: requiredText('--out <FILE>', 'where its certificate goes, PEM'),
} as const;

export const trustCertifyLineOptions = {
  authorityKey: requiredText('--authority-key <KEY>', 'the key of the authority'),
  authority: requiredText('--authority <FILE>', 'its certificate, PEM'),
  key: requiredText(
    '--key <KEY>',
    'the key of the line server: a file, which is made when it is not there, or a pkcs11: reference',
  ),
  host: list('--host <NAME>', 'a DNS name or IP address under which the line is reached'),
  days: optionalInteger('--days <NUMBER>', 'how long it is valid', { min: 1, max: 1095, fallback: '365' }),
  out: requiredText('--out <FILE>', 'where the certificate goes, PEM'),
} as const;
