// SPDX-License-Identifier: Apache-2.0
/**
 * The demo's station: the same composition as `station run`, with two things only a demo may have – a clock that can be
 * set wrong, and boards that can be swapped and broken.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import {
  deriveLabelSerial,
  parseTrustedRoot,
  toDeviceId,
  type Disposition,
  type TrustedRoot,
} from '@witnessmark/attestation';
import { equalBytes, MAX_NOTE_BYTES, type Clock } from '@witnessmark/core';
import { loadSoftwareKey } from '@witnessmark/custody';
import { ChipFile, sampleUniqueId, type DeviceProfile } from '@witnessmark/device';
import type { UnitResult } from '@witnessmark/station';
import { keepEvidence } from '../actions/station.ts';
import { loadConfig, stationConfigSchema, type LoadedConfig, type StationConfig } from '../config.ts';
import { CliError } from '../error.ts';
import { matterOfStop, signDisposition } from '../disposition.ts';
import { DOCUMENT_BYTES, readFile } from '../files.ts';
import { signSession } from '../operator-session.ts';
import { SimulatedBay } from '../roots/fixture.ts';
import { openStation, type RunningStation } from '../roots/station.ts';
import type { Progress } from '../progress.ts';
import type { Session } from '../session.ts';
import { followUnit } from '../unit-text.ts';
import type { DemoDirectory } from './demo-directory.ts';

const SHIFT_MS = 8 * 3600 * 1000;
const PUBLISH_TIMEOUT_MS = 15_000;
const PUBLISH_POLL_MS = 100;
const BOARD_SEED = 'witnessmark demo';

/** A clock that somebody set wrong; the real one but for its offset. */
class AdjustableClock implements Clock {
  /** Added to the wall time; the monotonic clock cannot be set. */
  offsetMs = 0;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now() + this.offsetMs;
  }

  monotonic(): number {
    return this.#clock.monotonic();
  }
}

/** A board as it comes from assembly: blank, with the label that belongs to it. */
interface Board {
  readonly chip: ChipFile;
  readonly label: string;
}

interface ShopFloorOptions {
  readonly session: Session;
  readonly directory: DemoDirectory;
  readonly progress: Progress;
  readonly lineUrl: string;
  readonly profile: DeviceProfile;
  readonly operator: string;
  readonly supervisor: string;
}

export class ShopFloor {
  readonly clock: AdjustableClock;
  readonly directory: DemoDirectory;
  readonly config: LoadedConfig<StationConfig>;
  readonly #options: ShopFloorOptions;
  readonly #trustedRoot: TrustedRoot;
  readonly #bay: SimulatedBay;
  readonly #running: RunningStation;
  #boards = 0;

  /** Opens the station and signs the operator in. */
  static async open(options: ShopFloorOptions): Promise<ShopFloor> {
    const { session, directory, progress, lineUrl, profile, operator } = options;
    mkdirSync(directory.devices, { recursive: true });
    const clock = new AdjustableClock(session.clock);
    const bay = new SimulatedBay(profile);
    const config = loadConfig(directory.stationConfig, stationConfigSchema);
    const running = await openStation(config, {
      clock,
      newId: session.newId,
      driver: bay.driver,
      lineUrl,
      onProgress: followUnit(progress),
    });
    const floor = new ShopFloor(options, { clock, bay, config, running });
    try {
      await running.station.signIn(await floor.#signedSession(operator));
      return floor;
    } catch (error) {
      running.close();
      throw error;
    }
  }

  private constructor(
    options: ShopFloorOptions,
    parts: {
      readonly clock: AdjustableClock;
      readonly bay: SimulatedBay;
      readonly config: LoadedConfig<StationConfig>;
      readonly running: RunningStation;
    },
  ) {
    this.#options = options;
    this.directory = options.directory;
    this.clock = parts.clock;
    this.config = parts.config;
    this.#bay = parts.bay;
    this.#running = parts.running;
    this.#trustedRoot = parseTrustedRoot(readFile(options.directory.trustedRoot, DOCUMENT_BYTES));
  }

  /** The next blank board; each has its own hardware identifier. */
  nextBoard(): Board {
    const { profile } = this.#options;
    this.#boards += 1;
    const uniqueId = sampleUniqueId(BOARD_SEED, this.#boards);
    const label = deriveLabelSerial(
      this.config.values.job.sku,
      toDeviceId({ scheme: profile.hardwareIdScheme, value: uniqueId }),
    );
    return { label, chip: ChipFile.open(join(this.directory.devices, `${label}.chip`), { profile, uniqueId }) };
  }

  /** Puts the board in the fixture and scans a label, which may be the wrong one. */
  async program({ chip }: Board, label: string): Promise<UnitResult> {
    this.#bay.insert(chip);
    const job = this.config.values.job;
    const { signal } = this.#options.session;
    return this.#running.station.programUnit({ job, label: { raw: label, symbology: 'text' }, signal });
  }

  /** Writes the evidence file of a unit that passed; returns its path. */
  keepEvidence(result: UnitResult): Promise<string> {
    return keepEvidence(this.#running, result, this.directory.evidence);
  }

  /** The supervisor decides about every open line stop with an action; returns how many there were. */
  async decide(action: Disposition['action'], reason: string): Promise<number> {
    const { session, directory, supervisor } = this.#options;
    const stops = await this.#running.line.openStops();
    for (const stop of stops) {
      const envelope = await signDisposition({
        matter: matterOfStop(stop),
        action,
        reason,
        signer: loadSoftwareKey(directory.key(`supervisor-${supervisor}`)),
        trustedRoot: this.#trustedRoot,
        id: session.newId(),
        now: session.clock.now(),
      });
      await this.#running.line.submit(envelope);
    }
    return stops.length;
  }

  /** The line publishes about once a second; resolves when the public log is all there is. */
  async untilPublished(): Promise<void> {
    const file = join(this.directory.log, 'checkpoint');
    for (let waitedMs = 0; waitedMs < PUBLISH_TIMEOUT_MS; waitedMs += PUBLISH_POLL_MS) {
      const latest = await this.#running.line.checkpoint();
      if (latest !== null && existsSync(file) && equalBytes(latest, readFile(file, MAX_NOTE_BYTES))) return;
      await pause(PUBLISH_POLL_MS);
    }
    throw new CliError('ERR_CLI_TRANSPORT', 'the line does not publish its log');
  }

  close(): void {
    this.#running.close();
  }

  #signedSession(operator: string): ReturnType<typeof signSession> {
    const { session, directory } = this.#options;
    const { station, line } = this.config.values;
    return signSession({
      credential: loadSoftwareKey(directory.key(`operator-${operator}`)),
      trustedRoot: this.#trustedRoot,
      station: { id: station, line },
      id: session.newId(),
      line: this.#running.line,
      clock: session.clock,
      durationMs: SHIFT_MS,
    });
  }
}
