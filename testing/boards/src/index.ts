// SPDX-License-Identifier: Apache-2.0
export { AvrBay } from './avr-bay.ts';
export { AvrPart } from './avr-part.ts';
export { buildAvrBoard, hasAvrBoard } from './build-avr-board.ts';
export { buildBootFirmware, buildBootImage, hasBootFirmware } from './boot-firmware.ts';

export type { AvrPartOptions } from './avr-part.ts';
