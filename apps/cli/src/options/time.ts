// SPDX-License-Identifier: Apache-2.0
/** The options of the commands about time. */
import { optionalText, requiredText } from '../command.ts';

export const stationClockOptions = {
  data: optionalText('--data <DIR>', 'a data directory; its station.json is used', { environment: 'WITNESSMARK_DATA' }),
  config: optionalText('--config <FILE>', 'a station configuration instead'),
} as const;

export const timeSignOptions = {
  data: optionalText('--data <DIR>', 'a data directory: its trusted root', { environment: 'WITNESSMARK_DATA' }),
  trust: optionalText('--trust <FILE>', 'the trusted root that lists the two people', {
    environment: 'WITNESSMARK_TRUST',
    fallback: 'trusted-root.json of --data',
  }),
  key: requiredText('--key <FILE>', 'the own key of the person who signs'),
  out: requiredText('--out <FILE>', 'where the signed document goes'),
} as const;
