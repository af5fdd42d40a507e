// SPDX-License-Identifier: Apache-2.0
/** The reset that begins a boot check, and how long all of it may take. */
import { RefusedError } from '@witnessmark/core';
import type { DeviceDriver } from '../contract.ts';
import { DeviceError } from '../error.ts';

/** From the reset to the report. */
export const DEFAULT_BOOT_TIMEOUT_MS = 30_000;
/** A driver that is stopped in its reset takes two seconds of it. */
export const BOOT_CLEAN_UP_MS = 5_000;

/** Throws what became of a reset that was not done, as the work of `runBounded` does. */
export async function resetBoard(driver: Pick<DeviceDriver, 'reset'>, signal: AbortSignal): Promise<void> {
  const outcome = await driver.reset({ signal });
  if (outcome.state === 'FAILED') throw new RefusedError(outcome.code, outcome.detail);
  if (outcome.state === 'UNKNOWN') throw new DeviceError('ERR_DEVICE_LINK', outcome.detail);
}
