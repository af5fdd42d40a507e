// SPDX-License-Identifier: Apache-2.0
/** The options of the station commands. */
import { MAX_SLOTS } from '@witnessmark/attestation';
import { flag, optionalInteger, optionalText, requiredText } from '../command.ts';
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

/** Where several places are configured, which one. */
export const slotOption = optionalInteger('--slot <NUMBER>', 'the place, at a station that has several', {
  min: 1,
  max: MAX_SLOTS,
});

/** Who works here: a card or key of their own, or a badge that the line checks. */
export const signInOptions = {
  operatorKey: optionalText('--operator-key <KEY>', "the operator's own card or key, as a key reference", {
    environment: 'WITNESSMARK_OPERATOR_KEY',
  }),
  badge: optionalText('--badge <ID>', "the operator's badge, as the reader types it; asked for on a terminal", {
    environment: 'WITNESSMARK_BADGE',
  }),
  pinSource: optionalText(
    '--pin-source <FILE>',
    'a file of mode 0600 with the PIN of the badge; asked for on a terminal',
  ),
  endOther: flag('--end-other', 'ends your own session at another station'),
  sessionHours: optionalInteger('--session-hours <NUMBER>', 'how long the session lasts at most', {
    min: 1,
    max: 12,
    fallback: '8',
  }),
} as const;

export const stationOptions = {
  ...stationConfigOptions,
  device: optionalText('--device <DEVICE>', `the fixture: ${DEVICE_FORMS}; else the slots of the configuration`, {
    environment: 'WITNESSMARK_DEVICE',
  }),
  profile: profileOption,
  ...signInOptions,
  line: optionalText('--line <URL>', 'the line server, instead of the configured one', {
    environment: 'WITNESSMARK_LINE',
  }),
  workOrder: optionalText('--work-order <ORDER>', 'the work order, instead of the configured one'),
  lot: optionalText('--lot <LOT>', 'the lot, instead of the configured one'),
} as const;

export const stationProgramOptions = {
  ...stationOptions,
  slot: slotOption,
  label: optionalText('--label <SERIAL>', 'the label as scanned; asked for on a terminal'),
  retestReason: optionalText('--retest-reason <TEXT>', 'why a unit that failed is tried again, for the record'),
} as const;

export const stationLabelOptions = {
  ...stationConfigOptions,
  device: deviceOption,
  profile: profileOption,
} as const;

export const stationSessionsOptions = {
  ...stationConfigOptions,
  line: stationOptions.line,
} as const;
