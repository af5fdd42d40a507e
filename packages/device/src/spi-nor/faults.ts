// SPDX-License-Identifier: Apache-2.0
/** What can be wrong with a simulated chip, each as seen in real parts and on real benches. */

export interface StuckBit {
  readonly address: number;
  /** 0 is the least significant. */
  readonly bit: number;
  readonly value: 0 | 1;
}

/** Loses power inside a program or erase instruction; happens once. */
export interface PowerCut {
  readonly during: 'program' | 'erase';
  /** Bytes that are still done, counted from when the fault was set. */
  readonly afterBytes: number;
}

export interface ChipFaults {
  /** Cells that hold one value whatever is written. */
  readonly stuckBits?: readonly StuckBit[];
  /** Erase instructions end in time and change nothing. */
  readonly deadErase?: boolean;
  /** Program instructions end in time and change nothing: a write protection no register shows. */
  readonly ignoresProgram?: boolean;
  /** Status register writes are shown, and gone after the next power-up. */
  readonly volatileLock?: boolean;
  /** The registers say protected and keep saying so, and program and erase are done all the same. */
  readonly unenforcedLock?: boolean;
  /** Stays busy for ever after the next program or erase instruction. */
  readonly hangs?: boolean;
  readonly powerCut?: PowerCut;
}
