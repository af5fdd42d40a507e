// SPDX-License-Identifier: Apache-2.0
/**
 * A68: the real disk of a station runs full in the middle of a unit. What was begun is ended or held, nothing is there by half,
 * and the next unit is refused with a code.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  DEFAULT_TIME_POLICY,
  Journal,
  openNodeFileSystem,
  Spool,
  type Station,
  type UnitResult,
} from '@witnessmark/station';
import { makeFixture, type SimFixture } from '../src/sim/sim-device.ts';
import { JOB, SimFactory } from '../src/sim/sim-factory.ts';
import { SimTimeSource } from '../src/sim/sim-time-source.ts';
import { canMountDisks, SmallDisk } from '../src/small-disk.ts';

const STATION_DISK = '256k';
const MAX_UNITS = 20;

describe.skipIf(!canMountDisks())('a disk that runs full (root may mount a small one)', { timeout: 120_000 }, () => {
  let disk: SmallDisk;
  let factory: SimFactory;

  beforeEach(async () => {
    disk = SmallDisk.mount(STATION_DISK)!;
    factory = await SimFactory.open({ rules: { offline: { maxUnits: 64, maxHours: 8 }, refusalsPerMinute: 10_000 } });
  });

  afterEach(async () => {
    await factory.close();
    disk.unmount();
  });

  /** Leaves about so many bytes. */
  function fill(leaving: number): void {
    writeFileSync(join(disk.path, 'ballast'), new Uint8Array(Math.max(0, disk.freeBytes - leaving)));
  }

  async function start(fixture: SimFixture): Promise<Station> {
    const directory = join(disk.path, 'station');
    mkdirSync(directory, { recursive: true });
    const files = openNodeFileSystem(directory);
    const { publicKey } = factory.people.stations['ST-07'].key;
    const station = await factory.startStation({
      files,
      driver: fixture.driver,
      journal: await Journal.open(files),
      offline: { line: factory.wire, spool: await Spool.open(files, publicKey), isWanted: true },
      timeService: { source: new SimTimeSource(), policy: DEFAULT_TIME_POLICY },
    });
    await station.signIn(await factory.session('ST-07', true));
    return station;
  }

  async function program(station: Station, fixture: SimFixture): Promise<UnitResult> {
    const board = factory.makeBoard();
    fixture.bay.insert(board.chip);
    return station.programUnit({ job: JOB, label: { raw: board.serial, symbology: 'd2' } });
  }

  it.each([20_000, 14_000, 9_000, 5_000, 0])(
    'A68: the station with %i bytes left, without the line: made and kept, or refused, never by half',
    async (leaving) => {
      const fixture = makeFixture();
      const station = await start(fixture);
      expect(await program(station, fixture)).toMatchObject({ phase: 'passed' });
      const { line } = factory.wire;
      factory.wire.line = null;
      fill(leaving);
      const results: UnitResult[] = [];
      while (results.length < MAX_UNITS && results.at(-1)?.code !== 'LS-302')
        results.push(await program(station, fixture));
      expect(results.at(-1)).toMatchObject({ code: 'LS-302' });
      for (const { code } of results) expect(['HD-06', 'LS-302']).toContain(code);
      factory.wire.line = line;
      rmSync(join(disk.path, 'ballast'));
      const next = await start(fixture);
      const report = await next.recover();
      expect(report.stop).toBeNull();
      expect(await program(next, fixture)).toMatchObject({ phase: 'passed' });
      for (const { deviceId } of results.filter(({ code }) => code === 'HD-06')) {
        const row = await factory.line.store.views.unit(deviceId ?? '');
        expect(row?.state).toBe('passed');
      }
      expect(await factory.line.line.openStops()).toEqual([]);
    },
  );
});
