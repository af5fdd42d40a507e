// SPDX-License-Identifier: Apache-2.0
/** Measures a station: every section of its build, from the machine as it is now. */
import { toLine, toManifest, type BuildManifest, type Section } from './manifest.ts';
import type { Machine } from './machine.ts';
import { readBlock, readHardware, readUsb } from './sections/hardware.ts';
import { readMounts, readPorts, readRoutes } from './sections/network.ts';
import { describeAll, readAccounts, readSchedule, readSudo } from './sections/people.ts';
import { readFiles, readKernel, readPackages } from './sections/software.ts';

export interface Programmer {
  readonly model: string;
  readonly serial: string;
  readonly firmware: string;
}

/** What to measure besides what every machine has; part of the station's configuration. */
export interface BuildPlan {
  /** SHA-256 of the software that measures, lower-case hexadecimal. */
  readonly agentDigest: string;
  /** Debian packages whose every file is hashed: the programming tools. */
  readonly hashedPackages: readonly string[];
  /** Files and directories that are hashed. */
  readonly hashedPaths: readonly string[];
  /** Files of the station's own configuration. */
  readonly configuration: readonly string[];
  readonly programmers: readonly Programmer[];
  /** Names of fixtures, with their calibration or version. */
  readonly fixtures: readonly string[];
}

/** Throws `ERR_BUILD_RECORD_UNREADABLE` when something is there and cannot be read. */
export function measureStation(machine: Machine, plan: BuildPlan): BuildManifest {
  return toManifest(
    new Map<Section, readonly string[]>([
      ['agent', [toLine('witnessmark', `sha256:${plan.agentDigest}`), toLine('node', process.version)]],
      ['kernel', readKernel(machine)],
      ['packages', readPackages(machine)],
      ['files', readFiles(machine, plan.hashedPackages, plan.hashedPaths)],
      ['configuration', describeAll(machine, plan.configuration)],
      ['accounts', readAccounts(machine)],
      ['sudo', readSudo(machine)],
      ['schedule', readSchedule(machine)],
      ['usb', readUsb(machine)],
      ['block', readBlock(machine)],
      ['ports', readPorts(machine)],
      ['routes', readRoutes(machine)],
      ['mounts', readMounts(machine)],
      ['hardware', readHardware(machine)],
      ['programmers', plan.programmers.map(({ model, serial, firmware }) => toLine(model, serial, firmware))],
      ['fixtures', plan.fixtures.map((fixture) => toLine(fixture))],
    ]),
  );
}
