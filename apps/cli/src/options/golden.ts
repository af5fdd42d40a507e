// SPDX-License-Identifier: Apache-2.0
/** The options of the golden commands. */
import { GOLDEN_KINDS } from '@witnessmark/attestation';
import { optionalInteger, optionalText, requiredText } from '../command.ts';
import { signInOptions, stationOptions, stationProgramOptions } from './station.ts';

/** The largest flash a profile may have. */
const MAX_ADDRESS = 0xffff_ffff;

const kindOption = requiredText('--kind <KIND>', 'a golden unit must pass, a known-bad unit must fail', {
  choices: GOLDEN_KINDS,
});

const { data, config, device, profile, line } = stationOptions;
const fixtureOptions = { data, config, device, profile, line, slot: stationProgramOptions.slot } as const;

export const goldenRegisterOptions = {
  ...fixtureOptions,
  kind: kindOption,
  image: requiredText('--image <FILE>', 'what a good unit holds'),
  address: optionalInteger('--address <BYTE>', 'where in the flash it holds it', {
    min: 0,
    max: MAX_ADDRESS,
    fallback: '0',
  }),
  key: requiredText('--key <FILE>', 'the own key of the supervisor', { environment: 'WITNESSMARK_SUPERVISOR_KEY' }),
  reason: optionalText('--reason <TEXT>', 'what the unit is for, for the record; asked for on a terminal'),
} as const;

export const goldenRetireOptions = {
  data,
  config,
  line,
  key: goldenRegisterOptions.key,
  reason: optionalText('--reason <TEXT>', 'why, for the record; asked for on a terminal'),
} as const;

export const goldenCheckOptions = { ...fixtureOptions, kind: kindOption, ...signInOptions } as const;

export const goldenListOptions = { data, config, line } as const;
