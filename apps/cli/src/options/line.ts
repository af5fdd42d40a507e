// SPDX-License-Identifier: Apache-2.0
/** The options of the line commands. */
import { DISPOSITION_ACTIONS } from '@witnessmark/attestation';
import { optionalInteger, optionalText, requiredText } from '../command.ts';

/** Either a data directory, with the file in its place, or the file itself. */
const lineConfigOptions = {
  data: optionalText('--data <DIR>', 'a data directory; its line.json is used', { environment: 'WITNESSMARK_DATA' }),
  config: optionalText('--config <FILE>', 'a line configuration instead'),
} as const;

export const lineServeOptions = {
  ...lineConfigOptions,
  host: optionalText('--host <ADDRESS>', 'where to listen, instead of the configured address', {
    environment: 'WITNESSMARK_HOST',
  }),
  port: optionalInteger('--port <NUMBER>', 'the port, instead of the configured one; 0 takes a free one', {
    min: 0,
    max: 65_535,
  }),
} as const;

/** Where the line is: a data directory knows its URL and trusted root. */
const lineClientOptions = {
  data: optionalText('--data <DIR>', 'a data directory: the URL of its line, and its trusted root', {
    environment: 'WITNESSMARK_DATA',
  }),
  line: optionalText('--line <URL>', 'the line server, instead of the configured one', {
    environment: 'WITNESSMARK_LINE',
  }),
} as const;

export const lineStopsOptions = lineClientOptions;

export const lineDecideOptions = {
  ...lineClientOptions,
  trust: optionalText('--trust <FILE>', 'the trusted root that lists the supervisor', {
    environment: 'WITNESSMARK_TRUST',
    fallback: 'trusted-root.json of --data',
  }),
  key: requiredText('--key <FILE>', 'the own key of the supervisor', { environment: 'WITNESSMARK_SUPERVISOR_KEY' }),
  action: requiredText('--action <ACTION>', 'the decision; which are allowed depends on the code', {
    choices: DISPOSITION_ACTIONS,
  }),
  reason: optionalText('--reason <TEXT>', 'why, for the record; asked for on a terminal'),
} as const;
