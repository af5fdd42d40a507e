// SPDX-License-Identifier: Apache-2.0
/** Measures the station a configuration describes, and compares it with the build that was approved for it. */
import {
  findDrift,
  listDrift,
  manifestDigest,
  measureStation,
  openMachine,
  withoutTolerated,
  type BuildManifest,
  type KitPlan,
} from '@witnessmark/build-record';
import type { StationMeasurement, StationMeasurer } from '@witnessmark/station';
import type { LoadedConfig, MeasurementConfig, StationConfig } from './config.ts';
import { usageError } from './error.ts';
import { softwareDigest } from './software-digest.ts';
import type { ApprovedBuild } from './station-build.ts';

/** Throws `ERR_CLI_USAGE` for a station that is not told what to measure. */
export function requireMeasurement({ file, values }: LoadedConfig<StationConfig>): MeasurementConfig {
  if (values.measurement === undefined) throw usageError(`${file} has no "measurement", which says what to measure`);
  return values.measurement;
}

export function planOf({
  hashedPackages,
  hashedPaths,
  configuration,
  programmers,
  fixtures,
}: MeasurementConfig): KitPlan {
  return { hashedPackages, hashedPaths, configuration, programmers, fixtures };
}

/** Everything that is there now. Throws `ERR_BUILD_RECORD_UNREADABLE`. */
export function measureNow(root: string, plan: KitPlan): BuildManifest {
  return measureStation(openMachine(root), { ...plan, agentDigest: softwareDigest() });
}

export function countLines(manifest: BuildManifest): number {
  return [...manifest.values()].flat().length;
}

interface MeasurerOptions {
  readonly root: string;
  readonly plan: KitPlan;
  /** Read for each measurement, so that an approved change counts from then on. */
  readonly readApproved: () => ApprovedBuild | null;
  /** Of the hardware, lower-case hexadecimal. */
  readonly readFingerprint: () => Promise<string>;
}

export class MachineMeasurer implements StationMeasurer {
  readonly #options: MeasurerOptions;

  constructor(options: MeasurerOptions) {
    this.#options = options;
  }

  async measure(): Promise<StationMeasurement> {
    const { root, plan, readApproved, readFingerprint } = this.#options;
    const approved = readApproved();
    const tolerated = approved?.build.tolerated ?? [];
    const measured = withoutTolerated(measureNow(root, plan), tolerated);
    return {
      manifest: { digest: manifestDigest(measured), lines: countLines(measured) },
      drift: approved === null ? [] : [...listDrift(findDrift(approved.kit.manifest, measured))],
      build: approved === null ? null : { digest: approved.digest, version: approved.build.version },
      fingerprint: await readFingerprint(),
    };
  }
}
