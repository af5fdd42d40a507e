// SPDX-License-Identifier: Apache-2.0
/** A shift: in the fixture the command line names, or in the slots of the configuration. */
import type { CommandInput, CommandResult } from '../command.ts';
import type { stationOptions } from '../options/station.ts';
import { openStationConfig, runOnePlace } from './station.ts';
import { runSlots } from './station-slots.ts';

export async function stationRun(input: CommandInput<typeof stationOptions>): Promise<CommandResult> {
  const { options, session } = input;
  const { slots } = openStationConfig(options).values;
  return options.device === undefined && slots !== undefined ? runSlots(session, options) : runOnePlace(input);
}
