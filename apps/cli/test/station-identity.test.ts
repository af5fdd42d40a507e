// SPDX-License-Identifier: Apache-2.0
/** A station from its work sheet to its end, by the commands alone; the paper is carried by the test. */
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasProgram } from './programs.ts';
import { run } from './run.ts';
import { expectDone, TestSite } from './site.ts';
import { StationSite, WHY } from './station-site.ts';

let place: StationSite;
let site: TestSite;
beforeAll(async () => {
  site = await TestSite.makeReleased();
  place = await StationSite.make(site);
}, 60_000);
afterAll(() => place.end());

function stationArgs(name: string, device: string, label: string): readonly string[] {
  return [
    ...['station', 'program', '--data', place.data(name), '--device', device, '--label', label],
    ...['--operator-key', site.key('operator-olga'), '--end-other'],
  ];
}

describe('a new station', () => {
  it('A12 is set up, carried to the office on paper, admitted, signed for, and makes a unit over its own connection', async () => {
    const made = await place.init('ST-07');
    expect(made).toMatchObject({ exit: 0 });
    expect(made.stdout).toContain(`trust root  sha256:${place.rootFingerprint}, compared with the work sheet`);
    expect(statSync(join(place.data('ST-07'), 'keys', 'station.pem')).mode & 0o777).toBe(0o600);
    const request = await place.request('ST-07');
    // Asked again, it is the same request: what stands on paper stays good.
    expect(await place.request('ST-07')).toEqual(request);
    expect(await place.admit('ST-07', request)).toMatchObject({ exit: 0 });
    const early = await place.install('ST-07');
    expect(early.exit).toBe(5);
    expect(early.stdout).toContain('T-0001 is not in force yet');
    await place.publish();
    const installed = await place.install('ST-07');
    expect(installed).toMatchObject({ exit: 0, stderr: '' });
    expect(installed.stdout).toMatch(/ST-07 is enrolled, log entry \d+/);

    const { device, label } = await site.makeBoard('d2651c0b1f3a7701');
    const unit = await run(stationArgs('ST-07', device, label));
    expect(`${unit.stdout}${unit.stderr}`).toContain('PASS');
    expect(unit.exit).toBe(0);
  }, 60_000);

  it('gets a new certificate for the same keys, and nobody signs twice', async () => {
    const before = readFileSync(join(place.data('ST-07'), 'identity', 'certificate.pem'), 'utf8');
    const request = await place.request('ST-07', '--again');
    const renewed = await place.admit('ST-07', request);
    expect(renewed).toMatchObject({ exit: 0 });
    expect(renewed.stdout).toContain('in force already; the answer renews its certificate');
    expect(await place.install('ST-07')).toMatchObject({ exit: 0 });
    expect(readFileSync(join(place.data('ST-07'), 'identity', 'certificate.pem'), 'utf8')).not.toBe(before);
    const byOperator = await run([
      ...['trust', 'admit', '--data', site.data, '--request', request.file, '--fingerprint', request.paper],
      ...['--key', site.key('operator-olga'), '--authority-key', site.path('ca.pem'), '--authority', place.authority],
      ...['--out', site.path('x.json'), ...WHY],
    ]);
    expect(byOperator.exit).toBe(4);
    expect(byOperator.stderr).toContain('PL-116');
  });

  it('is examined by doctor', async () => {
    const found = await run(['doctor', '--data', place.data('ST-07')]);
    expect(found).toMatchObject({ exit: 0 });
    expect(found.stdout).toMatch(/warn +signer .*a software key/);
    expect(found.stdout).toMatch(/ok +enrolment +in force for ST-07, asserted/);
    expect(found.stdout).toMatch(/ok +certificate +ST-07 of line-1, good for 36\d days/);
    expect(found.stdout).toMatch(/ok +machine .*as enrolled/);
    expect(found.stdout).toMatch(/ok +line server .*answers/);
    const office = await run(['doctor', '--data', site.data]);
    expect(office.stdout).toMatch(/ok +line config/);
  });

  it('asks for everything on a terminal, and for nothing without one', async () => {
    const sheet = [
      'ST-09',
      'line-1',
      'plant-1',
      place.lineUrl,
      'keys/station.pem',
      'keys/connection.pem',
      'GW-210',
      'A',
    ];
    const answers = [...sheet, join(site.data, 'trust'), place.rootFingerprint];
    const asked = await run(['station', 'init', '--data', place.data('ST-09')], { answers });
    expect(asked).toMatchObject({ exit: 0 });
    expect(asked.stderr).toContain('What is this station called? (e.g. ST-07)');
    const silent = await run(['station', 'init', '--data', place.data('ST-10')]);
    expect(silent.exit).toBe(2);
    expect(silent.stderr).toContain('--station is missing');
  });

  it('does not believe a root that is not the one on paper, nor a line without TLS elsewhere', async () => {
    const foreign = await place.init('ST-11', { more: ['--root-fingerprint', 'ab'.repeat(32)] });
    expect(foreign.exit).toBe(4);
    expect(foreign.stderr).toContain('ID-125');
    expect(existsSync(join(place.data('ST-11'), 'station.json'))).toBe(false);
    // What it left is no hindrance; a folder of something else is.
    expect(await place.init('ST-11')).toMatchObject({ exit: 0 });
    const plain = await place.init('ST-12', { more: ['--line-url', 'http://10.2.0.5:7300'] });
    expect(plain.exit).toBe(4);
    expect(plain.stderr).toContain('ID-108');
    expect(await place.init('ST-07')).toMatchObject({ exit: 2 });
  });
});

describe('the office', () => {
  it('finds a fingerprint that was typed wrongly, and one that belongs to other bytes', async () => {
    const request = await place.request('ST-09');
    const swapped = request.paper.startsWith('0') ? `1${request.paper.slice(1)}` : `0${request.paper.slice(1)}`;
    const mistyped = await place.admit('ST-09', { ...request, paper: swapped });
    expect(mistyped.exit).toBe(2);
    expect(mistyped.stderr).toContain('group 1');
    // Somebody else's request, brought in its place.
    await place.init('ST-13');
    const other = await place.request('ST-13');
    const refused = await place.admit('ST-09', { file: other.file, paper: request.paper });
    expect(refused.exit).toBe(4);
    expect(refused.stderr).toContain('ID-122');
    expect(existsSync(place.answer('ST-09'))).toBe(false);
  });

  it('asks for the paper where somebody can type, and needs an authority for a certificate', async () => {
    const { file, paper } = await place.request('ST-09');
    const office = ['trust', 'admit', '--data', site.data, '--request', file, '--key', site.key('author-alex'), ...WHY];
    const without = await run([...office, '--out', place.answer('ST-09')], { answers: [paper] });
    expect(without.exit).toBe(2);
    expect(without.stderr).toContain('Fingerprint, from the paper of the station:');
    expect(without.stderr).toContain('--authority and --authority-key are missing');
    const foreign = ['--authority', site.path('line.crt'), '--authority-key', site.path('ca.pem')];
    const wrong = await run([...office, ...foreign, '--fingerprint', paper, '--out', place.answer('ST-09')]);
    expect(wrong.exit).toBe(2);
  });

  it('gives an answer that no other station can use, nor this one after it asked again', async () => {
    await place.init('ST-14');
    await place.request('ST-14');
    cpSync(place.answer('ST-07'), place.answer('ST-14'));
    const foreign = await place.install('ST-14');
    expect(foreign.exit).toBe(4);
    expect(foreign.stderr).toContain('ID-124');
    expect(existsSync(join(place.data('ST-14'), 'identity', 'certificate.pem'))).toBe(false);
    expect(await run(['station', 'enroll', '--data', place.data('ST-14'), '--answer', 'x', '--again'])).toMatchObject({
      exit: 2,
    });
  });
});

describe('a copy of a station', () => {
  it('A12 does not start on another machine, and names what differs', async () => {
    const copy = place.data('ST-07-copy');
    cpSync(place.data('ST-07'), copy, { recursive: true });
    const machine = site.path('another-machine');
    mkdirSync(join(machine, 'proc'), { recursive: true });
    writeFileSync(join(machine, 'proc', 'cpuinfo'), 'model name\t: Another\n');
    place.editStation('ST-07-copy', (config) => {
      if (config.identity !== undefined) config.identity = { ...config.identity, machineRoot: machine };
    });
    const { device, label } = await site.makeBoard('d2651c0b1f3a7702');
    const started = await run(stationArgs('ST-07-copy', device, label));
    expect(started.exit).toBe(4);
    expect(started.stderr).toContain('ID-107');
    expect(started.stderr).toMatch(/cpu changed/);
    const found = await run(['doctor', '--data', copy]);
    expect(found.exit).toBe(1);
    expect(found.stdout).toMatch(/FAIL +machine .*cpu changed.*ID-107/);
    // Who can write the disk can ask anew there; the line remembers on which machine the key was enrolled.
    const request = await place.request('ST-07-copy', '--again');
    expect(await place.admit('ST-07-copy', request)).toMatchObject({ exit: 0 });
    const installed = await place.install('ST-07-copy');
    expect(installed.exit).toBe(4);
    expect(installed.stderr).toContain('ID-107');
  });

  it('A12 has no session without its keys, which a disk alone does not hold', async () => {
    const copy = place.data('ST-07-keyless');
    cpSync(place.data('ST-07'), copy, { recursive: true });
    rmSync(join(copy, 'keys'), { recursive: true });
    const { device, label } = await site.makeBoard('d2651c0b1f3a7703');
    const started = await run(stationArgs('ST-07-keyless', device, label));
    expect(started.exit).toBe(2);
    expect(started.stderr).toMatch(/ERR_CUSTODY_KEY_FILE|cannot be read/);
  });

  it('A12 does not speak over the connection of another station', async () => {
    await place.enrol('ST-15');
    const [own, other] = [place.data('ST-07'), place.data('ST-15')];
    const mixed = place.data('ST-07-mixed');
    cpSync(own, mixed, { recursive: true });
    for (const name of ['certificate.pem']) cpSync(join(other, 'identity', name), join(mixed, 'identity', name));
    cpSync(join(other, 'keys', 'connection.pem'), join(mixed, 'keys', 'connection.pem'));
    const { device, label } = await site.makeBoard('d2651c0b1f3a7704');
    const started = await run(stationArgs('ST-07-mixed', device, label));
    expect(started.stderr + started.stdout).toContain('ID-106');
    expect(started.exit).toBe(4);
    const found = await run(['doctor', '--data', mixed]);
    expect(found.stdout).toMatch(/FAIL +certificate/);
  }, 60_000);

  it.skipIf(!hasProgram('curl'))('leaves everything public to be read without a certificate', async () => {
    const { spawn } = await import('node:child_process');
    const read = (path: string): Promise<string> =>
      new Promise((resolve, reject) => {
        const child = spawn('curl', ['-sS', '--fail', '--cacert', place.authority, `${place.lineUrl}${path}`]);
        let text = '';
        child.stdout.on('data', (part: Buffer) => (text += part.toString()));
        child.once('error', reject);
        child.once('exit', () => {
          resolve(text);
        });
      });
    expect(await read('/log/checkpoint')).toContain('witnessmark.dev/log/');
    expect(await read('/trust/metadata/timestamp.json')).toContain('"timestamp"');
    expect(await read('/api/v1/site-records/station-enrolment')).toContain('"ST-15"');
  });
});

describe('the end of a station', () => {
  const retire = (...more: readonly string[]): ReturnType<typeof run> =>
    run(['station', 'retire', '--data', place.data('ST-15'), '--reason', 'replaced', ...more]);

  it('is delivered when the line answers again, as the one statement it was; nothing ends before', async () => {
    const file = join(place.data('ST-15'), 'identity', 'retirement.json');
    place.editStation('ST-15', (config) => {
      config.lineUrl = 'https://localhost:1';
    });
    const unheard = await retire('--destroy-keys', '--confirm', '0000');
    expect(unheard.exit).toBe(6);
    const signed = readFileSync(file, 'utf8');
    expect(existsSync(join(place.data('ST-15'), 'keys', 'station.pem'))).toBe(true);
    place.editStation('ST-15', (config) => {
      config.lineUrl = place.lineUrl;
    });
    // Cut between authority and certificate, the answer is installed again.
    rmSync(join(place.data('ST-15'), 'identity', 'certificate.pem'));
    const cut = await run(['doctor', '--data', place.data('ST-15')]);
    expect(cut.stdout).toMatch(/FAIL +certificate +none is installed/);
    expect(await place.install('ST-15')).toMatchObject({ exit: 0 });
    expect(readFileSync(file, 'utf8')).toBe(signed);
  });

  it('is logged first; the line refuses it from then on, and its keys end with four characters of the digest', async () => {
    const first = await retire('--destroy-keys');
    expect(first.exit).toBe(2);
    expect(first.stderr).toContain('--confirm is missing');
    const keys = ['station.pem', 'connection.pem'].map((name) => join(place.data('ST-15'), 'keys', name));
    expect(keys.every((key) => existsSync(key))).toBe(true);
    const { device, label } = await site.makeBoard('d2651c0b1f3a7705');
    const refused = await run(stationArgs('ST-15', device, label));
    expect(refused.exit).toBe(4);
    expect(refused.stderr + refused.stdout).toContain('ID-105');

    // Again: the same retirement, the same entry.
    const again = await run(['station', 'retire', '--data', place.data('ST-15'), '--json']);
    const { entry, digest } = JSON.parse(again.stdout) as { entry: number; digest: string };
    const wrong = digest.startsWith('0') ? '1234' : '0000';
    expect(await retire('--destroy-keys', '--confirm', wrong)).toMatchObject({ exit: 2 });
    const done = await retire('--destroy-keys', '--confirm', digest.slice(0, 4));
    expect(done).toMatchObject({ exit: 0 });
    expect(done.stdout).toContain(`log entry ${entry};`);
    expect(done.stdout).toContain('2 of 2 keys were destroyed');
    expect(keys.some((key) => existsSync(key))).toBe(false);

    // After a repair: new keys, and the whole way again.
    const request = await place.request('ST-15', '--again');
    expect(keys.every((key) => existsSync(key))).toBe(true);
    expect(await place.admit('ST-15', request)).toMatchObject({ exit: 0 });
    await place.publish();
    expect(await place.install('ST-15')).toMatchObject({ exit: 0 });
  });

  it('is signed by a supervisor when the station cannot any more, and revoked for everybody', async () => {
    await place.enrol('ST-16');
    rmSync(join(place.data('ST-16'), 'keys', 'station.pem'));
    const retired = await run([
      ...['station', 'retire', '--data', place.data('ST-16'), '--reason', 'disk lost'],
      ...['--key', site.key('supervisor-sam'), '--json'],
    ]);
    expect(retired.exit).toBe(0);
    const { keyid } = JSON.parse(retired.stdout) as { keyid: string };
    await expectDone([
      'trust',
      'propose',
      '--data',
      site.data,
      '--key',
      site.key('author-alex'),
      '--revoke',
      keyid,
      ...WHY,
    ]);
    await place.publish();
    const exported = site.path('after.json');
    await expectDone(['trust', 'export', '--data', site.data, '--to', exported]);
    expect(readFileSync(exported, 'utf8')).toContain(keyid);
    const found = await run(['doctor', '--data', place.data('ST-16')]);
    expect(found.exit).toBe(1);
  }, 60_000);
});
