// SPDX-License-Identifier: Apache-2.0
/** The options of the label commands and of the check station: those of a station at work, and what they ask for. */
import { optionalText, requiredText } from '../command.ts';
import { slotOption, stationOptions as oneStationOptions } from './station.ts';

const stationOptions = { ...oneStationOptions, slot: slotOption } as const;

const unitOption = requiredText('--unit <SERIAL>', 'the unit, by the serial of its record or its device id');
const reasonOption = optionalText('--reason <TEXT>', 'why, for the record; asked for on a terminal');

export const labelPrintOptions = { ...stationOptions, unit: unitOption } as const;

export const labelScanOptions = {
  ...stationOptions,
  scan: optionalText('--scan <TEXT>', 'the label as scanned; asked for on a terminal'),
  unit: optionalText('--unit <SERIAL>', 'the unit the label is stuck on', {
    fallback: 'the unit that waits for its scan',
  }),
} as const;

export const labelReprintOptions = {
  ...stationOptions,
  unit: unitOption,
  key: optionalText('--key <FILE>', 'the credential of the person who decides', { fallback: '--operator-key' }),
  reason: reasonOption,
} as const;

export const labelVoidOptions = {
  ...stationOptions,
  unit: unitOption,
  key: requiredText('--key <FILE>', 'the credential of the supervisor who decides', {
    environment: 'WITNESSMARK_SUPERVISOR_KEY',
  }),
  reason: reasonOption,
} as const;

export const stationCheckOptions = {
  ...stationOptions,
  label: optionalText('--label <SERIAL>', 'the label as scanned; asked for on a terminal'),
  lift: optionalText('--lift <FILE>', 'the credential of a supervisor who lifts an earlier flag if all is well'),
} as const;
