// SPDX-License-Identifier: Apache-2.0
/** The options of the station commands. */
import { optionalInteger, optionalText, requiredText } from '../command.ts';
import { DEVICE_FORMS } from '../roots/device-forms.ts';

/** Either a data directory, with the file in its place, or the file itself. */
const stationConfigOptions = {
  data: optionalText('--data <DIR>', 'a data directory; its station.json is used', { environment: 'WITNESSMARK_DATA' }),
  config: optionalText('--config <FILE>', 'a station configuration instead'),
} as const;

const deviceOption = requiredText('--device <DEVICE>', `the fixture: ${DEVICE_FORMS}`, {
  environment: 'WITNESSMARK_DEVICE',
});

const profileOption = optionalText('--profile <FILE>', 'the board, as a device profile of your own', {
  environment: 'WITNESSMARK_PROFILE',
});

export const stationOptions = {
  ...stationConfigOptions,
  device: deviceOption,
  profile: profileOption,
  operatorKey: requiredText('--operator-key <FILE>', "the operator's own credential", {
    environment: 'WITNESSMARK_OPERATOR_KEY',
  }),
  sessionHours: optionalInteger('--session-hours <NUMBER>', 'how long the session lasts at most', {
    min: 1,
    max: 12,
    fallback: '8',
  }),
  line: optionalText('--line <URL>', 'the line server, instead of the configured one', {
    environment: 'WITNESSMARK_LINE',
  }),
  workOrder: optionalText('--work-order <ORDER>', 'the work order, instead of the configured one'),
  lot: optionalText('--lot <LOT>', 'the lot, instead of the configured one'),
} as const;

export const stationProgramOptions = {
  ...stationOptions,
  label: optionalText('--label <SERIAL>', 'the label as scanned; asked for on a terminal'),
} as const;

export const stationLabelOptions = {
  ...stationConfigOptions,
  device: deviceOption,
  profile: profileOption,
} as const;
