// SPDX-License-Identifier: Apache-2.0
/** A shift in the workshop: boards come, are programmed, and every one of them is accounted for at the end. */
import { existsSync } from 'node:fs';
import { EXIT } from '../../exit-codes.ts';
import type { Ran, Stage } from '../stage.ts';
import { Board, type Place } from './place.ts';
import type { Station, Workshop } from './workshop.ts';

/** A board in a place of a station, with the label that belongs on it. */
export interface Unit {
  readonly station: Station;
  readonly place: Place;
  readonly board: Board;
  readonly label: string;
}

/** How a unit ended: a verdict of the offline verifier, or the reason why it is held. */
export interface UnitRow {
  readonly serial: string;
  readonly station: string;
  readonly board: string;
  readonly ended: string;
  readonly isSettled: boolean;
}

export class Shift {
  readonly workshop: Workshop;
  readonly stage: Stage;
  readonly #units: Unit[] = [];
  #boards = 0;
  readonly #holds = new Map<string, string>();

  constructor(stage: Stage, workshop: Workshop) {
    this.stage = stage;
    this.workshop = workshop;
  }

  /** The next blank board, in a place of the station. */
  async nextUnit(station: Station, place: Place = station.places[0]): Promise<Unit> {
    this.#boards += 1;
    const board = new Board(station.boards, this.#boards, this.workshop.path('devices'));
    await place.insert(board);
    const unit = { station, place, board, label: board.labelOf(station.product.sku) };
    this.#units.push(unit);
    return unit;
  }

  /** The command line that programs the unit; another label when somebody swapped it. */
  program({ station, place, label }: Unit, scanned = label): string[] {
    return this.workshop.program(station, place, scanned);
  }

  /** Programs a unit that has to pass. */
  async make(unit: Unit): Promise<Ran> {
    await unit.place.insert(unit.board);
    return this.stage.run(this.program(unit));
  }

  /** A unit in every place of the station, all at the same time. */
  async makeInAllPlaces(station: Station): Promise<void> {
    const scans: string[] = [];
    for (const place of station.places) scans.push(`${place.slot}:${(await this.nextUnit(station, place)).label}`);
    await this.stage.run(this.workshop.run(station), { input: `${scans.join('\n')}\n` });
  }

  /** The unit stays held, under this code. */
  hold({ label }: Unit, code: string): void {
    this.#holds.set(label, code);
  }

  /** The offline verifier about the evidence file of every unit that passed, and about what the line has of every other. */
  async account(): Promise<readonly UnitRow[]> {
    const rows: UnitRow[] = [];
    for (const unit of this.#units) {
      const hold = this.#holds.get(unit.label);
      const { ended, isSettled } = hold === undefined ? await this.#verify(unit) : await this.#confirm(unit, hold);
      rows.push({ serial: unit.label, station: unit.station.id, board: unit.board.name, ended, isSettled });
      this.stage.say(`     ${unit.station.id}  ${unit.board.name.padEnd(7)} ${ended}`);
    }
    return rows;
  }

  async #verify({ station, label }: Unit): Promise<Pick<UnitRow, 'ended' | 'isSettled'>> {
    const evidence = this.workshop.evidenceOf(station, label);
    if (!existsSync(evidence)) return { ended: 'without evidence', isSettled: false };
    const { exit, stdout } = await this.stage.attempt(this.workshop.verification(evidence));
    return { ended: stdout.trim().split('\n').at(-1) ?? '', isSettled: exit === EXIT.yes };
  }

  /** A held unit has no record that passes: the verifier fails what the line has of it, or the line has nothing. */
  async #confirm({ label }: Unit, hold: string): Promise<Pick<UnitRow, 'ended' | 'isSettled'>> {
    const { exit, stdout } = await this.stage.attempt(this.workshop.tracing(label));
    if (exit === EXIT.unknown) return { ended: `held: ${hold}`, isSettled: true };
    const verdict = stdout.trim().split('\n').at(-1) ?? '';
    return { ended: `held: ${hold}; ${verdict}`, isSettled: exit === EXIT.no };
  }
}
