// SPDX-License-Identifier: Apache-2.0
/** The build of a station from the first measurement to a drill, with the program, a line, and a machine in a folder. */
import { chmodSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run, type RunResult } from './run.ts';
import { expectDone, TestLine, TestSite } from './site.ts';

const MACHINE: Readonly<Record<string, string>> = {
  '/var/lib/dpkg/status': 'Package: flashrom\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.3.0-2\n\n',
  '/var/lib/dpkg/info/flashrom.md5sums': 'd41d8cd98f00b204e9800998ecf8427e  usr/sbin/flashrom\n',
  '/var/lib/dpkg/info/flashrom.list': '/.\n/usr/sbin/flashrom\n/usr/sbin/flash\n',
  '/usr/sbin/flashrom': 'the programmer',
  '/opt/witnessmark/main.mjs': 'the station program',
  '/etc/passwd': 'root:x:0:0:root:/root:/bin/bash\nline:x:1000:1000:Line,,,:/home/line:/bin/sh\n',
  '/etc/group': 'root:x:0:\ndialout:x:20:line\n',
  '/etc/shadow': 'root:!:20000:0:99999:7:::\nline:$y$j9T$notaset:20000:0:99999:7:::\n',
  '/etc/sudoers': 'root ALL=(ALL:ALL) ALL\n',
  '/etc/machine-id': '0f2ad9c1b5e04f7f8f0b8a3a2b6f4c11\n',
  '/etc/witnessmark/station.json': '{"station":"S7"}\n',
};

let site: TestSite;
let line: TestLine;
let root: string;
let build: string;

beforeAll(async () => {
  site = await TestSite.makeReleased();
  root = site.path('root');
  build = site.path('build-1');
  for (const [path, content] of Object.entries(MACHINE)) write(path, content);
  symlinkSync('flashrom', join(root, '/usr/sbin/flash'));
  chmodSync(join(root, '/usr/sbin/flashrom'), 0o4755);
  const paths = ['/opt/witnessmark'];
  editJson('station.json', (config) => {
    config['measurement'] = {
      ...{ record: build, root, hashedPackages: ['flashrom'], hashedPaths: paths },
      configuration: ['/etc/witnessmark/station.json'],
      programmers: [{ model: 'serprog', serial: 'P-7', firmware: '1.2' }],
      fixtures: ['bed of nails 3'],
    };
  });
  editJson('line.json', (config) => {
    const rules = config['rules'] as Record<string, unknown>;
    rules['stations'] = { measured: 'required', maxMeasurementAgeMs: 24 * 3_600_000 };
  });
  line = await TestLine.start(site.data);
});

afterAll(async () => {
  await line.end('SIGTERM');
  site.remove();
});

function write(path: string, content: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}

function editJson(name: string, change: (value: Record<string, unknown>) => void): void {
  const file = join(site.data, name);
  const value = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  change(value);
  writeFileSync(file, JSON.stringify(value));
}

function propose(out: string, ...more: readonly string[]): Promise<RunResult> {
  const who = ['--key', site.key('supervisor-sam'), '--approver', 'ben'];
  const why = ['--reason', 'first build', '--ticket', 'ECO-1'];
  return run(['station-build', 'propose', '--data', site.data, ...who, ...why, '--out', out, '--json', ...more]);
}

function approve(directory: string, digest: string, key = 'approver-ben'): Promise<RunResult> {
  const words = ['--confirm', digest.slice(0, 4), '--key', site.key(key), '--line', line.url];
  return run(['station-build', 'approve', directory, '--data', site.data, ...words]);
}

function digestOf({ stdout }: RunResult): string {
  return (JSON.parse(stdout) as { digest: string }).digest;
}

async function program(uniqueId: string): Promise<RunResult> {
  const { device, label } = await site.makeBoard(uniqueId);
  return run(site.station('program', device, line.url, '--label', label));
}

function diff(...more: readonly string[]): Promise<RunResult> {
  return run(['station', 'diff', '--data', site.data, ...more]);
}

describe('what a station is made of', () => {
  it('makes no unit before its build is approved (LS-404)', async () => {
    const refused = await program('d1a2000000000101');
    expect([refused.exit, refused.stdout]).toEqual([4, expect.stringContaining('LS-404')]);
    expect((await diff()).exit).toBe(3);
  });

  it('is proposed by one person and approved by another, neither of whom operates', async () => {
    const proposed = await propose(build);
    expect(proposed.exit).toBe(0);
    expect((await diff()).exit).toBe(4);
    const digest = digestOf(proposed);
    const other = await approve(build, digest, 'approver-chris');
    expect([other.exit, other.stderr]).toEqual([4, expect.stringContaining('for ben to approve')]);
    expect((await approve(build, 'ffff' === digest.slice(0, 4) ? '0000' : 'ffff')).exit).toBe(2);
    const byOperator = await run([
      ...['station-build', 'propose', '--data', site.data, '--key', site.key('operator-olga'), '--approver', 'ben'],
      ...['--out', site.path('build-o'), '--reason', 'x', '--ticket', 'T'],
    ]);
    expect([byOperator.exit, byOperator.stderr]).toEqual([4, expect.stringContaining('LS-410')]);
    const approved = await approve(build, digest);
    expect([approved.exit, approved.stderr]).toEqual([0, expect.stringContaining('version 1 for station-1')]);
    expect((await diff()).exit).toBe(0);
    expect((await program('d1a2000000000102')).exit).toBe(0);
  });

  it('A21: a flipped byte in an installed file stops units until it is put right', async () => {
    write('/opt/witnessmark/main.mjs', 'the station progrbm');
    const shown = await diff();
    expect(shown.exit).toBe(1);
    expect(shown.stdout).toMatch(
      /^--- approved\n\+\+\+ measured\n@@ .* @@ \[files\]\n-\/opt\/witnessmark\/main\.mjs sha256:/,
    );
    const refused = await program('d1a2000000000103');
    expect([refused.exit, refused.stdout]).toEqual([4, expect.stringContaining('LS-401')]);
    expect(refused.stdout).toContain('files missing: /opt/witnessmark/main.mjs');
    write('/opt/witnessmark/main.mjs', 'the station program');
    expect((await diff()).exit).toBe(0);
    expect((await program('d1a2000000000104')).exit).toBe(0);
  });

  it('an approved change takes the place of the build before, and the diff shows what it changes', async () => {
    write('/etc/witnessmark/station.json', '{"station":"S7","shift":2}\n');
    const second = site.path('build-2');
    const digest = digestOf(await propose(second));
    const shown = await approve(second, digest);
    expect([shown.exit, shown.stdout]).toEqual([
      0,
      expect.stringMatching(/\+\/etc\/witnessmark\/station\.json sha256:/),
    ]);
    // The station still compares itself with the record it has.
    const behind = await program('d1a2000000000105');
    expect([behind.exit, behind.stdout]).toEqual([4, expect.stringContaining('LS-404')]);
    editJson('station.json', (config) => {
      (config['measurement'] as Record<string, unknown>)['record'] = second;
    });
    build = second;
    expect((await program('d1a2000000000106')).exit).toBe(0);
    // A version is used once.
    const again = site.path('build-3');
    const reused = digestOf(await propose(again, '--build-version', '2'));
    const refused = await approve(again, reused);
    expect([refused.exit, refused.stderr]).toEqual([4, expect.stringContaining('LS-404')]);
  });

  it('keeps secrets out of the kit (BX-121)', async () => {
    write('/opt/witnessmark/station.pem', readFileSync(site.key('operator-olga'), 'utf8'));
    const refused = await propose(site.path('build-secret'));
    expect([refused.exit, refused.stdout + refused.stderr]).toEqual([4, expect.stringContaining('BX-121')]);
    writeFileSync(join(root, '/opt/witnessmark/station.pem'), '');
    editJson('station.json', (config) => {
      (config['measurement'] as Record<string, unknown>)['hashedPaths'] = ['/opt/witnessmark/main.mjs', '/etc/shadow'];
    });
    const passwords = await propose(site.path('build-shadow'));
    expect([passwords.exit, passwords.stdout + passwords.stderr]).toEqual([4, expect.stringContaining('passwords')]);
    editJson('station.json', (config) => {
      (config['measurement'] as Record<string, unknown>)['hashedPaths'] = ['/opt/witnessmark/main.mjs'];
    });
  });
});

describe('a proof for somebody who asks', () => {
  const NONCE = 'audit-2026-11-18-a7';
  const verify = (file: string, ...words: readonly string[]): Promise<RunResult> =>
    run(['station', 'verify-proof', file, '--data', site.data, '--nonce', NONCE, ...words]);

  it('holds offline, for that question, that station, for a while', async () => {
    const proof = site.path('proof.json');
    const made = await expectDone([
      ...['station', 'prove', '--data', site.data, '--line', line.url, '--nonce', NONCE, '--out', proof],
    ]);
    const code = /read out: (\S+)/.exec(made.stdout)?.[1] ?? '';
    const checked = await verify(proof, '--station', 'station-1');
    expect([checked.exit, checked.stdout]).toEqual([0, expect.stringContaining(code)]);

    const refused = async (result: Promise<RunResult>, what: string): Promise<void> => {
      const { exit, stderr } = await result;
      expect([exit, stderr]).toEqual([4, expect.stringContaining(what)]);
      expect(stderr).toContain('LS-412');
    };
    await refused(
      run(['station', 'verify-proof', proof, '--data', site.data, '--nonce', 'another-question']),
      'it answers audit',
    );
    await refused(verify(proof, '--station', 'S8'), 'it is of station station-1');
    const later = { now: () => Date.now() + 16 * 60_000, monotonic: () => 0 };
    const old = run(['station', 'verify-proof', proof, '--data', site.data, '--nonce', NONCE], { clock: later });
    await refused(old, 'it was made at');

    const text = readFileSync(proof, 'utf8');
    const tampered = site.path('tampered.json');
    const swap = (from: string, to: string): void => {
      const changed = text.replaceAll(/"payload":"([^"]+)"/g, (_, payload: string) => {
        const statement = Buffer.from(payload, 'base64').toString().replace(from, to);
        return `"payload":"${Buffer.from(statement).toString('base64')}"`;
      });
      expect(changed).not.toBe(text);
      writeFileSync(tampered, changed);
    };
    swap('"sequence":', '"sequence":1');
    await refused(verify(tampered), 'LS-303');
    swap('"ticket":"ECO-1"', '"ticket":"ECO-2"');
    await refused(verify(tampered), 'LS-410');
    writeFileSync(tampered, '{}');
    expect((await verify(tampered)).exit).toBe(2);
  });

  it('is not made while the station is not as approved (LS-401)', async () => {
    write('/etc/sudoers', 'line ALL=NOPASSWD: ALL\n');
    const words = ['--nonce', NONCE, '--out', site.path('no-proof.json'), '--line', line.url];
    const refused = await run(['station', 'prove', '--data', site.data, ...words]);
    expect([refused.exit, refused.stderr]).toEqual([4, expect.stringContaining('LS-401')]);
    write('/etc/sudoers', MACHINE['/etc/sudoers'] ?? '');
  });
});

describe('a drill', () => {
  const rebuild = (to: string, ...more: readonly string[]): Promise<RunResult> =>
    run(['station', 'rebuild', '--from', build, '--root', to, '--data', site.data, ...more]);

  it('builds the station again, names what people still have to do, and measures it', async () => {
    const to = site.path('rebuilt');
    const built = await rebuild(to, '--json');
    const document = JSON.parse(built.stdout) as { drift: unknown[]; passwordsToSet: string[]; seconds: number };
    expect([built.exit, document.drift, document.passwordsToSet]).toEqual([0, [], ['line']]);
    expect(document.seconds).toBeGreaterThan(0);
    expect(statSync(join(to, '/usr/sbin/flashrom')).mode & 0o7777).toBe(0o4755);
    expect(readFileSync(join(to, '/usr/sbin/flash'), 'utf8')).toBe('the programmer');
    expect(readFileSync(join(to, '/etc/shadow'), 'utf8')).toBe('line:!:::::::\nroot:!:::::::\n');
    expect((await rebuild(to)).exit).toBe(2);
  });

  it('builds nothing from a kit in which something was changed (LS-411)', async () => {
    const names = readFileSync(join(build, 'kit.txt'), 'utf8');
    const digest = /file \/usr\/sbin\/flashrom sha256:([0-9a-f]{64})/.exec(names)?.[1] ?? '';
    const content = join(build, 'content', digest);
    const to = site.path('rebuilt-2');
    const refused = async (): Promise<void> => {
      const { exit, stderr } = await rebuild(to);
      expect([exit, stderr]).toEqual([4, expect.stringContaining('LS-411')]);
      expect(() => statSync(to)).toThrow('ENOENT');
    };
    writeFileSync(content, 'the pr0grammer');
    await refused();
    writeFileSync(content, 'the programmer');
    writeFileSync(join(build, 'kit.txt'), names.replace(' 4755', ' 0755'));
    await refused();
    writeFileSync(join(build, 'kit.txt'), names);
    expect((await rebuild(to)).exit).toBe(0);
  });

  it('finds no record where there is none', async () => {
    const words = ['--root', site.path('nothing'), '--data', site.data];
    expect((await run(['station', 'rebuild', '--from', site.path(), ...words])).exit).toBe(3);
  });
});

describe('the station itself', () => {
  it('examines line, disk, build and device', async () => {
    const { device } = await site.makeBoard('d1a2000000000107');
    const words = ['--data', site.data, '--line', line.url, '--device', device, '--json'];
    const tested = await run(['station', 'selftest', ...words]);
    const { findings } = JSON.parse(tested.stdout) as { findings: { name: string; outcome: string; detail: string }[] };
    const found = Object.fromEntries(findings.map(({ name, outcome, detail }) => [name, `${outcome} ${detail}`]));
    expect(found).toMatchObject({
      'approved build': 'ok as approved, version 2',
      'device identifier': 'ok d1a2000000000107, the same twice',
      'station disk': expect.stringMatching(/^(?:ok|warn) a record is durable after \d+ ms$/),
    });
    write('/opt/witnessmark/main.mjs', 'something else');
    const drifted = await run(['station', 'selftest', ...words]);
    expect([drifted.exit, drifted.stdout]).toEqual([1, expect.stringContaining('LS-401')]);
    write('/opt/witnessmark/main.mjs', 'the station program');
  });

  it('the log shows builds, starts and refusals, and holds', async () => {
    const shown = await expectDone(['log', 'show', '--data', site.data, '--last', '100']);
    expect(shown.stdout).toMatch(/station-1.*measured: start, build version \d/);
    expect(shown.stdout).toMatch(/build version 2 approved for station-1, by sam and ben/);
    await line.end('SIGTERM');
    await expectDone(['log', 'fsck', '--data', site.data]);
    line = await TestLine.start(site.data);
  });
});
