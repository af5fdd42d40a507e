// SPDX-License-Identifier: Apache-2.0
/** The options of `doctor`. */
import { optionalText } from '../command.ts';
import { DEVICE_FORMS } from '../roots/device-forms.ts';

export const doctorOptions = {
  data: optionalText('--data <DIR>', 'a data directory to examine', { environment: 'WITNESSMARK_DATA' }),
  line: optionalText('--line <URL>', 'a line server to ask, instead of the configured one', {
    environment: 'WITNESSMARK_LINE',
  }),
  device: optionalText('--device <DEVICE>', `a fixture to try: ${DEVICE_FORMS}`, {
    environment: 'WITNESSMARK_DEVICE',
  }),
  profile: optionalText('--profile <FILE>', 'its board, as a device profile of your own', {
    environment: 'WITNESSMARK_PROFILE',
  }),
} as const;
