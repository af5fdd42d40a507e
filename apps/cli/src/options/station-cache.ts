// SPDX-License-Identifier: Apache-2.0
/** The options of the station's cache command. */
import { flag, optionalText } from '../command.ts';

export const stationCacheOptions = {
  data: optionalText('--data <DIR>', 'a data directory; its station.json is used', { environment: 'WITNESSMARK_DATA' }),
  config: optionalText('--config <FILE>', 'a station configuration instead'),
  all: flag('--all', 'purge sound entries too; without it only what is damaged or foreign'),
} as const;
