// SPDX-License-Identifier: Apache-2.0
import type { CommandInput, CommandResult } from '../command.ts';
import { DataDirectory } from '../data-directory.ts';
import { reportFindings } from '../finding-text.ts';
import { examine } from '../health.ts';
import type { stationSelftestOptions } from '../options/station-build.ts';
import { selftest } from '../selftest.ts';
import { openStationConfig } from '../station-place.ts';

export async function stationSelftest({
  options,
  session,
}: CommandInput<typeof stationSelftestOptions>): Promise<CommandResult> {
  const { output, clock } = session;
  const { data, config: file, device, profile, line } = options;
  const config = openStationConfig({ data, config: file });
  const general = await examine({
    directory: data === undefined ? undefined : DataDirectory.open(data),
    lineUrl: line ?? config.values.lineUrl,
    device,
    profile,
    clock,
  });
  return reportFindings(output, [...general, ...(await selftest({ config, device, profile, clock }))]);
}
