// SPDX-License-Identifier: Apache-2.0
/** Labels and the check station from the command line: a printer on a port, a scanner that returns what it printed. */
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run, type RunResult } from './run.ts';
import { expectDone, TestLine, TestSite } from './site.ts';

let site: TestSite;
let line: TestLine;
let printer: Server;
/** What came out of the printer, as a scanner returns it. */
const labels: string[] = [];

beforeAll(async () => {
  site = await TestSite.makeReleased();
  line = await TestLine.start(site.data);
  printer = createServer((socket) => {
    let zpl = '';
    socket.setEncoding('latin1').on('data', (part: string) => (zpl += part));
    socket.on('end', () => {
      labels.push(readLabel(zpl));
      socket.end();
    });
  });
  printer.listen(0, '127.0.0.1');
  await once(printer, 'listening');
  const { port } = printer.address() as AddressInfo;
  setPrinter({ host: '127.0.0.1', port });
}, 60_000);

afterAll(async () => {
  printer.close();
  await line.end('SIGTERM');
  site.remove();
});

function setPrinter(to: Readonly<Record<string, unknown>>): void {
  const file = `${site.data}/station.json`;
  const config = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  writeFileSync(file, JSON.stringify({ ...config, labels: { printer: to } }));
}

function readLabel(zpl: string): string {
  const [, field = ''] = /\^BQN,2,\d+\^FH_\^FDMA,([^^]*)\^FS/.exec(zpl) ?? [];
  const text = field.replaceAll(/_([0-9A-F]{2})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
  return `]Q1${text}`;
}

function at(device: string, ...command: readonly string[]): Promise<RunResult> {
  const operator = ['--operator-key', site.key('operator-olga'), '--line', line.url];
  return run([...command, '--data', site.data, '--device', device, ...operator]);
}

async function programmed(uniqueId: string): Promise<{ readonly device: string; readonly label: string }> {
  const board = await site.makeBoard(uniqueId);
  const made = await at(board.device, 'station', 'program', '--label', board.label);
  expect(`${made.exit} ${made.stdout}${made.stderr}`).toMatch(/^0 .*PASS.*LABEL PRINTED/s);
  return board;
}

const trace = (label: string): Promise<RunResult> => run(['trace', label, '--data', site.data, '--line', line.url]);

describe('a station with a label printer', () => {
  it('prints from the record, demands the scan, and traces both', { timeout: 60_000 }, async () => {
    const board = await programmed('d2651c0b1f3a7711');
    expect(labels.at(-1)).toContain(`S${board.label}`);
    const next = await site.makeBoard('d2651c0b1f3a7712');
    const waiting = await at(next.device, 'station', 'program', '--label', next.label);
    expect([waiting.exit, waiting.stdout.includes('LB-111')]).toEqual([4, true]);
    const wrong = await at(board.device, 'label', 'scan', '--scan', `]Q1${board.label}`);
    expect([wrong.exit, wrong.stderr.includes('LB-115')]).toEqual([4, true]);
    const scanned = await at(board.device, 'label', 'scan', '--scan', labels.at(-1) ?? '');
    expect([scanned.exit, scanned.stdout]).toEqual([0, expect.stringMatching(/LABEL CHECKED.*copy 1/)]);
    const traced = await trace(board.label);
    expect([traced.exit, traced.stdout]).toEqual([
      0,
      expect.stringMatching(/label printed, copy 1.*label scanned back/s),
    ]);
  });

  it('A4: takes no serial that somebody typed for a label', { timeout: 60_000 }, async () => {
    const board = await programmed('d2651c0b1f3a7713');
    for (const typed of [board.label, board.label.toLowerCase(), board.label.replace('GW', 'GVV'), `${board.label} `]) {
      const result = await at(board.device, 'label', 'scan', '--unit', board.label, '--scan', typed);
      expect([result.exit, typed]).toEqual([4, typed]);
      const stops = await run(['line', 'stops', '--data', site.data, '--line', line.url, '--json']);
      for (const { refusalId } of (JSON.parse(stops.stdout) as { stops: { refusalId: string }[] }).stops) {
        const decision = ['--action', 'voidLabel', '--reason', 'typed', '--key', site.key('supervisor-sam')];
        await expectDone(['line', 'decide', refusalId, '--data', site.data, '--line', line.url, ...decision]);
      }
    }
    expect((await at(board.device, 'label', 'scan', '--scan', labels.at(-1) ?? '')).exit).toBe(0);
  });

  it('reprints for a reason, and voids for a supervisor', { timeout: 60_000 }, async () => {
    const board = await programmed('d2651c0b1f3a7714');
    const [first] = labels.slice(-1);
    const mute = await at(board.device, 'label', 'reprint', '--unit', board.label);
    expect([mute.exit, mute.stderr.includes('--reason')]).toEqual([2, true]);
    const again = await at(board.device, 'label', 'reprint', '--unit', board.label, '--reason', 'smeared');
    expect([again.exit, again.stdout]).toEqual([0, expect.stringContaining('copy 2')]);
    const stale = await at(board.device, 'label', 'scan', '--scan', first ?? '');
    expect([stale.exit, stale.stderr.includes('LB-110')]).toEqual([4, true]);
    expect((await at(board.device, 'label', 'scan', '--scan', labels.at(-1) ?? '')).exit).toBe(0);
    const voiding = ['label', 'void', '--unit', board.label, '--reason', 'torn'];
    const refused = await at(board.device, ...voiding, '--key', site.key('operator-olga'));
    expect([refused.exit, refused.stderr.includes('LB-113')]).toEqual([4, true]);
    expect((await at(board.device, ...voiding, '--key', site.key('supervisor-sam'))).exit).toBe(0);
    const traced = await trace(board.label);
    expect([traced.exit, traced.stdout]).toEqual([1, expect.stringContaining('EV-112')]);
  });

  it('says that a label was not printed, and the unit stays PASS (LB-112)', { timeout: 60_000 }, async () => {
    const { port } = printer.address() as AddressInfo;
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port: nobody } = closed.address() as AddressInfo;
    closed.close();
    await once(closed, 'close');
    setPrinter({ host: '127.0.0.1', port: nobody });
    const board = await site.makeBoard('d2651c0b1f3a7715');
    const made = await at(board.device, 'station', 'program', '--label', board.label);
    expect(`${made.exit} ${made.stdout}${made.stderr}`).toMatch(/^4 .*PASS.*LB-112/s);
    setPrinter({ host: '127.0.0.1', port });
    expect((await at(board.device, 'label', 'reprint', '--unit', board.label, '--reason', 'no printer')).exit).toBe(0);
    expect((await at(board.device, 'label', 'scan', '--scan', labels.at(-1) ?? '')).exit).toBe(0);
  });

  it(
    'A3, A11: the check station flags a swapped label and changed content; a supervisor lifts what was an error',
    {
      timeout: 60_000,
    },
    async () => {
      const board = await programmed('d2651c0b1f3a7716');
      const label = labels.at(-1) ?? '';
      expect((await at(board.device, 'label', 'scan', '--scan', label)).exit).toBe(0);
      const fine = await at(board.device, 'station', 'check', '--label', label);
      expect([fine.exit, fine.stdout]).toEqual([0, expect.stringContaining('AS RECORDED')]);
      const swapped = await at(board.device, 'station', 'check', '--label', labels[0] ?? '');
      expect([swapped.exit, swapped.stdout]).toEqual([
        4,
        expect.stringMatching(/LB-117.*manifest.*manifest.*FLAGGED/s),
      ]);
      expect((await trace(board.label)).stdout).toContain('EV-113');
      const lift = ['--lift', site.key('supervisor-sam')];
      const lifted = await at(board.device, 'station', 'check', '--label', label, ...lift);
      expect([lifted.exit, lifted.stdout]).toEqual([0, expect.stringContaining('flag lifted')]);
      expect((await trace(board.label)).exit).toBe(0);
    },
  );
});

describe('the time of a station', () => {
  it('is laid down by two people, and judged by what they signed', async () => {
    const draft = site.path('hierarchy.json');
    const config = JSON.parse(readFileSync(`${site.data}/station.json`, 'utf8')) as { plant: string; line: string };
    const limits = { maxOffsetMs: 200, maxRootDistanceMs: 500, maxAgeMs: 60_000, minSources: 1, maxFalsetickers: 0 };
    const hierarchy = {
      plant: config.plant,
      line: config.line,
      version: 1,
      sources: [{ address: '127.0.0.11', authentication: 'none', maxStratum: 3 }],
      sane: limits,
      degraded: limits,
      minAnsweredPolls: 3,
      minSamples: 3,
      approvedBy: [
        { id: 'anna', role: 'approver' },
        { id: 'sam', role: 'supervisor' },
      ],
      issuedAt: new Date().toISOString(),
      validUntil: '2099-01-01T00:00:00Z',
    };
    writeFileSync(draft, JSON.stringify(hierarchy));
    const sign = (from: string, to: string, key: string): Promise<RunResult> =>
      run(['time', 'sign', from, '--data', site.data, '--key', site.key(key), '--out', site.path(to)]);
    expect((await sign(draft, 'half', 'operator-olga')).exit).not.toBe(0);
    expect((await sign(draft, 'half', 'approver-anna')).stdout).toContain('one more signature is missing');
    const whole = await sign(site.path('half'), 'whole', 'supervisor-sam');
    expect([whole.stderr, whole.stdout]).toEqual(['', expect.stringContaining('complete')]);
    const timeService = {
      chrony: { socketPath: site.path('nobody.sock') },
      policy: { sane: limits, degraded: limits, minAnsweredPolls: 3, minSamples: 3, maxStratum: 10, requireNts: false },
    };
    const file = site.path('station.json');
    const absolute = (path: string): string => `${site.data}/${path}`;
    const write = (hierarchyFile: string): void => {
      const station = { ...config, trustedRoot: absolute('trusted-root.json') };
      writeFileSync(file, JSON.stringify({ ...station, timeService: { ...timeService, hierarchy: hierarchyFile } }));
    };
    write(site.path('whole'));
    const judged = await run(['station', 'clock', '--config', file]);
    expect([judged.exit, judged.stdout]).toEqual([
      4,
      expect.stringMatching(/time hierarchy 1.*127\.0\.0\.11.*INSANE/s),
    ]);
    write(site.path('half'));
    const half = await run(['station', 'clock', '--config', file]);
    expect([half.exit, half.stderr.includes('LS-331')]).toEqual([4, true]);
  });
});
