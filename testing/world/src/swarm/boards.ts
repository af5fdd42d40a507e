// SPDX-License-Identifier: Apache-2.0
/** The boards of a shift, some of them defective as real ones are. */
import type { ChipFaults } from '@witnessmark/device';
import type { SimBoard } from '../sim/sim-device.ts';
import type { SimFactory } from '../sim/sim-factory.ts';
import type { Random } from './random.ts';
import type { Troubles } from './troubles.ts';

/** Where the simulated release puts its image, and how long it is. */
export const IMAGE_ADDRESS = 0x1000;
const IMAGE_BYTES = 5_000;

export interface SwarmBoard extends SimBoard {
  /** For life. */
  readonly faults: ChipFaults;
}

export function makeBoards(count: number, factory: SimFactory, random: Random, troubles: Troubles): SwarmBoard[] {
  return Array.from({ length: count }, () => {
    const board = factory.makeBoard();
    const faults = troubles.strikes('defect') ? random.pick(DEFECTS)(random) : {};
    board.chip.inject(faults);
    return { ...board, faults };
  });
}

const DEFECTS: readonly ((random: Random) => ChipFaults)[] = [
  (random) => {
    const address = IMAGE_ADDRESS + random.between(0, IMAGE_BYTES - 1);
    return { stuckBits: [{ address, bit: random.between(0, 7), value: random.pick([0, 1] as const) }] };
  },
  () => ({ deadErase: true }),
  () => ({ ignoresProgram: true }),
  () => ({ volatileLock: true }),
  () => ({ unenforcedLock: true }),
];
