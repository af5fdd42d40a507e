// SPDX-License-Identifier: Apache-2.0
/** The forms of `--device`, for help; apart from the drivers, so that help loads none of them. */
export const DEVICE_FORMS =
  'simulated:PATH[,uid=HEX][,profile=ID], flashrom:HOST:PORT[,chip=NAME][,profile=ID], openocd:HOST:PORT[,profile=ID] ' +
  'or avrdude:HOST:PORT|/dev/ttyPORT[,profile=ID]';
