// SPDX-License-Identifier: Apache-2.0
/** The scene of the station, as its users run it: real programming tools, power cuts, every command a process of its own. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasProgram } from './programs.ts';
import { run, runProcess, type RunResult } from './run.ts';

const FAKETIME = '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1';
const NEEDED = ['flashrom', 'openocd'];

interface Report {
  readonly scene: string;
  readonly rows: readonly { readonly scenario: string; readonly code: string; readonly refused: boolean }[];
  readonly units: readonly { readonly serial: string; readonly station: string; readonly isSettled: boolean }[];
}

describe.skipIf(!NEEDED.every(hasProgram) || !existsSync(FAKETIME))(
  'demo --scene station',
  { timeout: 600_000 },
  () => {
    let folder: string;
    let data: string;
    let shown: RunResult;
    let report: Report;

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'witnessmark-scene-'));
      data = join(folder, 'data');
      shown = await runProcess(['demo', '--headless', '--scene', 'station', '--data', data]);
      report = JSON.parse(readFileSync(join(data, 'report.json'), 'utf8')) as Report;
    }, 600_000);

    afterAll(() => {
      rmSync(folder, { recursive: true, force: true });
    });

    it('ends with 0, with every trouble refused under its code', () => {
      expect(`${shown.exit}\n${shown.stderr}`).toMatch(/^0\n/);
      expect(report.rows.filter(({ refused }) => !refused)).toEqual([]);
      const scenarios = new Set(report.rows.map(({ scenario }) => scenario));
      const catalogue = ['A1', 'A2', 'A3', 'A5', 'A6', 'A7', 'A10', 'A13', 'A17', 'A19', 'A21'];
      expect([...scenarios].sort()).toEqual(catalogue.sort());
    });

    it('every unit of both stations has a verdict or a named hold, and what the verifier says can be repeated', async () => {
      expect(new Set(report.units.map(({ station }) => station))).toEqual(new Set(['station-1', 'station-2']));
      expect(report.units.filter(({ isSettled }) => !isSettled)).toEqual([]);
      const evidence = join(data, 'evidence');
      const files = readdirSync(evidence).filter((name) => name.endsWith('.evidence.json'));
      expect(files.length).toBeGreaterThan(5);
      const trust = ['--trust', join(data, 'trusted-root.json'), '--policy', join(data, 'policy.json')];
      expect(await run(['verify', ...files.map((name) => join(evidence, name)), ...trust])).toMatchObject({ exit: 0 });
    });
  },
);
