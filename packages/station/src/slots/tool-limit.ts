// SPDX-License-Identifier: Apache-2.0
/** How many external tools run at once on this machine; a driver that has to wait has not begun, and its time does not run. */
import type { DeviceDriver, DriverOutcome, OperationOptions } from '@witnessmark/device';

export class ToolLimit {
  readonly #max: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** `max` is a whole number from 1 on. */
  constructor(max: number) {
    if (!Number.isInteger(max) || max < 1) throw new RangeError('at least one tool must be allowed to run');
    this.#max = max;
  }

  /** Runs the work when fewer than the limit run; first come, first served. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running < this.#max) this.#running += 1;
    // Whoever ends hands its place on, so the count stays.
    else await new Promise<void>((begin) => this.#waiting.push(begin));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}

/** The driver, with operations that wait for their turn; one that was cancelled meanwhile is not begun. */
export function limitTools(driver: DeviceDriver, limit: ToolLimit): DeviceDriver {
  const inTurn = <T>(
    name: string,
    options: OperationOptions | undefined,
    work: () => Promise<DriverOutcome<T>>,
  ): Promise<DriverOutcome<T>> =>
    limit.run(() => {
      if (options?.signal?.aborted !== true) return work();
      return Promise.resolve({ state: 'UNKNOWN', detail: `${name} was cancelled before it began` });
    });
  return {
    profile: driver.profile,
    programmer: driver.programmer,
    simulated: driver.simulated,
    identify: (options) => inTurn('identify', options, () => driver.identify(options)),
    readHardwareId: (options) => inTurn('readHardwareId', options, () => driver.readHardwareId(options)),
    erase: (range, options) => inTurn('erase', options, () => driver.erase(range, options)),
    program: (order, options) => inTurn('program', options, () => driver.program(order, options)),
    readBack: (range, options) => inTurn('readBack', options, () => driver.readBack(range, options)),
    lock: (options) => inTurn('lock', options, () => driver.lock(options)),
    readLockState: (options) => inTurn('readLockState', options, () => driver.readLockState(options)),
    reset: (options) => inTurn('reset', options, () => driver.reset(options)),
  };
}
