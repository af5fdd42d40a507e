// SPDX-License-Identifier: Apache-2.0
/** The options of `demo`. */
import { flag, optionalInteger, optionalText, textWithDefault } from '../command.ts';

export const demoOptions = {
  data: textWithDefault('--data <DIR>', 'the folder of the demo; nothing is written elsewhere', 'demo-data'),
  units: optionalInteger('--units <NUMBER>', 'how many units to make', { min: 1, max: 1000, fallback: '3' }),
  image: optionalText('--image <FILE>', 'the firmware to release', { fallback: 'a sample of 1 MiB in MCUboot format' }),
  scene: textWithDefault('--scene <NAME>', 'what is shown', 'unit', { choices: ['unit', 'custody', 'station'] }),
  headless: flag('--headless', 'make the units, check them, and end'),
  clean: flag('--clean', 'remove what the demo made, and end'),
} as const;
