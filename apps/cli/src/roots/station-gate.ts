// SPDX-License-Identifier: Apache-2.0
/** The gate of a station that its configuration tells to measure itself. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { TrustedRoot } from '@witnessmark/attestation';
import {
  Journal,
  MeasuredGate,
  type StationDirectory,
  type StationIdentity,
  type StationPorts,
} from '@witnessmark/station';
import type { LoadedConfig, StationConfig } from '../config.ts';
import { openStationQuoter, readStationMachine } from '../identity/machine.ts';
import { MachineMeasurer, planOf } from '../measurement.ts';
import { readApprovedBuild } from '../station-build.ts';

const MINUTE_MS = 60_000;
const MAX_SLOTS = 8;

interface GateParts {
  readonly directory: StationDirectory;
  readonly ports: Pick<StationPorts, 'clock' | 'pause' | 'line' | 'lineTrust' | 'signer' | 'newId'>;
  readonly identity: StationIdentity;
  readonly trustedRoot: TrustedRoot;
}

/** Null for a station that is not told what to measure. Takes the journals of the places that work. */
export async function openGate(
  config: LoadedConfig<StationConfig>,
  { directory, ports, identity, trustedRoot }: GateParts,
  journals: ReadonlyMap<number, Journal>,
): Promise<MeasuredGate | null> {
  const { values, pathOf } = config;
  const { measurement } = values;
  if (measurement === undefined) return null;
  const all = new Map(journals);
  // Places that are out of use remember what the line has given them.
  for (let slot = 1; slot <= MAX_SLOTS; slot += 1) {
    const isUsed = slot === 1 || existsSync(join(pathOf(values.directory), `slot-${slot}`));
    if (isUsed && !all.has(slot)) all.set(slot, await Journal.open(directory.slot(slot)));
  }
  const [first, ...others] = [...all].sort(([left], [right]) => left - right).map(([, journal]) => journal);
  const quoter = await openStationQuoter(values);
  return MeasuredGate.open({
    ...ports,
    identity,
    files: directory.files,
    journals: [first as Journal, ...others],
    measurer: new MachineMeasurer({
      root: pathOf(measurement.root),
      plan: planOf(measurement),
      readApproved: () => readApprovedBuild(pathOf(measurement.record), { trustedRoot, now: ports.clock.now() }),
      readFingerprint: async () => (await readStationMachine(config)).digest,
    }),
    ...(quoter !== null && { quoter }),
    schedule: {
      intervalMs: measurement.everyMinutes * MINUTE_MS,
      shiftAfterMs: measurement.shiftAfterMinutes * MINUTE_MS,
    },
  });
}
