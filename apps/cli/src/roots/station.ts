// SPDX-License-Identifier: Apache-2.0
/**
 * Composition root of a station. The way of the data: the trust client holds the release that is in effect, the driver
 * reads the device, the line permits, the journal keeps the intent before the first byte is written, the station key signs
 * what was measured, and the line's receipt, checked against the trusted root, comes before PASS.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { HttpLineService } from '@witnessmark/api';
import { parseTrustedRoot } from '@witnessmark/attestation';
import { newTransportKey } from '@witnessmark/boundary';
import type { Clock } from '@witnessmark/core';
import { KeyAccess, parseKeyReference, type PinSource } from '@witnessmark/custody';
import type { DeviceDriver } from '@witnessmark/device';
import {
  ChronyTimeSource,
  Journal,
  LineTrust,
  openStationDirectory,
  Station,
  TufReleaseSource,
  type ProgressListener,
  type UnitResult,
} from '@witnessmark/station';
import { TrustClient } from '@witnessmark/trust';
import type { LoadedConfig, StationConfig } from '../config.ts';
import { DOCUMENT_BYTES, readFile } from '../files.ts';
import { demandProductionKey } from '../production.ts';
import { purposeOfStatement } from '../purpose.ts';
import { softwareDigest } from '../software-digest.ts';

/** Long enough for a group commit and a slow disk, short enough that a person sees what happens. */
const LINE_TIMEOUT_MS = 10_000;
const BOOT_ID_FILE = '/proc/sys/kernel/random/boot_id';

interface StationEnvironment {
  readonly clock: Clock;
  readonly newId: () => string;
  readonly driver: DeviceDriver;
  /** Asks a person when the key reference names no source of the PIN. */
  readonly askPin?: PinSource | undefined;
  /** Default: the address in the configuration. */
  readonly lineUrl?: string | undefined;
  readonly onProgress?: ProgressListener;
  readonly onRecovered?: (result: UnitResult) => void;
}

export interface RunningStation {
  readonly station: Station;
  readonly line: HttpLineService;
  close(): void;
}

export async function openStation(
  config: LoadedConfig<StationConfig>,
  environment: StationEnvironment,
): Promise<RunningStation> {
  const { values, pathOf } = config;
  const { lineUrl = values.lineUrl, askPin, ...ports } = environment;
  const trustedRoot = parseTrustedRoot(readFile(pathOf(values.trustedRoot), DOCUMENT_BYTES));
  const lineTrust = new LineTrust(trustedRoot, values.line);
  const line = new HttpLineService({ baseUrl: lineUrl, timeoutMs: LINE_TIMEOUT_MS });
  const { repository } = values.trust;
  const client = new TrustClient({
    metadataDir: pathOf(values.trust.memory),
    cacheDir: pathOf(values.trust.cache),
    initialRoot: readFile(pathOf(values.trust.root), DOCUMENT_BYTES),
    ...(values.trust.minThreshold !== undefined && { minThreshold: values.trust.minThreshold }),
    ...(repository === null
      ? { baseUrl: new URL('trust/', withSlash(lineUrl)).href }
      : { repositoryDir: pathOf(repository) }),
  });
  const { clock, newId } = environment;
  const keyAccess = new KeyAccess({ clock, newId, askPin });
  const directory = openStationDirectory(pathOf(values.directory));
  const close = (): void => {
    directory.close();
    keyAccess.close();
  };
  try {
    const signer = await keyAccess.open(parseKeyReference(values.stationKey, pathOf), purposeOfStatement);
    demandProductionKey(values, signer, { trustedRoot, role: 'station', owner: values.station, now: clock.now() });
    const { plant, approvals, timeService } = values;
    const station = new Station({
      ...ports,
      pause: (milliseconds) => pause(milliseconds),
      journal: await Journal.open(directory.files),
      line,
      lineTrust,
      signer,
      unsealing: { line, newTransportKey },
      releases: new TufReleaseSource({
        client,
        plant,
        line: values.line,
        keys: lineTrust.keys,
        keysVersion: trustedRoot.version,
        approvals,
        ...(values.releaseClasses && { releaseClasses: values.releaseClasses }),
      }),
      identity: {
        id: values.station,
        line: values.line,
        plant,
        softwareDigest: softwareDigest(),
        bootId: readBootId(),
        environment: { rehearsal: false },
      },
      ...(timeService === undefined
        ? {}
        : {
            timeService: {
              source: new ChronyTimeSource({ command: timeService.chrony }),
              policy: timeService.policy,
            },
          }),
    });
    return { station, line, close };
  } catch (error) {
    close();
    throw error;
  }
}

/** Where the kernel names no boot, each process counts as one. */
function readBootId(): string {
  return existsSync(BOOT_ID_FILE) ? readFileSync(BOOT_ID_FILE, 'utf8').trim() : randomUUID();
}

function withSlash(url: string): string {
  return url.endsWith('/') ? url : `${url}/`;
}
