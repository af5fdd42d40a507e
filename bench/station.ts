// SPDX-License-Identifier: Apache-2.0
/**
 * What the controls cost a unit on device A, a flash chip behind flashrom: each unit is paired with a board on which the
 * bare tool does what anybody would do without us – one run that writes, another that reads back, and a comparison. The
 * difference is the price; the table says which control it is paid for. On a real site: line server in another process,
 * HTTP, a disk that syncs.
 *
 *   node --conditions=@witnessmark/source bench/station.ts [pairs] [--write]     --write: docs/station-overhead.{md,svg}
 */
import { execFileSync, spawn } from 'node:child_process';
import crypto, { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { deriveLabelSerial, toDeviceId } from '@witnessmark/attestation';
import { FlashromDriver, sampleUniqueId, SerprogProcess, W25Q80_BOARD, type DeviceDriver } from '@witnessmark/device';
import { loadConfig, stationConfigSchema } from '../apps/cli/src/config.ts';
import { Serving } from '../apps/cli/src/demo/serving.ts';
import { readFile } from '../apps/cli/src/files.ts';
import { openStation, type RunningStation } from '../apps/cli/src/roots/station.ts';
import { systemClock, uuidSource } from '../apps/cli/src/system.ts';
import { numberArgument, WRITES_DOCS } from './arguments.ts';
import { drawBars } from './bars.ts';
import { formatCores, MachineMeter, measureSync } from './machine.ts';
import { signOperatorIn } from './sign-in.ts';
import { median, percentile } from './workload.ts';

const FLASHROM = '/usr/sbin/flashrom';
const PAIRS = numberArgument(12);
const WARM_UP_PAIRS = 1;
const GOAL_MS = 250;
const DOCS = join(import.meta.dirname, '../docs');
const MAIN = join(import.meta.dirname, '../apps/cli/src/main.ts');
const WITNESSMARK = ['--conditions=@witnessmark/source', MAIN];

/** What a call is for, in the order of a unit. Calls that are not listed, and our own thinking, are the rest. */
const PARTS = {
  clock: 'clock compared with the line',
  release: 'release: metadata refreshed',
  identity: 'device asked who it is, before and after',
  permit: 'permit asked of the line',
  journal: 'journal synced: intent, event, receipt',
  records: 'intent and event logged, receipts',
  lock: 'lock set, reset, put to the test',
  signatures: 'signatures made and checked',
} as const;
type Part = keyof typeof PARTS | 'tool';
const spent = new Map<Part, number>();

interface Pair {
  readonly bare: number;
  readonly total: number;
  readonly parts: ReadonlyMap<Part, number>;
}

const base = mkdtempSync(join(tmpdir(), 'witnessmark-station-bench-'));
const data = join(base, 'site');

async function main(): Promise<void> {
  timeSignatures();
  timeRequests();
  await timeSyncs(base);
  // A released image and a site to work on; its one unit is not measured.
  execFileSync(process.execPath, [...WITNESSMARK, 'demo', '--headless', '--units', '1', '--data', data], {
    stdio: 'pipe',
  });
  const line = await Serving.start(['line', 'serve', '--data', data]);
  try {
    const meter = new MachineMeter();
    report(await measurePairs(line.place), meter);
  } finally {
    await line.stop();
  }
}

async function measurePairs(lineUrl: string): Promise<readonly Pair[]> {
  const config = loadConfig(join(data, 'station.json'), stationConfigSchema);
  const bench = new Bench();
  const newId = uuidSource(systemClock);
  const running = await openStation(config, { clock: systemClock, newId, driver: bench.driver, lineUrl });
  const { job } = config.values;
  await running.station.signIn(await signOperatorIn(data, config, running.line, newId()));
  const image = readFile(join(data, 'image.bin'), W25Q80_BOARD.sizeBytes);
  mkdirSync(join(base, 'chips'));
  const pairs: Pair[] = [];
  for (let number = 0; number < WARM_UP_PAIRS + PAIRS; number += 1) {
    // Whoever comes second may find a warmer machine, so they take turns.
    const order = number % 2 === 0 ? (['bare', 'ours'] as const) : (['ours', 'bare'] as const);
    const times = { bare: 0, total: 0, parts: new Map<Part, number>() };
    for (const who of order) {
      if (who === 'bare') times.bare = await bench.withBoard(number * 2, ({ port }) => runBareTool(port, image));
      else Object.assign(times, await bench.withBoard(number * 2 + 1, ({ label }) => programUnit(running, job, label)));
    }
    if (number >= WARM_UP_PAIRS) pairs.push(times);
  }
  running.close();
  return pairs;
}

/** A fixture whose board, and the programmer in front of it, is another one each time. */
class Bench {
  #driver: DeviceDriver | null = null;

  /** Whatever is in the fixture; the time of each call counts for what it is for. */
  readonly driver: DeviceDriver = new Proxy({} as DeviceDriver, {
    get: (_, name) => {
      const driver = this.#driver;
      if (name === 'profile') return W25Q80_BOARD;
      if (name === 'simulated') return true;
      if (name === 'programmer') return driver?.programmer ?? { model: 'none', serial: null, firmware: null };
      const part: Part =
        name === 'program' || name === 'readBack'
          ? 'tool'
          : name === 'identify' || name === 'readHardwareId'
            ? 'identity'
            : 'lock';
      return (...args: unknown[]): Promise<unknown> =>
        measure(part, () => Reflect.apply(Reflect.get(driver as object, name) as () => Promise<unknown>, driver, args));
    },
  });

  async withBoard<T>(number: number, work: (board: { port: number; label: string }) => Promise<T>): Promise<T> {
    const uniqueId = sampleUniqueId(`bench ${randomUUID()}`, number);
    const chipPath = join(base, 'chips', `${number}.chip`);
    const programmer = await SerprogProcess.start({ chipPath, uniqueId, profile: W25Q80_BOARD });
    try {
      this.#driver = await FlashromDriver.open({ profile: W25Q80_BOARD, address: programmer });
      const deviceId = toDeviceId({ scheme: W25Q80_BOARD.hardwareIdScheme, value: uniqueId });
      return await work({ port: programmer.port, label: deriveLabelSerial('GW-210', deviceId) });
    } finally {
      await programmer.close();
    }
  }
}

async function programUnit(
  { station }: RunningStation,
  job: Parameters<RunningStation['station']['programUnit']>[0]['job'],
  label: string,
): Promise<Omit<Pair, 'bare'>> {
  spent.clear();
  const started = performance.now();
  const { phase, code, detail } = await station.programUnit({ job, label: { raw: label, symbology: 'text' } });
  const total = performance.now() - started;
  if (phase !== 'passed') throw new Error(`a unit ended ${phase} ${code ?? ''}: ${detail ?? ''}`);
  return { total, parts: new Map(spent) };
}

/** Without flashrom's own verification, as an independent read follows; the same arguments the driver gives. */
async function runBareTool(port: number, image: Uint8Array): Promise<number> {
  const directory = mkdtempSync(join(base, 'bare-'));
  writeFileSync(join(directory, 'image.bin'), image);
  const common = ['--verbose', '--programmer', `serprog:ip=127.0.0.1:${port}`, '--chip', W25Q80_BOARD.flashromChip];
  const started = performance.now();
  await runTool([...common, '--noverify', '--write', 'image.bin'], directory);
  await runTool([...common, '--read', 'content.bin'], directory);
  const same = Buffer.compare(image, readFileSync(join(directory, 'content.bin')));
  const took = performance.now() - started;
  if (same !== 0) throw new Error('the bare tool read back something else');
  return took;
}

function runTool(args: readonly string[], cwd: string): Promise<void> {
  return new Promise((done, fail) => {
    const child = spawn(FLASHROM, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.resume();
    child.stderr.resume();
    child.on('error', fail);
    child.on('close', (code) => {
      if (code === 0) done();
      else fail(new Error(`flashrom ended with ${String(code)}`));
    });
  });
}

function report(pairs: readonly Pair[], meter: MachineMeter): void {
  const added = pairs.map(({ total, bare }) => total - bare);
  const rows = toRows(pairs);
  const lines = [
    `${pairs.length} pairs on a simulated W25Q80 behind flashrom, 1 MiB each, line server in another process`,
    formatRow(
      'bare tool: write, read back',
      pairs.map(({ bare }) => bare),
    ),
    formatRow(
      'unit, scan to PASS',
      pairs.map(({ total }) => total),
    ),
    formatRow('added by all controls', added),
    ...rows.map(({ name, values }) => formatRow(`  ${name}`, values)),
  ];
  for (const text of lines) console.log(text);
  const syncs = measureSync(base);
  const machine = `${cpus().length} cores, ${formatCores(meter.busyCores())} busy; a sync of 16 KiB ${syncs.p50.toFixed(2)} ms, p99 ${syncs.p99.toFixed(2)} ms`;
  console.log(machine);
  const verdict = median(added) <= GOAL_MS ? 'met' : 'MISSED';
  console.log(`goal: at most ${GOAL_MS} ms median: ${verdict}`);
  const bars = rows.map(({ name, values }) => ({ name, value: median(values) }));
  console.log(drawBars(bars, 'ms').text);
  if (!WRITES_DOCS) return;
  writeFileSync(join(DOCS, 'station-overhead.svg'), drawBars(bars, 'ms').svg);
  writeFileSync(join(DOCS, 'station-overhead.md'), toPage(pairs, rows, { machine, verdict }));
}

interface Row {
  readonly name: string;
  readonly values: readonly number[];
}

function toRows(pairs: readonly Pair[]): readonly Row[] {
  const of = (part: Part): readonly number[] => pairs.map(({ parts }) => parts.get(part) ?? 0);
  const known = Object.entries(PARTS).map(([part, name]) => ({ name, values: of(part as Part) }));
  const around = pairs.map(({ bare, parts }) => (parts.get('tool') ?? 0) - bare);
  const rest = pairs.map(({ total, parts }) => total - [...parts.values()].reduce((sum, value) => sum + value, 0));
  return [
    ...known,
    { name: 'tool runs: part checked around each, own folders', values: around },
    { name: 'rest: hashing, rules, own thinking', values: rest },
  ];
}

function formatRow(name: string, values: readonly number[]): string {
  return `${name.padEnd(52)} ${median(values).toFixed(1).padStart(8)} ms   p95 ${percentile(values, 0.95).toFixed(1)} ms`;
}

function toPage(
  pairs: readonly Pair[],
  rows: readonly Row[],
  { machine, verdict }: Record<'machine' | 'verdict', string>,
): string {
  const cell = (values: readonly number[]): string =>
    `${median(values).toFixed(1)} | ${percentile(values, 0.95).toFixed(1)}`;
  const totals: readonly Row[] = [
    { name: 'bare tool: one run writes, another reads back', values: pairs.map(({ bare }) => bare) },
    { name: 'unit, scan to PASS', values: pairs.map(({ total }) => total) },
    { name: '**added by all controls**', values: pairs.map(({ total, bare }) => total - bare) },
  ];
  return [
    '# What the controls cost a unit',
    '',
    `Made by \`node --conditions=@witnessmark/source bench/station.ts --write\`: ${pairs.length} pairs on device A, a simulated W25Q80 of 1 MiB`,
    'behind flashrom. Each unit is paired with a board on which flashrom alone writes the image and, in a second run, reads it back.',
    `The goal is at most ${GOAL_MS} ms, median, for everything together: **${verdict}**. Machine: ${machine}.`,
    '',
    '| what | median, ms | p95, ms |',
    '| --- | --: | --: |',
    ...[...totals, ...rows].map(({ name, values }) => `| ${name} | ${cell(values)} |`),
    '',
    '![Median milliseconds of each control](station-overhead.svg)',
    '',
    'The lock is a step of the recipe, which a bare tool would have to do as well; here it counts as added.',
    '',
  ].join('\n');
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
          count('signatures', performance.now() - started);
        }
      },
    });
  }
  syncBuiltinESMExports();
}

function timeRequests(): void {
  const original = globalThis.fetch;
  globalThis.fetch = (input, init) => {
    const { pathname } = new URL(input instanceof Request ? input.url : input);
    return measure(partOf(pathname), () => original(input, init));
  };
}

function partOf(path: string): Part {
  if (path.startsWith('/trust/')) return 'release';
  if (path === '/api/v1/time') return 'clock';
  return path === '/api/v1/permits' ? 'permit' : 'records';
}

/** File handles share a prototype that nobody exports. */
async function timeSyncs(directory: string): Promise<void> {
  const handle = await open(join(directory, 'probe'), 'w');
  const prototype = Object.getPrototypeOf(handle) as FileHandle;
  const original = prototype.sync;
  prototype.sync = function sync(this: FileHandle): Promise<void> {
    return measure('journal', () => original.call(this));
  };
  await handle.close();
}

async function measure<T>(part: Part, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  try {
    return await work();
  } finally {
    count(part, performance.now() - started);
  }
}

function count(part: Part, milliseconds: number): void {
  spent.set(part, (spent.get(part) ?? 0) + milliseconds);
}

try {
  if (existsSync(FLASHROM)) await main();
  else console.log(`no ${FLASHROM}: nothing to compare with`);
} finally {
  rmSync(base, { recursive: true, force: true });
}
