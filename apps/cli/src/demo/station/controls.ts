// SPDX-License-Identifier: Apache-2.0
/** What a station does besides programming: it proves itself with a golden unit, and labels what passed. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runToEnd } from '../stage.ts';
import type { Shift, Unit } from './shift.ts';
import { changeJson, SUPERVISOR } from './workshop.ts';

const CHIP_BYTES = 1024 * 1024;

/** A board that holds the release and can never be shipped: read back in place of a product, before the shift begins. */
export async function proveWithGolden(shift: Shift): Promise<void> {
  const { stage, workshop } = shift;
  const { gateways } = workshop;
  const { sku } = gateways.product;
  const golden = await shift.nextUnit(gateways);
  const flash = workshop.path('images', 'golden.flash');
  const content = Buffer.alloc(CHIP_BYTES, 0xff);
  readFileSync(workshop.imageOf(sku)).copy(content);
  writeFileSync(flash, content);
  const programmer = `serprog:ip=${golden.place.device.replace('flashrom:', '')}`;
  await runToEnd('/usr/sbin/flashrom', ['-p', programmer, '-c', 'W25Q80.V', '-w', flash]);
  const slot = ['--data', gateways.data, '--slot', `${golden.place.slot}`, '--kind', 'golden'];
  const supervisor = ['--key', workshop.key(`supervisor-${SUPERVISOR}`), '--reason', 'shift start'];
  await stage.run(['golden', 'register', ...slot, '--image', workshop.imageOf(sku), ...supervisor]);
  await stage.run(['golden', 'check', ...slot, ...workshop.atWork(gateways).slice(2)]);
  await stage.refuse('A10', 'LS-610', 'a golden unit is programmed to reach the count', shift.program(golden));
  shift.hold(golden, 'LS-610, a golden unit is never shipped');
}

/** Labels come from records: printed after PASS, scanned before the next unit, held against the unit afterwards. */
export async function labelUnits(shift: Shift): Promise<void> {
  const { stage, workshop } = shift;
  const { gateways } = workshop;
  const config = join(gateways.data, 'station.json');
  const folder = workshop.path('labels');
  const before = readFileSync(config);
  changeJson(config, (values) => ({ ...values, labels: { printer: { folder, form: 'zpl' } } }));
  const first = await shift.nextUnit(gateways);
  await shift.make(first);
  const second = await shift.nextUnit(gateways);
  await stage.refuse('A2', 'LB-111', 'the next unit before the label was scanned', shift.program(second));
  const scans = new Map<Unit, string>();
  for (const unit of [first, second]) {
    if (unit === second) await shift.make(second);
    const scan = readLabel(folder, unit.label);
    scans.set(unit, scan);
    const slot = ['--slot', `${unit.place.slot}`];
    await stage.run(['label', 'scan', ...workshop.atWork(gateways), ...slot, '--scan', scan]);
  }
  writeFileSync(config, before);
  const check = ['station', 'check', ...workshop.atWork(gateways), '--slot', `${first.place.slot}`];
  await first.place.insert(first.board);
  await stage.run([...check, '--label', scans.get(first) ?? '']);
  const swapped = [...check, '--label', scans.get(second) ?? ''];
  await stage.refuse('A3', 'LB-117', 'labels are swapped after release', swapped);
  for (const unit of [first, second]) shift.hold(unit, 'LB-117, flagged at the check station');
}

/** What a scanner returns for the newest label of the unit that was printed. */
function readLabel(folder: string, serial: string): string {
  const printed = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'latin1'));
  const zpl = printed.findLast((text) => text.includes(serial)) ?? '';
  const [, field = ''] = /\^BQN,2,\d+\^FH_\^FDMA,([^^]*)\^FS/.exec(zpl) ?? [];
  const text = field.replaceAll(/_([0-9A-F]{2})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
  return `]Q1${text}`;
}
