// SPDX-License-Identifier: Apache-2.0
/** Which fixture a command works with, and which slot and unit a scan means. */
import { StationRefusal } from '@witnessmark/station';
import type { BootConfig } from './boot-config.ts';
import type { LoadedConfig, StationConfig } from './config.ts';
import { usageError } from './error.ts';

interface FixtureChoice {
  readonly device: string | undefined;
  readonly profile: string | undefined;
  readonly slot?: number | undefined;
}

export interface SlotDevice {
  readonly device: string;
  readonly profile: string | undefined;
  /** Absent at a station with one place. */
  readonly slot: number | undefined;
  /** How a board in it is started. */
  readonly boot: BootConfig | undefined;
}

/** What the command line names, else the configured slot. Throws `ERR_CLI_USAGE` when neither says which. */
export function chooseSlotDevice(config: LoadedConfig<StationConfig>, choice: FixtureChoice): SlotDevice {
  const { device, profile, slot } = choice;
  if (device !== undefined) {
    if (slot !== undefined) throw usageError('--device and --slot name two fixtures');
    return { device, profile, slot, boot: config.values.boot };
  }
  const slots = config.values.slots ?? [];
  const chosen = slot === undefined && slots.length === 1 ? slots[0] : slots.find((one) => one.slot === slot);
  if (chosen !== undefined) return toSlotDevice(config, chosen);
  if (slots.length === 0) throw usageError('--device (or WITNESSMARK_DEVICE) is missing');
  throw usageError(`--slot takes one of ${slots.map((one) => one.slot).join(', ')}`);
}

/** Paths of simulated boards and profiles are relative to the configuration, as all paths in it are. */
export function toSlotDevice(
  { pathOf }: LoadedConfig<StationConfig>,
  { slot, device, profile, boot }: NonNullable<StationConfig['slots']>[number],
): SlotDevice {
  const [, path, settings = ''] = /^simulated:([^,]*)(,.*)?$/s.exec(device) ?? [];
  return {
    device: path === undefined ? device : `simulated:${pathOf(path)}${settings}`,
    profile: profile === undefined ? undefined : pathOf(profile),
    slot,
    boot,
  };
}

/** For example `2:GW-210-7Q3K-9ZD2-M4XT`; a scan without a slot means the only one that is free. Throws LS-609. */
export function readSlotScan(text: string, free: readonly number[]): { readonly slot: number; readonly label: string } {
  const [, number, label] = /^(\d{1,2}):(.+)$/s.exec(text) ?? [];
  if (number !== undefined && label !== undefined) return { slot: Number(number), label };
  const [only] = free;
  if (only !== undefined && free.length === 1) return { slot: only, label: text };
  throw new StationRefusal('LS-609', {
    expected: 'a slot and a unit, for example 2:SERIAL',
    observed: `a unit alone, with ${free.length} slots free`,
  });
}
