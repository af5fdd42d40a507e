// SPDX-License-Identifier: Apache-2.0
/** The options that commands of the office share. */
import { optionalText, requiredText, type OptionDefinition } from '../command.ts';

/** Either a data directory, with the file in its place, or the file itself. */
export const officeOptions = {
  data: optionalText('--data <DIR>', 'a data directory; its office.json is used', { environment: 'WITNESSMARK_DATA' }),
  config: optionalText('--config <FILE>', 'an office configuration instead'),
} as const;

export function personKey(who: string, environment: string): OptionDefinition<string> {
  return requiredText('--key <KEY>', `the own key of the ${who}: a file, or a pkcs11: or custody: reference`, {
    environment,
  });
}

/** Asked for on a terminal; elsewhere its absence is an error. */
export const ticket = optionalText('--ticket <ID>', 'the ticket this belongs to; asked for on a terminal');
export const reason = optionalText('--reason <TEXT>', 'why, for the record; asked for on a terminal');
