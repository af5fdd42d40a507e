// SPDX-License-Identifier: Apache-2.0
/**
 * The scene of the station: two stations with real programming tools, and what happens to stations in factories – swapped
 * labels, wrong clocks, changed software, power cuts, a line that is away, disks that are put back. Every unit ends with a
 * verdict of the offline verifier, or with a named hold.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CommandResult } from '../../command.ts';
import { EXIT, worstOf } from '../../exit-codes.ts';
import type { Session } from '../../session.ts';
import { DemoDirectory } from '../demo-directory.ts';
import { findFreePort } from '../free-port.ts';
import { Serving } from '../serving.ts';
import { Stage } from '../stage.ts';
import { labelUnits, proveWithGolden } from './controls.ts';
import { requireEquipment } from './equipment.ts';
import { approveBuild } from './machines.ts';
import { Shift, type UnitRow } from './shift.ts';
import {
  cutAfterLock,
  cutWhileWriting,
  driftAway,
  loseLine,
  restoreDisk,
  setClockBack,
  swapLabels,
} from './troubles.ts';
import { TimeNetwork } from './time-network.ts';
import { Workshop } from './workshop.ts';

/** Any that is free. */
const ANY_PORT = 0;

export async function runStationScene(session: Session, data: string): Promise<CommandResult> {
  requireEquipment();
  const directory = DemoDirectory.claim(data);
  const startedMs = session.clock.monotonic();
  const stage = new Stage(session, {});
  stage.say(`witnessmark demo ${session.version}, scene station: everything stays in ${data}`);
  const units = await play(session, stage, directory);
  const refused = stage.rows.filter((row) => row.refused).length;
  const settled = units.filter((unit) => unit.isSettled).length;
  const seconds = ((session.clock.monotonic() - startedMs) / 1000).toFixed(1);
  const report = { scene: 'station', rows: stage.rows, units };
  writeFileSync(join(directory.path, 'report.json'), `${JSON.stringify(report, null, 2)}\n`);
  session.output.verdict(
    `${stage.commands} commands, ${settled} of ${units.length} units with a verdict or a named hold, ` +
      `${refused} of ${stage.rows.length} troubles refused with their code, ${seconds} s`,
  );
  const exits = [...stage.rows.map((row) => row.refused), ...units.map((unit) => unit.isSettled)];
  const exit = worstOf(exits.map((isRight) => (isRight ? EXIT.yes : EXIT.no)));
  return { exit, document: { data: directory.path, commands: stage.commands, rows: stage.rows, units } };
}

async function play(session: Session, stage: Stage, directory: DemoDirectory): Promise<readonly UnitRow[]> {
  const workshop = await Workshop.open(stage, directory, await findFreePort(ANY_PORT));
  const shift = new Shift(stage, workshop);
  const line = new LineServer(directory);
  let time: TimeNetwork | null = null;
  try {
    stage.say('  1  a site: two products, each release approved by two of three');
    await workshop.build(session, directory);
    time = await TimeNetwork.start(join(directory.path, 'time'));
    workshop.keepTime(time.service);
    await workshop.release(workshop.gateways, 'P-0001');
    await workshop.release(workshop.sensors, 'P-0002');
    await workshop.admitOperator();
    await line.start();
    stage.say('  2  a second station, enrolled with a fingerprint from paper');
    await workshop.enrolSecondStation();
    stage.say('  3  what both stations are made of is approved by two people, and demanded from now on');
    for (const station of [workshop.gateways, workshop.sensors]) await approveBuild(stage, workshop, station);
    stage.say('  4  four slots at work: two with flashrom, two with OpenOCD');
    await Promise.all([workshop.gateways, workshop.sensors].map((station) => shift.makeInAllPlaces(station)));
    stage.say('  5  a golden unit proves the station');
    await proveWithGolden(shift);
    stage.say('  6  labels are printed from records, and scanned back');
    await labelUnits(shift);
    stage.say('  7  a label roll is swapped');
    await swapLabels(shift);
    stage.say('  8  a clock is set back');
    await setClockBack(shift);
    stage.say('  9  power is cut');
    await cutWhileWriting(shift);
    await cutAfterLock(shift);
    stage.say(' 10  software drifts');
    await driftAway(shift);
    stage.say(' 11  the line is away for a while');
    await loseLine(shift, line);
    stage.say(' 12  a disk is put back');
    await restoreDisk(shift);
    stage.say(' 13  every unit accounted for by the verifier, and the log checked');
    const units = await shift.account();
    await line.stop();
    await stage.run(['log', 'fsck', '--data', directory.path]);
    return units;
  } finally {
    await line.stop();
    await workshop.close();
    await time?.stop();
  }
}

/** The line's process, which can be away for a while. */
class LineServer {
  readonly #data: string;
  #running: Serving | null = null;

  constructor({ path }: DemoDirectory) {
    this.#data = path;
  }

  async start(): Promise<void> {
    this.#running = await Serving.start(['line', 'serve', '--data', this.#data]);
  }

  async stop(): Promise<void> {
    await this.#running?.stop();
    this.#running = null;
  }
}
