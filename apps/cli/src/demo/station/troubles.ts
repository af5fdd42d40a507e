// SPDX-License-Identifier: Apache-2.0
/** What happens to stations, done on purpose. Scenario numbers are those of the catalogue of attacks. */
import { cpSync, rmSync } from 'node:fs';
import { clockMovedBy } from './equipment.ts';
import { APPROVED_VERSION, installPackage, recordOf } from './machines.ts';
import type { Shift, Unit } from './shift.ts';
import { EXIT } from '../../exit-codes.ts';

/** Somewhere in the middle of the image. */
const WRITTEN_BYTES = 24 * 1024;

/** A label roll is swapped; only a supervisor lets the station go on, and "continue" is no decision. */
export async function swapLabels(shift: Shift): Promise<void> {
  const { stage, workshop } = shift;
  const { gateways } = workshop;
  const first = await shift.nextUnit(gateways, gateways.places[0]);
  const second = await shift.nextUnit(gateways, gateways.places[1]);
  await stage.refuse('A1', 'LS-101', 'the label of another board', shift.program(first, second.label));
  await stage.refuse('A1', 'LS-503', 'the operator goes on with the next board', shift.program(second));
  await workshop.decide(null, 'voidLabel', 'the label roll was swapped; labels destroyed');
  await shift.make(first);
  await shift.make(second);
  await stage.refuse('A7', 'LS-102', 'a good unit once more, to reach the count', shift.program(first));
  await workshop.decide(null, 'quarantineUnit', 'kept for QA');
  shift.hold(first, 'LS-102, quarantined by a supervisor');
}

/** One of three time servers lies by hours, which changes nothing; a clock that is set back stops the station. */
export async function setClockBack(shift: Shift): Promise<void> {
  const { stage, workshop } = shift;
  const { stdout } = await stage.run(['station', 'clock', '--data', workshop.gateways.data]);
  stage.say(`     ${stdout.trim().split('\n').join(', ')}, with one of three time servers lying by hours`);
  const unit = await shift.nextUnit(workshop.gateways);
  const environment = clockMovedBy(-10);
  await stage.refuse('A17', 'LS-301', 'the clock is set back ten minutes', shift.program(unit), { environment });
  await shift.make(unit);
}

/** Somebody updates the programming tool; no unit is begun until it is as approved again, or approved. */
export async function driftAway(shift: Shift): Promise<void> {
  const { stage, workshop } = shift;
  const { gateways } = workshop;
  const unit = await shift.nextUnit(gateways);
  installPackage(workshop, gateways, '1.4.0-1');
  await stage.refuse('A21', 'LS-401', 'a package was updated without approval', shift.program(unit));
  const { stdout } = await stage.run(['station', 'diff', '--data', gateways.data], { exit: EXIT.no });
  for (const line of stdout.split('\n').filter((text) => /^[-+][^-+]/.test(text))) stage.say(`          ${line}`);
  const root = workshop.path('machines', 'rebuilt');
  await stage.run([
    'station',
    'rebuild',
    '--from',
    recordOf(workshop, gateways),
    '--root',
    root,
    '--data',
    workshop.data,
  ]);
  installPackage(workshop, gateways, APPROVED_VERSION);
  await shift.make(unit);
}

/**
 * The line is away in the middle of a shift: as many units as it allowed beforehand are made and wait for it, then the
 * station holds; the same person is not let in elsewhere meanwhile. When the line is back, everything is delivered.
 */
export async function loseLine(shift: Shift, line: { stop(): Promise<void>; start(): Promise<void> }): Promise<void> {
  const { stage, workshop } = shift;
  const { gateways, sensors } = workshop;
  const work = stage.start(workshop.run(gateways));
  await work.until(/signed in at/);
  const stranger = await shift.nextUnit(sensors);
  const withHerBadge = shift.program(stranger).map((word) => word.replace(sensors.operator, gateways.operator));
  await stage.refuse('A5', 'LS-514', 'one badge at two stations', withHerBadge);
  await shift.make(stranger);
  const before = await shift.nextUnit(gateways);
  await work.tell(scanOf(before), ended(before));
  await line.stop();
  const allowed = await shift.nextUnit(gateways);
  stage.say(lastLineOf(await work.tell(scanOf(allowed), ended(allowed))));
  const second = await shift.nextUnit(gateways);
  const answer = await work.tell(scanOf(second), /^\[1\] +(?:PASS|FAIL|LINE STOP|HOLD|WAITS)/m);
  stage.note({ scenario: 'A19', code: 'HD-07', tried: 'work goes on unseen', refused: answer.includes('HD-07') });
  await line.start();
  await work.tell(scanOf(second), ended(second));
  await work.end();
}

/** The disk of a station is put back to what it was some units ago: it forgot what the line remembers. */
export async function restoreDisk(shift: Shift): Promise<void> {
  const { stage, workshop } = shift;
  const { gateways } = workshop;
  const disk = workshop.path('stations', gateways.id);
  const copy = workshop.path('devices', 'disk-image');
  cpSync(disk, copy, { recursive: true });
  await shift.make(await shift.nextUnit(gateways));
  rmSync(disk, { recursive: true });
  cpSync(copy, disk, { recursive: true });
  const unit = await shift.nextUnit(gateways);
  await stage.refuse('A13', 'LS-405', 'the disk of the station is put back', shift.program(unit));
  shift.hold(unit, 'LS-405, the station waits to be enrolled again');
}

/** Power goes while the board is written: nobody knows what it holds, and nothing is written again without a decision. */
export async function cutWhileWriting(shift: Shift): Promise<void> {
  const { stage, workshop } = shift;
  const unit = await shift.nextUnit(workshop.gateways);
  await stage.cut(shift.program(unit), unit.place.cutAfter(WRITTEN_BYTES));
  await unit.place.powerOff();
  await unit.place.powerOn();
  await stage.refuse('A6', 'HD-02', 'power goes while a board is written', shift.program(unit));
  await workshop.decide(unit.label, 'allowRetry', 'power was cut');
  await shift.make(unit);
}

/** Power goes after the lock and before the record: the board is read back, and the record is made from that. */
export async function cutAfterLock(shift: Shift): Promise<void> {
  const { stage, workshop } = shift;
  const unit = await shift.nextUnit(workshop.sensors);
  await stage.cut(shift.program(unit), /LOCK/);
  await unit.place.powerOff();
  await unit.place.powerOn();
  const { stdout } = await stage.run(shift.program(unit));
  stage.say(lastLineOf(stdout));
}

function scanOf({ place, label }: Unit): string {
  return `${place.slot}:${label}`;
}

/** What is printed when the unit has ended. */
function ended({ place, label }: Unit): RegExp {
  return new RegExp(`^\\[${place.slot}\\] .*${label}.*$`, 'm');
}

function lastLineOf(text: string): string {
  return `     ${text.trim().split('\n').at(-1) ?? ''}`;
}
