// SPDX-License-Identifier: Apache-2.0
/**
 * A23: two stations, one device, in every order in which their questions can reach the line. One of them gets the device;
 * the other is told so and never touches it.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LineService } from '@witnessmark/api';
import type { DeviceDriver } from '@witnessmark/device';
import type { UnitResult } from '@witnessmark/station';
import { SimBench } from '../src/sim/sim-bench.ts';
import { beforeOperation, type SimBoard } from '../src/sim/sim-device.ts';
import { SimFactory } from '../src/sim/sim-factory.ts';
import { STATIONS, type StationName } from '../src/sim/sim-people.ts';

/** Time, permit, intent, event. */
const QUESTIONS = 4;

let factory: SimFactory;

beforeAll(async () => {
  factory = await SimFactory.open({ rules: { refusalsPerMinute: 10_000 } });
});

afterAll(async () => {
  await factory.close();
});

/** Lets questions pass in a given order; whoever has none left is passed over. */
class Turns {
  readonly #order: StationName[];
  readonly #finished = new Set<StationName>();
  #waiting: (() => void)[] = [];

  constructor(order: readonly StationName[]) {
    this.#order = [...order];
  }

  async ask<T>(name: StationName, question: () => Promise<T>): Promise<T> {
    while (this.#next() !== name && this.#next() !== undefined) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    try {
      return await question();
    } finally {
      if (this.#next() === name) this.#order.shift();
      this.#wake();
    }
  }

  finish(name: StationName): void {
    this.#finished.add(name);
    this.#wake();
  }

  #next(): StationName | undefined {
    while (this.#order[0] !== undefined && this.#finished.has(this.#order[0])) this.#order.shift();
    return this.#order[0];
  }

  #wake(): void {
    for (const resume of this.#waiting.splice(0)) resume();
  }
}

function takingTurns(line: LineService, name: StationName, turns: () => Turns | null): LineService {
  const ask = <T>(question: () => Promise<T>): Promise<T> => turns()?.ask(name, question) ?? question();
  return {
    requestPermit: (request) => ask(() => line.requestPermit(request)),
    submit: (statement, attachments) => ask(() => line.submit(statement, attachments)),
    time: () => ask(() => line.time()),
    unitEvidence: (unit) => line.unitEvidence(unit),
  };
}

function* orders(left: number, right: number): Generator<readonly StationName[]> {
  if (left === 0 && right === 0) yield [];
  if (left > 0) for (const rest of orders(left - 1, right)) yield ['ST-07', ...rest];
  if (right > 0) for (const rest of orders(left, right - 1)) yield ['ST-08', ...rest];
}

describe('two stations at one device', () => {
  it('A23 one wins and the other is refused, in all 70 orders', { timeout: 120_000 }, async () => {
    let turns: Turns | null = null;
    const benches: Record<StationName, SimBench> = {
      'ST-07': await openBench(
        'ST-07',
        () => turns,
        () => programmed.push('ST-07'),
      ),
      'ST-08': await openBench(
        'ST-08',
        () => turns,
        () => programmed.push('ST-08'),
      ),
    };
    const programmed: StationName[] = [];
    const winners = new Map<StationName, number>();
    let runs = 0;
    for (const order of orders(QUESTIONS, QUESTIONS)) {
      runs += 1;
      const board = factory.makeBoard();
      const present = new Turns(order);
      turns = present;
      const results = await Promise.all(
        STATIONS.map(async (name): Promise<readonly [StationName, UnitResult]> => {
          const result = await benches[name].program(board);
          present.finish(name);
          return [name, result];
        }),
      );
      turns = null;
      const passed = results.filter(([, { phase }]) => phase === 'passed');
      const refused = results.filter(([, { phase }]) => phase !== 'passed');
      expect([passed.length, refused.length], order.join(' ')).toEqual([1, 1]);
      expect(['LS-102', 'LS-105', 'LS-106', 'LS-504'], order.join(' ')).toContain(refused[0]?.[1].code);
      const winner = passed[0]?.[0] as StationName;
      winners.set(winner, (winners.get(winner) ?? 0) + 1);
      expect(programmed.splice(0)).toEqual([winner]);
      await expectOneRecord(board, winner);
      for (const stop of await factory.line.line.openStops()) await factory.decide(stop, 'releaseStation');
    }
    expect(runs).toBe(70);
    expect(winners.get('ST-07')).toBe(winners.get('ST-08'));
  });
});

function openBench(name: StationName, turns: () => Turns | null, onProgram: () => void): Promise<SimBench> {
  const alterDriver = (driver: DeviceDriver): DeviceDriver => beforeOperation(driver, 'program', onProgram);
  return SimBench.open(factory, { name, alterDriver, ports: { line: takingTurns(factory.wire, name, turns) } });
}

/** One intent and one event, both of the winner: the loser never came as far as an effect. */
async function expectOneRecord(board: SimBoard, winner: StationName): Promise<void> {
  const chain = await factory.line.store.views.chain(board.deviceId);
  expect(chain.map(({ kind, station, outcome }) => [kind, station, outcome])).toEqual([
    ['intent', winner, null],
    ['event', winner, 'SUCCEEDED'],
  ]);
  const evidence = await factory.evidence(board);
  expect(evidence === null ? null : factory.verify(evidence).verdict).toBe('VERIFIED');
}
