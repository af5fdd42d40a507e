// SPDX-License-Identifier: Apache-2.0
/** How the configuration has a board started, so that its firmware can name what it runs. */
import { CommandBootCheck, SerialBootCheck, type BootCheck, type DeviceDriver } from '@witnessmark/device';
import type { BootConfig } from '../boot-config.ts';
import type { LoadedConfig, StationConfig } from '../config.ts';
import { CliError } from '../error.ts';

/** Undefined for a fixture whose boards are not started. Throws `ERR_CLI_CONFIG` for a file of a part that is not simulated. */
export async function openBootCheck(
  { file, pathOf }: LoadedConfig<StationConfig>,
  boot: BootConfig | undefined,
  driver: DeviceDriver,
): Promise<BootCheck | undefined> {
  if (boot === undefined) return undefined;
  const { model, timeoutMs, command, serial } = boot;
  const common = { model, driver, ...(timeoutMs !== undefined && { timeoutMs }) };
  if (serial !== undefined) {
    const console = 'port' in serial ? serial : { path: serial.device, baudRate: serial.baudRate };
    return new SerialBootCheck({ ...common, console });
  }
  if (command === undefined) return undefined;
  try {
    return await CommandBootCheck.open({ ...common, programPath: pathOf(command.program), args: command.args });
  } catch (error) {
    if (error instanceof TypeError) throw new CliError('ERR_CLI_CONFIG', `${file}: boot.command: ${error.message}`);
    throw error;
  }
}
