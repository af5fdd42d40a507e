// SPDX-License-Identifier: Apache-2.0
/**
 * kill -9 of the real `station` and `line` processes in the calls that make something durable, by strace's fault injection;
 * then the same unit is scanned again. A handful of points spread over the flow; WITNESSMARK_KILL_SWEEP=all takes all.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseStatementHeader, PREDICATE_TYPES, provisioningEvent, toStatement } from '@witnessmark/attestation';
import { parseUnitEvidence } from '@witnessmark/bundle';
import {
  hasProgram,
  ProcessSite,
  SYNC_CALLS,
  type CallCounts,
  type KillPoint,
  type LineProcess,
  type ProcessBoard,
} from '../src/crash/process-site.ts';

const TAKES_ALL = process.env['WITNESSMARK_KILL_SWEEP'] === 'all';
const STATION_POINTS = 6;
const LINE_POINTS = 3;
const NO_CALLS: CallCounts = { fsync: 0, fdatasync: 0, rename: 0 };
const PASS = 0;
const HOLD = 5;

let site: ProcessSite;

describe.skipIf(!hasProgram('strace'))('kill -9 at sync points (strace)', { timeout: 900_000 }, () => {
  beforeAll(() => {
    site = ProcessSite.create();
  });

  afterAll(() => {
    site.remove();
  });

  it('A67 the station, anywhere in a unit', async () => {
    const line = await site.serve('none');
    try {
      // The first unit of a station makes its directories; the second is like every other.
      await site.program(site.makeBoard(), line, 'none');
      const { exit, counts } = await site.program(site.makeBoard(), line, 'count');
      expect(exit).toBe(PASS);
      const endings = new Endings();
      for (const kill of killPoints(counts, NO_CALLS, STATION_POINTS)) {
        const board = site.makeBoard();
        const first = await site.program(board, line, kill);
        expect(first.exit, describeKill(kill)).toBeNull();
        const again = await site.program(board, line, 'none');
        endings.count(again.exit);
        await expectLawful(board, line, again.exit, describeKill(kill));
      }
      console.log(`station: ${formatCounts(counts)}; the next scan ended ${endings.format()}`);
    } finally {
      await line.stop();
    }
  });

  it('I3 the line, anywhere in a unit; started again it has all it promised', async () => {
    const idle = await site.serve('count');
    const before = idle.counts();
    await site.program(site.makeBoard(), idle, 'none');
    const after = idle.counts();
    await idle.stop();
    const endings = new Endings();
    let deaths = 0;
    for (const kill of killPoints(after, before, LINE_POINTS)) {
      const board = site.makeBoard();
      const doomed = await site.serve(kill);
      const first = await site.program(board, doomed, 'none');
      // Publishing goes on after the unit; a kill there may still be to come.
      if (first.exit !== PASS) expect(doomed.isAlive(), describeKill(kill)).toBe(false);
      if (!doomed.isAlive()) deaths += 1;
      await doomed.stop();
      const line = await site.serve('none');
      const again = first.exit === PASS ? first : await site.program(board, line, 'none');
      endings.count(again.exit);
      await expectLawful(board, line, again.exit, describeKill(kill));
      await line.stop();
    }
    expect(deaths).toBeGreaterThan(0);
    console.log(
      `line: ${deaths} deaths; ${formatCounts(before)} to ${formatCounts(after)}; the next scan ended ${endings.format()}`,
    );
  });
});

/** How units ended in the end, by exit code. */
class Endings {
  readonly #counts = new Map<number | null, number>();

  count(exit: number | null): void {
    this.#counts.set(exit, (this.#counts.get(exit) ?? 0) + 1);
  }

  format(): string {
    return [...this.#counts].map(([exit, count]) => `${count} × exit ${String(exit)}`).join(', ');
  }
}

/** All calls from `before` on, or `points` of them, from the first to the last. */
function killPoints(counts: CallCounts, before: CallCounts, points: number): readonly KillPoint[] {
  const all = SYNC_CALLS.flatMap((call) =>
    Array.from({ length: counts[call] - before[call] }, (_, index): KillPoint => ({
      call,
      when: before[call] + index + 1,
    })),
  );
  if (TAKES_ALL || all.length <= points) return all;
  const step = (all.length - 1) / (points - 1);
  return Array.from({ length: points }, (_, index) => all[Math.round(index * step)] as KillPoint);
}

/** The unit passed, exactly once, and anybody can check it; or it is held, and nobody can take it for good. */
async function expectLawful(board: ProcessBoard, line: LineProcess, exit: number | null, kill: string): Promise<void> {
  expect([PASS, HOLD], kill).toContain(exit);
  const evidence = await site.evidence(board, line);
  if (evidence === null) throw new Error(`${kill}: the line knows no such unit`);
  const outcomes = parseUnitEvidence(evidence)
    .entries.map(({ envelope }) => parseStatementHeader(envelope.payload))
    .filter(({ predicateType }) => predicateType === PREDICATE_TYPES.provisioningEvent)
    .map((header) => toStatement(provisioningEvent, header).predicate.outcome);
  expect(
    outcomes.filter((outcome) => outcome === 'SUCCEEDED'),
    kill,
  ).toHaveLength(exit === PASS ? 1 : 0);
  const { verdict, code } = site.verify(evidence);
  expect([verdict, code], kill).toEqual(exit === PASS ? ['VERIFIED', null] : ['FAILED', 'EV-113']);
}

function describeKill({ call, when }: KillPoint): string {
  return `killed in ${call} number ${when}`;
}

function formatCounts(counts: CallCounts): string {
  return SYNC_CALLS.map((call) => `${counts[call]} ${call}`).join(', ');
}
