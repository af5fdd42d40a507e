// SPDX-License-Identifier: Apache-2.0
import { describeDrift, findDrift, formatUnifiedDiff, listDrift, withoutTolerated } from '@witnessmark/build-record';
import type { CommandInput, CommandResult } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { measureNow, planOf, requireMeasurement } from '../measurement.ts';
import type { stationDiffOptions } from '../options/station-build.ts';
import { readApprovedBuild } from '../station-build.ts';
import { openStationConfig, readTrustedRoot } from '../station-place.ts';

export function stationDiff({ options, session }: CommandInput<typeof stationDiffOptions>): Promise<CommandResult> {
  const { output, clock } = session;
  const config = openStationConfig(options);
  const { values, pathOf } = config;
  const measurement = requireMeasurement(config);
  const directory = options.record ?? pathOf(measurement.record);
  const trustedRoot = readTrustedRoot({ trust: pathOf(values.trustedRoot), data: undefined });
  const approved = readApprovedBuild(directory, { trustedRoot, now: clock.now() });
  if (approved === null) {
    output.verdict(`${directory} holds no approved build of ${values.station}`);
    return Promise.resolve({ exit: EXIT.unknown, document: { station: values.station, build: null } });
  }
  const { build, kit, digest } = approved;
  const measured = withoutTolerated(measureNow(pathOf(measurement.root), planOf(measurement)), build.tolerated);
  const drift = findDrift(kit.manifest, measured);
  if (drift.length > 0) output.block(formatUnifiedDiff(kit.manifest, measured).trimEnd());
  output.verdict(
    drift.length === 0
      ? `${values.station} is as approved: build version ${build.version}`
      : `${values.station} is not build version ${build.version}: ${describeDrift(drift)}`,
  );
  const document = { station: values.station, build: { version: build.version, digest }, drift: listDrift(drift) };
  return Promise.resolve({ exit: drift.length === 0 ? EXIT.yes : EXIT.no, document });
}
