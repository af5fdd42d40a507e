// SPDX-License-Identifier: Apache-2.0
/** What can be wrong with a simulated microcontroller: what any flash can have, and what only its lock can. */
import type { ChipFaults } from '../spi-nor/faults.ts';

export interface McuFaults extends ChipFaults {
  /** The option bytes cannot be erased or programmed, and the controller reports success. */
  readonly deadOptionBytes?: boolean;
  /** The core's TAP names itself so: another core, or a bit lost on the way. */
  readonly debugPortId?: number;
}
