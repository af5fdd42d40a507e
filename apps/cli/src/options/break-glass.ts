// SPDX-License-Identifier: Apache-2.0
/** The options of the break-glass commands. */
import { BREAK_GLASS_SCOPES, BREAK_GLASS_VERDICTS, MAX_BREAK_GLASS_MINUTES } from '@witnessmark/attestation';
import { list, optionalInteger, optionalText, requiredText } from '../command.ts';

/** Where the line is, and who the people are. */
const lineOptions = {
  data: optionalText('--data <DIR>', 'a data directory: the line, its URL, and its trusted root', {
    environment: 'WITNESSMARK_DATA',
  }),
  line: optionalText('--line <URL>', 'the line server, instead of the configured one', {
    environment: 'WITNESSMARK_LINE',
  }),
} as const;

const personOptions = {
  ...lineOptions,
  trust: optionalText('--trust <FILE>', 'the trusted root that lists the people', {
    environment: 'WITNESSMARK_TRUST',
    fallback: 'trusted-root.json of --data',
  }),
  key: requiredText('--key <KEY>', 'your own key: a file, a pkcs11: URI or a custody: reference'),
} as const;

export const breakGlassOpenOptions = {
  ...personOptions,
  scope: list('--scope <RULE>', `what is suspended; repeat it for several (${BREAK_GLASS_SCOPES.join(', ')})`),
  minutes: optionalInteger('--minutes <NUMBER>', 'for how long; the line has a maximum of its own', {
    min: 1,
    max: MAX_BREAK_GLASS_MINUTES,
  }),
  station: optionalText('--station <ID>', 'for one station', { fallback: 'the whole line' }),
  second: optionalText('--second <PERSON>', 'who is to confirm it'),
  reason: optionalText('--reason <TEXT>', 'why, for the record; asked for on a terminal'),
  ticket: optionalText('--ticket <ID>', 'the ticket; asked for on a terminal'),
  out: optionalText('--out <FILE>', 'where the opening goes that the second person is to sign'),
  confirm: optionalText('--confirm <HEX4>', 'the first four characters of its digest, when you are the second'),
} as const;

export const breakGlassResealOptions = {
  ...personOptions,
  done: optionalText('--done <TEXT>', 'what was done meanwhile, for the record; asked for on a terminal'),
  seal: optionalText('--seal <NUMBER>', 'the number of the new seal or bag, if there is one'),
} as const;

export const breakGlassReviewOptions = {
  ...personOptions,
  verdict: requiredText('--verdict <VERDICT>', 'what the review found', { choices: BREAK_GLASS_VERDICTS }),
  findings: optionalText('--findings <TEXT>', 'the findings, for the record; asked for on a terminal'),
} as const;

export const breakGlassStatusOptions = lineOptions;
