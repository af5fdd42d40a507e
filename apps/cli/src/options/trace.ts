// SPDX-License-Identifier: Apache-2.0
/** The options of `trace`. */
import { optionalText } from '../command.ts';

export const traceOptions = {
  trust: optionalText('--trust <FILE>', 'the trusted root of the one who checks', {
    environment: 'WITNESSMARK_TRUST',
    fallback: 'trusted-root.json of --data',
  }),
  policy: optionalText('--policy <FILE>', 'what must be true for VERIFIED', {
    environment: 'WITNESSMARK_POLICY',
    fallback: 'policy.json of --data',
  }),
  data: optionalText('--data <DIR>', 'a data directory: its evidence files, trusted root and policy', {
    environment: 'WITNESSMARK_DATA',
  }),
  line: optionalText('--line <URL>', 'fetch the evidence of a serial or device id from this line server'),
  time: optionalText('--time <TIME>', 'judge as of this time, RFC 3339 in UTC', { fallback: 'now' }),
} as const;
