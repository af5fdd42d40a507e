// SPDX-License-Identifier: Apache-2.0
/** The simulated world in small: shifts with troubles keep every promise, and the same seed is the same shift. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { TROUBLES, type Trouble } from '../src/swarm/troubles.ts';
import { runWorld } from '../src/swarm/world.ts';

const SEEDS = [1, 2, 3, 4, 5, 6];
/** `npm run sim` takes many more; these have found something once (track-record.md). */
const RECORD = /^\| (\d+) +\|/gm;

function trackRecord(): readonly number[] {
  const text = readFileSync(new URL('../track-record.md', import.meta.url), 'utf8');
  return [...text.matchAll(RECORD)].map((match) => Number(match[1]));
}

describe('a simulated shift', { timeout: 120_000 }, () => {
  it.each([...new Set([...SEEDS, ...trackRecord()])])(
    'seed %i keeps every promise, twice the same way',
    async (seed) => {
      const report = await runWorld(seed);
      expect(report.violations, report.history.join('\n')).toEqual([]);
      expect((await runWorld(seed)).traceHash).toBe(report.traceHash);
    },
  );

  it('I3 disks that do not keep what they say break promises, and that is found', async () => {
    const seeds = [1, 2, 3, 4, 5, 6, 7, 8];
    const reports = [];
    for (const seed of seeds) reports.push(await runWorld(seed, { troubles: ['processCrash'], ignoresSync: true }));
    expect(reports.flatMap(({ violations }) => violations)).not.toEqual([]);
  });

  it('without any trouble every unit passes at once', async () => {
    const report = await runWorld(7, { troubles: [] });
    expect(report.violations).toEqual([]);
    expect(report.history.map((line) => line.replace(/^.*?: /, ''))).toEqual(report.history.map(() => 'passed'));
  });

  it.each(TROUBLES)('only %s: keeps every promise', async (trouble: Trouble) => {
    const report = await runWorld(11, { troubles: [trouble] });
    expect(report.violations, report.history.join('\n')).toEqual([]);
  });
});
