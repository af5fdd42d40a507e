// SPDX-License-Identifier: Apache-2.0
/**
 * Boot check on a serial line: the driver resets the board while its console is read, on a character device or at a console
 * server. What was said before the reset is nobody's answer (spec/device-driver.md, "Boot check").
 */
import { runBounded } from '../bounded.ts';
import type { DeviceDriver, DriverOutcome, OperationOptions } from '../contract.ts';
import type { BootCheck, BootReport } from './boot-check.ts';
import { hearReport } from './hear-report.ts';
import { BOOT_CLEAN_UP_MS, DEFAULT_BOOT_TIMEOUT_MS, resetBoard } from './reset-board.ts';
import { openSerialConsole, type SerialAddress } from './serial-console.ts';

export interface SerialBootCheckOptions {
  /** What starts the board, for the record. */
  readonly model: string;
  readonly driver: Pick<DeviceDriver, 'simulated' | 'reset'>;
  readonly console: SerialAddress;
  /** From the reset to the report. */
  readonly timeoutMs?: number;
}

export class SerialBootCheck implements BootCheck {
  readonly model: string;
  readonly simulated: boolean;
  readonly #options: SerialBootCheckOptions;

  constructor(options: SerialBootCheckOptions) {
    this.model = options.model;
    this.simulated = options.driver.simulated;
    this.#options = options;
  }

  async readBootReport(options: OperationOptions = {}): Promise<DriverOutcome<BootReport>> {
    const { driver, console: address } = this.#options;
    const { timeoutMs = this.#options.timeoutMs ?? DEFAULT_BOOT_TIMEOUT_MS, signal } = options;
    return runBounded({ name: 'boot', timeoutMs, signal, cleanUpMs: BOOT_CLEAN_UP_MS }, async (stop) => {
      const console = await openSerialConsole(address, stop);
      try {
        const report = hearReport(stop, (hear, ending) => console.listen(hear, ending));
        // Awaited below, unless the reset comes to nothing.
        report.catch(() => undefined);
        await resetBoard(driver, stop);
        return await report;
      } finally {
        console.close();
      }
    });
  }
}
