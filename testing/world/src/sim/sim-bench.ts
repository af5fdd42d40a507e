// SPDX-License-Identifier: Apache-2.0
/** A workplace: one station with its disk, its fixture and its clock, as a test handles them. */
import type { DeviceDriver } from '@witnessmark/device';
import type { Station, StationPorts, UnitResult } from '@witnessmark/station';
import { CrashFs, type DiskImage } from '../crash/crash-fs.ts';
import { SkewedClock } from './sim-clock.ts';
import { makeFixture, type SimBoard, type SimFixture } from './sim-device.ts';
import { JOB, type MakeGate, type SimFactory } from './sim-factory.ts';
import type { StationName } from './sim-people.ts';

export interface BenchOptions {
  readonly name?: StationName;
  readonly ports?: Partial<StationPorts>;
  /** Makes the station measure itself. */
  readonly makeGate?: MakeGate;
  readonly worksOffline?: boolean;
  /** Stands between the station and its programmer. */
  readonly alterDriver?: (driver: DeviceDriver) => DeviceDriver;
  /** What an earlier process left. */
  readonly disk?: DiskImage;
  /** Leaves the operator's place empty. */
  readonly isUnattended?: boolean;
}

export class SimBench {
  readonly factory: SimFactory;
  readonly fixture: SimFixture = makeFixture();
  readonly clock: SkewedClock;
  readonly #options: BenchOptions;
  #files: CrashFs;
  #station: Station | null = null;

  private constructor(factory: SimFactory, options: BenchOptions) {
    this.factory = factory;
    this.clock = new SkewedClock(factory.clock);
    this.#options = options;
    this.#files = new CrashFs(options.disk);
  }

  static async open(factory: SimFactory, options: BenchOptions = {}): Promise<SimBench> {
    const bench = new SimBench(factory, options);
    await bench.restart();
    return bench;
  }

  get station(): Station {
    if (this.#station === null) throw new TypeError('no process is running');
    return this.#station;
  }

  get disk(): DiskImage {
    return this.#files.currentImage();
  }

  /** Puts the board into the fixture and programs it under that label, its own unless said otherwise. */
  program(board: SimBoard, serial: string = board.serial): Promise<UnitResult> {
    this.fixture.bay.insert(board.chip);
    return this.scan(serial);
  }

  /** Scans whatever lies in the fixture under that label. */
  scan(serial: string, signal?: AbortSignal): Promise<UnitResult> {
    const request = { job: JOB, label: { raw: serial, symbology: 'd2' } };
    return this.station.programUnit(signal === undefined ? request : { ...request, signal });
  }

  /** Ends the process and starts another one on the same disk. Signs the operator in unless the clock forbids it. */
  async restart(): Promise<void> {
    if (this.#station !== null) await this.#files.remove('running');
    const { name = 'ST-07', ports = {}, makeGate, worksOffline, alterDriver, isUnattended = false } = this.#options;
    this.#files = new CrashFs(this.disk);
    this.#station = await this.factory.startStation({
      name,
      files: this.#files,
      driver: alterDriver?.(this.fixture.driver) ?? this.fixture.driver,
      clock: this.clock,
      ...(makeGate !== undefined && { makeGate }),
      ...(worksOffline !== undefined && { worksOffline }),
      ...ports,
    });
    if (isUnattended || this.clock.skewMs !== 0 || this.factory.wire.line === null) return;
    await this.#station.signIn(await this.factory.session(name, true));
  }
}
