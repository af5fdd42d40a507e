// SPDX-License-Identifier: Apache-2.0
/** The options of the badge commands. */
import { optionalText, requiredText } from '../command.ts';

const place = {
  data: optionalText('--data <DIR>', 'a data directory: the configuration of its line, and its trusted root', {
    environment: 'WITNESSMARK_DATA',
  }),
  config: optionalText('--config <FILE>', 'a line configuration instead'),
  line: optionalText('--line <URL>', 'the line server, instead of the one the configuration listens as', {
    environment: 'WITNESSMARK_LINE',
  }),
} as const;

const decision = {
  key: requiredText('--key <KEY>', 'the own key of a supervisor', { environment: 'WITNESSMARK_SUPERVISOR_KEY' }),
  reason: optionalText('--reason <TEXT>', 'why, for the record; asked for on a terminal'),
} as const;

export const badgeListOptions = place;

export const badgeDecisionOptions = { ...place, ...decision } as const;

export const badgeEnrolOptions = {
  ...badgeDecisionOptions,
  person: requiredText('--person <ID>', 'what the person is called in every record'),
  pinSource: optionalText(
    '--pin-source <FILE>',
    'a file of mode 0600 with the PIN the person chose; asked for on a terminal',
  ),
} as const;
