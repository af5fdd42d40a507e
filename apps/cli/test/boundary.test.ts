// SPDX-License-Identifier: Apache-2.0
/** The boundary from the command line: a stick out and in, at a line and without one; a debug bundle for two people. */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { HttpLineService } from '@witnessmark/api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasProgram } from './programs.ts';
import { run, type RunResult } from './run.ts';
import { expectDone, TestLine, TestSite } from './site.ts';

interface Ledger {
  readonly entries: readonly {
    readonly digest: string;
    readonly transfer: { readonly direction: string; readonly result: string; readonly code: string | null };
  }[];
  readonly gaps: readonly string[];
}

let site: TestSite;
let line: TestLine;
let stick: string;
let isLineUp = false;

beforeAll(async () => {
  site = await TestSite.make();
  await expectDone(site.propose('1.0.0', '--sealed'));
  for (const approver of ['anna', 'ben']) await expectDone(await site.approve('P-0001', approver));
  line = await TestLine.start(site.data);
  isLineUp = true;
  stick = site.path('stick');
  await expectDone(['release', 'mirror', '--data', site.data, '--to', stick]);
});

afterAll(async () => {
  if (isLineUp) await line.end('SIGTERM');
  site.remove();
});

function ingest(from: string, to: string, ...more: readonly string[]): Promise<RunResult> {
  const who = ['--key', site.key('operator-olga'), '--medium', '5A1C-0B2E', '--medium-from', 'filesystemUuid'];
  const what = ['--to', site.path(to), '--purpose', 'release of the week', '--line', line.url, '--json'];
  return run(['media', 'ingest', from, '--data', site.data, ...who, ...what, ...more]);
}

function exportTo(from: string, to: string, ...more: readonly string[]): Promise<RunResult> {
  const who = ['--key', site.key('supervisor-sam'), '--medium', 'STICK-7', '--purpose', 'evidence', '--ticket', 'T-1'];
  return run(['media', 'export', from, '--data', site.data, ...who, '--to', site.path(to), '--json', ...more]);
}

async function ledger(): Promise<Ledger> {
  const result = await run(['media', 'ledger', '--data', site.data, '--json']);
  return JSON.parse(result.stdout) as Ledger;
}

function codesOf({ stdout }: RunResult): readonly string[] {
  const { findings } = JSON.parse(stdout) as { findings: readonly { code: string }[] };
  return findings.map(({ code }) => code);
}

describe('media', () => {
  it('bring in a stick with the trust repository as a record of the line', async () => {
    const result = await ingest(stick, 'in-1', '--repository', '.');
    expect(result).toMatchObject({ exit: 0 });
    expect(readdirSync(site.path('in-1')).sort()).toEqual(['metadata', 'targets']);
    const service = new HttpLineService({ baseUrl: line.url, timeoutMs: 10_000 });
    expect(await service.siteRecords('media-transfer')).toMatchObject([{ state: 'accepted', actor: 'olga' }]);
  });

  it('A14, A15: refuse another file, a changed one and a missing one, by name, and log the refusal', async () => {
    const copy = (name: string): string => {
      cpSync(stick, site.path(name), { recursive: true });
      return site.path(name);
    };
    const more = copy('more');
    writeFileSync(join(more, 'holiday.txt'), 'x');
    const refused = await ingest(more, 'no-1', '--repository', '.');
    expect(refused.exit).toBe(4);
    expect(codesOf(refused)).toEqual(['BX-111']);
    const changed = copy('changed');
    const image = execFileSync('find', [changed, '-name', '*.cms'], { encoding: 'utf8' }).trim();
    appendFileSync(image, 'x');
    expect(codesOf(await ingest(changed, 'no-2', '--repository', '.'))).toContain('BX-112');
    const fewer = copy('fewer');
    rmSync(execFileSync('find', [fewer, '-name', '*.cms'], { encoding: 'utf8' }).trim());
    expect(codesOf(await ingest(fewer, 'no-3', '--repository', '.'))).toEqual(['BX-113']);
    const unsigned = copy('unsigned');
    writeFileSync(join(unsigned, 'metadata/timestamp.json'), '{}');
    expect(codesOf(await ingest(unsigned, 'no-4', '--repository', '.'))[0]).toMatch(/^TR-/);
    for (const name of ['no-1', 'no-2', 'no-3', 'no-4']) expect(existsSync(site.path(name))).toBe(false);
  });

  it('A38: refuse an archive that climbs out, with nothing written anywhere', async () => {
    const archive = site.path('evil.tar');
    mkdirSync(site.path('evil'));
    writeFileSync(site.path('evil/a'), 'x');
    execFileSync('tar', ['-cf', archive, '--transform', 's,^a,../../escaped,', '-P', '-C', site.path('evil'), 'a']);
    const result = await ingest(archive, 'no-5', '--repository', '.');
    expect(codesOf(result)).toEqual(['BX-101']);
    expect(existsSync(site.path('escaped'))).toBe(false);
    expect(existsSync(join(site.folder, '../escaped'))).toBe(false);
  });

  it('go out numbered, come in by their statement without a line, and stand in the ledger without a gap', async () => {
    mkdirSync(site.path('logs'));
    writeFileSync(site.path('logs/station.log'), 'all quiet\n');
    expect(await exportTo(site.path('logs'), 'batch-1')).toMatchObject({ exit: 0 });
    expect(await exportTo(site.path('logs'), 'batch-2')).toMatchObject({ exit: 0 });
    expect(await ingest(site.path('batch-2'), 'in-2', '--record', 'office')).toMatchObject({ exit: 0 });
    expect(readFileSync(site.path('in-2/station.log'), 'utf8')).toBe('all quiet\n');
    expect((await ledger()).gaps).toEqual([]);
  });

  it('A8: take out images sealed only, and no key', async () => {
    expect(await exportTo(stick, 'batch-3')).toMatchObject({ exit: 0 });
    mkdirSync(site.path('secret'));
    cpSync(site.key('author-alex'), site.path('secret/notes.txt'));
    cpSync(site.image, site.path('secret/data.bin'));
    const refused = await exportTo(site.path('secret'), 'no-6', '--image', site.image);
    expect(refused.exit).toBe(4);
    expect(codesOf(refused)).toEqual(expect.arrayContaining(['BX-121', 'BX-124']));
    expect(existsSync(site.path('no-6'))).toBe(false);
    const check = ['media', 'check', site.path('secret'), '--place', 'outside', '--image', site.image];
    expect(await run(check)).toMatchObject({ exit: 1 });
    expect(await run(['media', 'check', site.path('logs'), '--place', 'outside', '--data', site.data])).toMatchObject({
      exit: 0,
    });
  });

  it('say what is missing on the command line', async () => {
    const bare = ['media', 'ingest', stick, '--data', site.data, '--key', site.key('operator-olga'), '--to', 'x'];
    expect(await run(bare)).toMatchObject({ exit: 2 });
    const noPurpose = await run([...bare, '--medium', 'S', '--repository', '.', '--line', line.url]);
    expect(noPurpose.exit).toBe(2);
    expect(noPurpose.stderr).toContain('--purpose');
  });
});

describe('A75, A76: a debug bundle', () => {
  let eve: { readonly identity: string; readonly recipient: string };
  let tom: { readonly identity: string; readonly recipient: string };
  const bundle = (verb: string, ...more: readonly string[]): Promise<RunResult> => run(['debug-bundle', verb, ...more]);
  const propose = (from: string, ...more: readonly string[]): Promise<RunResult> =>
    bundle(
      'propose',
      '--data',
      site.data,
      '--from',
      from,
      '--recipient',
      `eve=${eve.recipient}`,
      '--key',
      site.key('author-alex'),
      '--purpose',
      'p',
      '--ticket',
      'T',
      '--json',
      ...more,
    );

  beforeAll(async () => {
    const make = async (name: string): Promise<{ identity: string; recipient: string }> => {
      const identity = await generateX25519Identity();
      writeFileSync(site.path(`${name}.key`), `# ${name}\n${identity}\n`, { mode: 0o600 });
      return { identity, recipient: await identityToRecipient(identity) };
    };
    eve = await make('eve');
    tom = await make('tom');
    mkdirSync(site.path('collected'));
    writeFileSync(site.path('collected/station.log'), 'UF-012 verify failed\n');
  });

  it('goes from a request over two approvals to the recipients, and each copy shows whose it is', async () => {
    const proposed = await propose(site.path('collected'), '--recipient', `tom=${tom.recipient}`);
    expect(proposed).toMatchObject({ exit: 0 });
    const { proposalDigest } = (JSON.parse(proposed.stdout) as { bundle: { proposalDigest: string } }).bundle;
    expect(await bundle('status', 'DB-0001', '--data', site.data)).toMatchObject({ exit: 5 });
    for (const approver of ['anna', 'ben']) {
      const words = ['--confirm', proposalDigest.slice(0, 4), '--meaning', 'needed', '--ticket', 'T'];
      const key = ['--key', site.key(`approver-${approver}`)];
      expect(await bundle('approve', 'DB-0001', '--data', site.data, ...key, ...words)).toMatchObject({ exit: 0 });
    }
    const seal = [
      'seal',
      'DB-0001',
      '--data',
      site.data,
      '--from',
      site.path('collected'),
      '--key',
      site.key('author-alex'),
      '--json',
    ] as const;
    const sealed = await bundle(...seal);
    expect(sealed).toMatchObject({ exit: 0 });
    const { directory } = JSON.parse(sealed.stdout) as { directory: string };
    expect(await bundle('status', 'DB-0001', '--data', site.data)).toMatchObject({ exit: 0 });
    const open = (name: string, to: string): Promise<RunResult> =>
      bundle(
        'open',
        join(directory, 'DB-0001.eve-1.tar.age'),
        '--statements',
        join(directory, 'DB-0001.statements.json'),
        '--data',
        site.data,
        '--identity',
        site.path(`${name}.key`),
        '--to',
        site.path(to),
      );
    const wrong = await open('tom', 'toms');
    expect(wrong.exit).toBe(4);
    expect(wrong.stderr).toContain('BX-142');
    expect(existsSync(site.path('toms'))).toBe(false);
    expect(await open('eve', 'eves')).toMatchObject({ exit: 0 });
    expect(readFileSync(site.path('eves/station.log'), 'utf8')).toContain('UF-012');
    const traced = await bundle('status', 'DB-0001', '--data', site.data, '--leaked', site.path('eves'));
    expect(traced).toMatchObject({ exit: 0 });
    expect(traced.stdout).toContain('copy of eve');
    expect(await bundle('status', 'DB-0001', '--data', site.data, '--leaked', site.path('logs'))).toMatchObject({
      exit: 3,
    });
    expect(await bundle(...seal)).toMatchObject({ exit: 4 });
  });

  it.skipIf(!hasProgram('/usr/bin/age'))('is read by age with the right key only', () => {
    const file = join(site.data, 'gate/debug-bundles/DB-0001/sealed/DB-0001.eve-1.tar.age');
    const age = (name: string): number | null => spawnSync('age', ['-d', '-i', site.path(`${name}.key`), file]).status;
    expect([age('eve'), age('tom')]).toEqual([0, 1]);
  });

  it('is refused with the names of the files that may not be in it', async () => {
    mkdirSync(site.path('bad/logs'), { recursive: true });
    writeFileSync(site.path('bad/main.c'), 'int main(void) { return 0; }\n');
    cpSync(site.key('author-alex'), site.path('bad/logs/a.log'));
    const refused = await propose(site.path('bad'));
    expect(refused.exit).toBe(4);
    for (const text of ['main.c', 'BX-122', 'logs/a.log', 'BX-121'])
      expect(refused.stdout + refused.stderr).toContain(text);
    expect(await bundle('status', 'DB-0002', '--data', site.data)).toMatchObject({ exit: 4 });
  });

  it('is denied for good', async () => {
    expect(await propose(site.path('collected'))).toMatchObject({ exit: 0 });
    const deny = ['--deny', '--meaning', 'not needed', '--ticket', 'T', '--key', site.key('approver-ben')];
    expect(await bundle('approve', 'DB-0002', '--data', site.data, ...deny)).toMatchObject({ exit: 0 });
    expect(await bundle('status', 'DB-0002', '--data', site.data)).toMatchObject({ exit: 1 });
  });
});

describe('the ledger', () => {
  it('lists what crossed at the office and at the line, refusals too, from their published logs', async () => {
    // A line publishes everything when it ends.
    await line.end('SIGTERM');
    isLineUp = false;
    const { entries, gaps } = await ledger();
    expect(gaps).toEqual([]);
    const lines = entries.map(({ transfer: { direction, result, code } }) =>
      `${direction} ${result} ${code ?? ''}`.trim(),
    );
    expect(lines.filter((text) => text === 'export accepted')).toHaveLength(3);
    expect(lines.filter((text) => text === 'ingest accepted')).toHaveLength(2);
    for (const refused of ['ingest refused BX-111', 'ingest refused BX-101', 'export refused BX-124']) {
      expect(lines).toContain(refused);
    }
    expect(await run(['media', 'ledger', '--data', site.data])).toMatchObject({ exit: 0 });
  });
});
