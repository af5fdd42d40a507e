// SPDX-License-Identifier: Apache-2.0
/**
 * Units per hour of a station with 1, 2, 4 and 8 slots. The boards are simulated, and each operation takes the time it takes
 * on device A, so that what is left is ours: what slots wait for each other – one key, one disk, one line, one event loop.
 *
 *   node --conditions=@witnessmark/source bench/slots.ts [units per slot] [--write]     --write: docs/station-slots.{md,svg}
 */
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { deriveLabelSerial, toDeviceId } from '@witnessmark/attestation';
import {
  blankChip,
  DeviceBay,
  sampleUniqueId,
  SimulatedDriver,
  SpiNorChip,
  W25Q80_BOARD,
  type DeviceDriver,
} from '@witnessmark/device';
import { loadConfig, stationConfigSchema } from '../apps/cli/src/config.ts';
import { Serving } from '../apps/cli/src/demo/serving.ts';
import { openSlots } from '../apps/cli/src/roots/station.ts';
import { systemClock, uuidSource } from '../apps/cli/src/system.ts';
import { numberArgument, WRITES_DOCS } from './arguments.ts';
import { drawBars } from './bars.ts';
import { formatCores, MachineMeter } from './machine.ts';
import { signOperatorIn } from './sign-in.ts';
import { median } from './workload.ts';

const UNITS_PER_SLOT = numberArgument(3);
const SLOT_COUNTS = [1, 2, 4, 8];
const GOAL = 7;
const DOCS = join(import.meta.dirname, '../docs');
const MAIN = join(import.meta.dirname, '../apps/cli/src/main.ts');
const WITNESSMARK = ['--conditions=@witnessmark/source', MAIN];
/** What flashrom and our own client need for 1 MiB over serprog. */
const DEVICE_MS: Readonly<Record<string, number>> = {
  identify: 5,
  readHardwareId: 5,
  program: 2_100,
  readBack: 1_100,
  lock: 20,
  reset: 20,
  readLockState: 20,
};

interface Shift {
  readonly slots: number;
  readonly unitsPerHour: number;
  /** Scan to PASS less the device's own time, median, in milliseconds. */
  readonly overheadMs: number;
  /** How late the event loop was, 99th percentile, in milliseconds. */
  readonly loopDelayMs: number;
  /** Cores this process used. */
  readonly ownCores: number;
}

const base = mkdtempSync(join(tmpdir(), 'witnessmark-slots-bench-'));
const data = join(base, 'site');
execFileSync(process.execPath, [...WITNESSMARK, 'demo', '--headless', '--units', '1', '--data', data], {
  stdio: 'pipe',
});
const line = await Serving.start(['line', 'serve', '--data', data]);
try {
  const meter = new MachineMeter();
  const shifts: Shift[] = [];
  // The first one warms up what the others use.
  await workShift(1, 1);
  for (const slots of SLOT_COUNTS) shifts.push(await workShift(slots, UNITS_PER_SLOT));
  report(shifts, meter);
} finally {
  await line.stop();
  rmSync(base, { recursive: true, force: true });
}

async function workShift(slots: number, unitsPerSlot: number): Promise<Shift> {
  const config = loadConfig(join(data, 'station.json'), stationConfigSchema);
  const newId = uuidSource(systemClock);
  const numbers = Array.from({ length: slots }, (_, index) => index + 1);
  // In memory: a board that wrote its content to this disk would make the journals wait for it.
  const bays = numbers.map(() => new DeviceBay());
  const waited = numbers.map(() => 0);
  const running = await openSlots(config, {
    clock: systemClock,
    newId,
    lineUrl: line.place,
    slots: bays.map((bay, index) => ({
      slot: index + 1,
      driver: paced(new SimulatedDriver({ profile: W25Q80_BOARD, bay }), (milliseconds) => {
        waited[index] = (waited[index] ?? 0) + milliseconds;
      }),
    })),
  });
  const { job } = config.values;
  try {
    await running.group.signIn(await signOperatorIn(data, config, running.line, newId()));
    const overheads: number[] = [];
    const loop = monitorEventLoopDelay({ resolution: 1 });
    loop.enable();
    const cpu = process.cpuUsage();
    const started = performance.now();
    const workSlot = async (slot: number): Promise<void> => {
      for (let unit = 0; unit < unitsPerSlot; unit += 1) {
        const uniqueId = sampleUniqueId(`bench ${randomUUID()}`, unit);
        const deviceId = toDeviceId({ scheme: W25Q80_BOARD.hardwareIdScheme, value: uniqueId });
        const raw = deriveLabelSerial(job.sku, deviceId);
        bays[slot - 1]?.insert(new SpiNorChip(blankChip({ ...W25Q80_BOARD, uniqueId })));
        const begun = performance.now();
        waited[slot - 1] = 0;
        const result = await running.group.programUnit(slot, { job, label: { raw, symbology: 'text' } });
        if (result.phase !== 'passed') throw new Error(`${result.phase} ${result.code ?? ''} ${result.detail ?? ''}`);
        overheads.push(performance.now() - begun - (waited[slot - 1] ?? 0));
      }
    };
    await Promise.all(numbers.map(workSlot));
    const seconds = (performance.now() - started) / 1000;
    const { user, system } = process.cpuUsage(cpu);
    loop.disable();
    await running.group.endSession();
    return {
      slots,
      unitsPerHour: (slots * unitsPerSlot * 3600) / seconds,
      overheadMs: median(overheads),
      loopDelayMs: loop.percentile(99) / 1e6,
      ownCores: (user + system) / 1e6 / seconds,
    };
  } finally {
    running.close();
  }
}

/** The simulated board at the pace of a real one; what the model itself needs is part of it. */
function paced(driver: DeviceDriver, onTime: (milliseconds: number) => void): DeviceDriver {
  return new Proxy(driver, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      const wanted = DEVICE_MS[String(name)] ?? 0;
      return async (...args: unknown[]): Promise<unknown> => {
        const begun = performance.now();
        const outcome: unknown = await (Reflect.apply(member, target, args) as Promise<unknown>);
        const left = wanted - (performance.now() - begun);
        if (left > 0) await sleep(left);
        onTime(Math.max(wanted, performance.now() - begun));
        return outcome;
      };
    },
  });
}

function report(shifts: readonly Shift[], meter: MachineMeter): void {
  const single = shifts[0]?.unitsPerHour ?? NaN;
  const factorOf = ({ unitsPerHour }: Shift): number => unitsPerHour / single;
  for (const shift of shifts) {
    console.log(
      `${shift.slots} slots  ${shift.unitsPerHour.toFixed(0).padStart(6)} units/hour  ${factorOf(shift).toFixed(2)} ×  ` +
        `overhead ${shift.overheadMs.toFixed(1)} ms  event loop p99 ${shift.loopDelayMs.toFixed(1)} ms  ${shift.ownCores.toFixed(2)} cores`,
    );
  }
  const machine = `${cpus().length} cores, ${formatCores(meter.busyCores())} busy, line server and boards included`;
  console.log(machine);
  const last = shifts.at(-1);
  const factor = last === undefined ? NaN : factorOf(last);
  const verdict = factor >= GOAL ? 'met' : 'MISSED';
  console.log(`goal: 8 slots at least ${GOAL} × one: ${factor.toFixed(2)}, ${verdict}`);
  const bars = shifts.map((shift) => ({ name: `${shift.slots} slots`, value: shift.unitsPerHour }));
  console.log(drawBars(bars, 'units/hour').text);
  if (!WRITES_DOCS) return;
  writeFileSync(join(DOCS, 'station-slots.svg'), drawBars(bars, 'units/hour').svg);
  const rows = shifts.map((shift) => {
    const { slots, unitsPerHour, overheadMs, loopDelayMs, ownCores } = shift;
    return `| ${slots} | ${unitsPerHour.toFixed(0)} | ${factorOf(shift).toFixed(2)} | ${overheadMs.toFixed(1)} | ${loopDelayMs.toFixed(1)} | ${ownCores.toFixed(2)} |`;
  });
  const page = [
    '# What several slots make',
    '',
    `Made by \`node --conditions=@witnessmark/source bench/slots.ts --write\`: ${UNITS_PER_SLOT} units in each slot, boards of 1 MiB`,
    'that are simulated and take the time of device A (2.1 s to write, 1.1 s to read back). One station process, one key, one',
    `journal for each slot on one disk, line server in another process. Machine: ${machine}.`,
    '',
    `The goal is that 8 slots make at least ${GOAL} times the units of one: **${factor.toFixed(2)}, ${verdict}**.`,
    '',
    '| slots | units per hour | times one slot | overhead of a unit, median, ms | event loop late, p99, ms | cores of the station |',
    '| --: | --: | --: | --: | --: | --: |',
    ...rows,
    '',
    '![Units per hour by slots](station-slots.svg)',
    '',
  ];
  writeFileSync(join(DOCS, 'station-slots.md'), page.join('\n'));
}
