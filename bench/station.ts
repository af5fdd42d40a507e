// SPDX-License-Identifier: Apache-2.0
/**
 * What the controls cost a unit: the time of `programUnit` less the driver's own, on a real site – line server in another
 * process, HTTP, a disk that syncs – and how much of it is signatures, HTTP and syncs. A share is what the call took from
 * start to end; calls overlap, and the line's own syncs and signatures are inside HTTP.
 *
 *   node --conditions=@witnessmark/source bench/station.ts [units]
 */
import { execFileSync } from 'node:child_process';
import crypto, { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deriveLabelSerial, parseTrustedRoot, toDeviceId } from '@witnessmark/attestation';
import { loadSoftwareKey } from '@witnessmark/custody';
import { ChipFile, sampleUniqueId, W25Q80_BOARD, type DeviceDriver } from '@witnessmark/device';
import { loadConfig, stationConfigSchema } from '../apps/cli/src/config.ts';
import { Serving } from '../apps/cli/src/demo/serving.ts';
import { DOCUMENT_BYTES, readFile } from '../apps/cli/src/files.ts';
import { signSession } from '../apps/cli/src/operator-session.ts';
import { SimulatedBay } from '../apps/cli/src/roots/fixture.ts';
import { openStation } from '../apps/cli/src/roots/station.ts';
import { systemClock, uuidSource } from '../apps/cli/src/system.ts';
import { median, percentile } from './workload.ts';

const UNITS = Number(process.argv[2] ?? 60);
const WARM_UP_UNITS = 10;
const GOAL_MS = 100;
const MAIN = join(import.meta.dirname, '../apps/cli/src/main.ts');
const WITNESSMARK = ['--conditions=@witnessmark/source', MAIN];

type Part = 'driver' | 'signatures' | 'http' | 'sync';
const spent: Record<Part, number> = { driver: 0, signatures: 0, http: 0, sync: 0 };

timeSignatures();
timeHttp();

const base = mkdtempSync(join(tmpdir(), 'witnessmark-station-bench-'));
const data = join(base, 'site');
await timeSyncs(base);
// A released image and a site to work on; its one unit is not measured.
execFileSync(process.execPath, [...WITNESSMARK, 'demo', '--headless', '--units', '1', '--data', data], {
  stdio: 'pipe',
});
const line = await Serving.start(['line', 'serve', '--data', data]);
try {
  report(await programUnits(line.place));
} finally {
  await line.stop();
  rmSync(base, { recursive: true, force: true });
}

interface UnitTime extends Record<Part, number> {
  readonly total: number;
}

async function programUnits(lineUrl: string): Promise<readonly UnitTime[]> {
  const config = loadConfig(join(data, 'station.json'), stationConfigSchema);
  const newId = uuidSource(systemClock);
  const bay = new SimulatedBay(W25Q80_BOARD);
  const running = await openStation(config, { clock: systemClock, newId, driver: timed(bay.driver), lineUrl });
  const { station: id, line: lineId, job, trustedRoot } = config.values;
  await running.station.signIn(
    await signSession({
      credential: loadSoftwareKey(join(data, 'keys', 'operator-olga.pem')),
      trustedRoot: parseTrustedRoot(readFile(config.pathOf(trustedRoot), DOCUMENT_BYTES)),
      station: { id, line: lineId },
      id: newId(),
      now: systemClock.now(),
      durationMs: 3_600_000,
    }),
  );
  const times: UnitTime[] = [];
  mkdirSync(join(base, 'chips'));
  for (let unit = 0; unit < WARM_UP_UNITS + UNITS; unit += 1) {
    const uniqueId = sampleUniqueId(`bench ${randomUUID()}`, unit);
    const label = deriveLabelSerial(job.sku, toDeviceId({ scheme: W25Q80_BOARD.hardwareIdScheme, value: uniqueId }));
    bay.insert(ChipFile.open(join(base, 'chips', `${label}.chip`), { profile: W25Q80_BOARD, uniqueId }));
    const before = { ...spent };
    const started = performance.now();
    const { phase, code } = await running.station.programUnit({ job, label: { raw: label, symbology: 'text' } });
    const total = performance.now() - started;
    if (phase !== 'passed') throw new Error(`a unit ended ${phase} ${code ?? ''}`);
    const since = (part: Part): number => spent[part] - before[part];
    if (unit < WARM_UP_UNITS) continue;
    times.push({
      total,
      driver: since('driver'),
      signatures: since('signatures'),
      http: since('http'),
      sync: since('sync'),
    });
  }
  running.close();
  return times;
}

function report(times: readonly UnitTime[]): void {
  const overheads = times.map(({ total, driver }) => total - driver);
  const overhead = median(overheads);
  const show = (name: string, values: readonly number[]): void => {
    console.log(
      `${name.padEnd(34)} ${median(values).toFixed(1).padStart(7)} ms   p95 ${percentile(values, 0.95).toFixed(1)} ms`,
    );
  };
  console.log(`${times.length} units of 1 MiB on a simulated device, line server in another process`);
  show(
    'unit, scan to PASS',
    times.map(({ total }) => total),
  );
  show(
    "the driver's own time",
    times.map(({ driver }) => driver),
  );
  show('overhead: all the rest', overheads);
  for (const part of ['signatures', 'http', 'sync'] as const) {
    const share = (median(times.map((time) => time[part])) / overhead) * 100;
    show(
      `  of it ${part} (${share.toFixed(0)} %)`,
      times.map((time) => time[part]),
    );
  }
  console.log(`goal: at most ${GOAL_MS} ms median: ${overhead <= GOAL_MS ? 'met' : 'MISSED'}`);
}

/** The driver, with the time of every operation summed up. */
function timed(driver: DeviceDriver): DeviceDriver {
  return new Proxy(driver, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      return async (...args: unknown[]): Promise<unknown> =>
        measure('driver', () => Reflect.apply(member, target, args) as Promise<unknown>);
    },
  });
}

/** Station code takes these by name from node:crypto; both are synchronous. */
function timeSignatures(): void {
  for (const name of ['sign', 'verify'] as const) {
    const original = crypto[name] as (...args: unknown[]) => unknown;
    Object.assign(crypto, {
      [name]: (...args: unknown[]): unknown => {
        const started = performance.now();
        try {
          return original(...args);
        } finally {
          spent.signatures += performance.now() - started;
        }
      },
    });
  }
  syncBuiltinESMExports();
}

function timeHttp(): void {
  const original = globalThis.fetch;
  globalThis.fetch = (...args) => measure('http', () => original(...args));
}

/** File handles share a prototype that nobody exports. */
async function timeSyncs(directory: string): Promise<void> {
  const handle = await open(join(directory, 'probe'), 'w');
  const prototype = Object.getPrototypeOf(handle) as FileHandle;
  const original = prototype.sync;
  prototype.sync = function sync(this: FileHandle): Promise<void> {
    return measure('sync', () => original.call(this));
  };
  await handle.close();
}

async function measure<T>(part: Part, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  try {
    return await work();
  } finally {
    spent[part] += performance.now() - started;
  }
}
