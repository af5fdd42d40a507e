// SPDX-License-Identifier: Apache-2.0
/** A workplace with several places: one group of slots over one disk each, as a test handles them. */
import type { DeviceDriver } from '@witnessmark/device';
import {
  Journal,
  shareReleases,
  SlotGroup,
  type FileSystem,
  type ProgramRequest,
  type Station,
  type StationPorts,
  type UnitResult,
} from '@witnessmark/station';
import { encodeUtf8, sha256Hex } from '@witnessmark/core';
import { CrashFs, type DiskImage } from '../crash/crash-fs.ts';
import { makeFixture, type SimBoard, type SimFixture } from './sim-device.ts';
import { JOB, type SimFactory } from './sim-factory.ts';
import { LINE, PLANT, type StationName } from './sim-people.ts';

export interface SlotsOptions {
  readonly count: number;
  readonly name?: StationName;
  /** Of all slots. */
  readonly ports?: Partial<StationPorts>;
  /** Stand between one slot and its disk, its programmer and its other ports. */
  readonly alterFiles?: (files: FileSystem, slot: number) => FileSystem;
  readonly alterDriver?: (driver: DeviceDriver, slot: number) => DeviceDriver;
  readonly alterPorts?: (slot: number) => Partial<StationPorts>;
  /** What is in the fixtures at the start. */
  readonly boards?: readonly (SimBoard | null)[];
  /** What an earlier process left, slot by slot. */
  readonly disks?: readonly DiskImage[];
  /** Leaves the operator's place empty. */
  readonly isUnattended?: boolean;
}

export class SimSlots {
  readonly group: SlotGroup;
  readonly stations: ReadonlyMap<number, Station>;
  readonly fixtures: readonly SimFixture[];
  readonly files: readonly CrashFs[];

  private constructor(group: SlotGroup, parts: Pick<SimSlots, 'stations' | 'fixtures' | 'files'>) {
    this.group = group;
    this.stations = parts.stations;
    this.fixtures = parts.fixtures;
    this.files = parts.files;
  }

  static async open(factory: SimFactory, options: SlotsOptions): Promise<SimSlots> {
    const { count, name = 'ST-07', ports = {}, boards = [], disks = [], isUnattended = false } = options;
    const releases = shareReleases(ports.releases ?? factory.releaseSource(name));
    const fixtures = Array.from({ length: count }, (_, index) => makeFixture(boards[index] ?? null));
    const files = Array.from({ length: count }, (_, index) => new CrashFs(disks[index]));
    const machines: { slot: number; journal: Journal; station: Station }[] = [];
    for (const [index, { driver }] of fixtures.entries()) {
      const slot = index + 1;
      const disk = files[index] as CrashFs;
      const journal = await Journal.open(options.alterFiles?.(disk, slot) ?? disk);
      const station = await factory.startStation({
        name,
        files: disk,
        journal,
        driver: options.alterDriver?.(driver, slot) ?? driver,
        identity: {
          id: name,
          line: LINE,
          plant: PLANT,
          slot,
          softwareDigest: sha256Hex(encodeUtf8('station software')),
          bootId: 'boot-1',
          environment: { rehearsal: false },
        },
        ...ports,
        releases,
        ...options.alterPorts?.(slot),
      });
      machines.push({ slot, journal, station });
    }
    const slots = new SimSlots(new SlotGroup(machines, factory.newId), {
      stations: new Map(machines.map(({ slot, station }) => [slot, station])),
      fixtures,
      files,
    });
    if (!isUnattended) await slots.group.signIn(await factory.session(name, true));
    return slots;
  }

  /** Puts the board into a slot and programs it under its own label. */
  program(slot: number, board: SimBoard, more: Partial<ProgramRequest> = {}): Promise<UnitResult> {
    this.fixtures[slot - 1]?.bay.insert(board.chip);
    return this.group.programUnit(slot, { job: JOB, label: { raw: board.serial, symbology: 'd2' }, ...more });
  }
}
