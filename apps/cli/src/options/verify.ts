// SPDX-License-Identifier: Apache-2.0
/** The options of `verify`. */
import { optionalText, requiredText } from '../command.ts';

/** Who checks brings trust and policy; nothing is ever taken from the evidence. */
export const trustOptions = {
  trust: requiredText('--trust <FILE>', 'the trusted root of the one who checks', {
    environment: 'WITNESSMARK_TRUST',
  }),
  policy: requiredText('--policy <FILE>', 'what must be true for VERIFIED', { environment: 'WITNESSMARK_POLICY' }),
  time: optionalText('--time <TIME>', 'judge as of this time, RFC 3339 in UTC', { fallback: 'now' }),
} as const;
