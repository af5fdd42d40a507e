// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { mediaTransfer, parseStatement } from '@witnessmark/attestation';
import { findSigners, sha256Hex } from '@witnessmark/core';
import type { SoftwareKey } from '@witnessmark/custody';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  exportMedium,
  expectTree,
  formatTree,
  ingestMedium,
  openMedium,
  parseTree,
  toTree,
  type Expectation,
  type Medium,
  type Transfer,
} from '../../src/index.ts';
import { codeOf } from '../support/code-of.ts';
import { createWorld, requestOf, STICK, type World } from '../support/world.ts';

const FILES = { 'recipe.json': '{"steps":["program"]}', 'docs/notes.txt': 'night shift: use fixture 2\n' };

let world: World;
let olga: SoftwareKey;
let sam: SoftwareKey;
beforeEach(() => {
  world = createWorld();
  olga = world.person('olga', 'operator');
  sam = world.person('sam', 'supervisor');
});

function listOf(files: Readonly<Record<string, string | Uint8Array>>): Expectation {
  return expectTree(
    toTree(
      Object.entries(files).map(([path, content]) => {
        const bytes = Buffer.from(content);
        return { path, bytes: bytes.length, sha256: sha256Hex(bytes) };
      }),
    ),
  );
}

async function ingest(path: string, expectation: Expectation | null, change: object = {}): Promise<Transfer> {
  const medium = await openMedium(path);
  try {
    return await ingestMedium(medium, { ...requestOf(world, olga, 'in'), expectation, ...change });
  } finally {
    await medium.close();
  }
}

async function take(source: string, name = 'batch', change: object = {}): Promise<Transfer> {
  const batch = { sequence: 1, previous: null };
  return exportMedium(await openMedium(source), { ...requestOf(world, sam, name), batch, ...change });
}

describe('media ingest', () => {
  it('brings in what is listed, as an event that says by whom, from which medium and what', async () => {
    const transfer = await ingest(world.tree(FILES), listOf(FILES));
    expect(transfer.result).toBe('accepted');
    expect(readFileSync(world.path('in/docs/notes.txt'), 'utf8')).toBe(FILES['docs/notes.txt']);
    const [envelope] = world.log;
    expect(findSigners(envelope!, [olga.publicKey])).toHaveLength(1);
    const { subject, predicate } = parseStatement(mediaTransfer, envelope!.payload);
    expect(subject[0].digest.sha256).toBe(transfer.tree.digest);
    expect(predicate).toMatchObject({
      direction: 'ingest',
      medium: { ...STICK, form: 'directory' },
      tree: { files: 2, bytes: 48 },
      person: { id: 'olga', role: 'operator' },
      result: 'accepted',
      code: null,
      findings: [],
      expected: { kind: 'list' },
    });
  });

  it('raises an alarm for a file that nobody announced, and brings in nothing (BX-111)', async () => {
    const stick = world.tree({ ...FILES, 'holiday.jpg': 'data' });
    const transfer = await ingest(stick, listOf(FILES));
    expect(transfer.findings).toEqual([{ path: 'holiday.jpg', code: 'BX-111', detail: 'nobody announced it' }]);
    expect(transfer.predicate).toMatchObject({
      result: 'refused',
      code: 'BX-111',
      findings: [{ path: 'holiday.jpg' }],
    });
    expect(world.log).toHaveLength(1);
    expect(existsSync(world.path('in'))).toBe(false);
  });

  it('refuses a medium that nobody said anything about', async () => {
    const transfer = await ingest(world.tree(FILES), null);
    expect(transfer.findings.map(({ code }) => code)).toEqual(['BX-111', 'BX-111']);
  });

  it.each([
    ['BX-112', 'another content', { ...FILES, 'recipe.json': '{"steps":[]}' }],
    ['BX-113', 'a file too few', { 'recipe.json': FILES['recipe.json'] }],
    [
      'BX-121',
      'a private key',
      { ...FILES, 'k.txt': '-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49\n' },
    ],
    ['BX-122', 'a source tree', { ...FILES, 'src/main.c': '#include <stdio.h>\nint main(void) { return 0; }\n' }],
    ['BX-101', 'a name that Windows reads otherwise', { ...FILES, 'a:b': '' }],
  ])('refuses with %s what has %s', async (code, _what, files) => {
    const listed = code === 'BX-112' || code === 'BX-113' ? FILES : files;
    const transfer = await ingest(world.tree(files), listOf(listed));
    expect(transfer.findings.map((finding) => finding.code)).toContain(code);
    expect(transfer.result).toBe('refused');
    expect(existsSync(world.path('in'))).toBe(false);
  });

  it('does not follow links on a medium (A38)', async () => {
    const stick = world.tree(FILES);
    symlinkSync('/etc/hostname', join(stick, 'link'));
    expect((await ingest(stick, listOf(FILES))).findings).toMatchObject([{ path: 'link', code: 'BX-102' }]);
  });

  it('refuses a medium whose own identity is another one (BX-115)', async () => {
    const stick = world.tree({ ...FILES, 'MEDIUM-ID': 'STICK-0007\n' });
    expect((await ingest(stick, listOf(FILES))).findings).toMatchObject([{ path: 'MEDIUM-ID', code: 'BX-115' }]);
    const identity = { id: 'STICK-0007', learntFrom: 'mediumFile', serial: null };
    expect((await ingest(stick, listOf(FILES), { identity })).result).toBe('accepted');
    const none = await ingest(world.tree(FILES), listOf(FILES), { identity, destination: world.path('in-2') });
    expect(none.predicate.code).toBe('BX-115');
    const longer = world.tree({ ...FILES, 'MEDIUM-ID': 'STICK-0007\nand more\n' });
    expect((await ingest(longer, listOf(FILES), { identity })).predicate.code).toBe('BX-115');
  });

  it('refuses a person who may not move media, and records nothing in that name (BX-116)', async () => {
    const signer = world.person('station-7', 'station');
    expect(await codeOf(() => ingest(world.tree(FILES), listOf(FILES), { signer }))).toBe('BX-116');
    expect(world.log).toHaveLength(0);
  });

  it('refuses a medium that shows other content the second time (BX-114)', async () => {
    const stick = world.tree(FILES);
    const real = await openMedium(stick);
    let reads = 0;
    const changing: Medium = {
      ...real,
      members: () => {
        reads += 1;
        if (reads === 2) appendFileSync(join(stick, 'docs/notes.txt'), 'changed');
        return real.members();
      },
    };
    const request = { ...requestOf(world, olga, 'in'), expectation: listOf(FILES) };
    expect((await ingestMedium(changing, request)).predicate).toMatchObject({ result: 'refused', code: 'BX-114' });
    expect(readdirSync(world.directory).filter((name) => name.includes('in'))).toEqual([]);
  });

  it('brings in nothing that cannot be recorded', async () => {
    const record = (): Promise<never> => Promise.reject(new Error('the log is away'));
    await expect(ingest(world.tree(FILES), listOf(FILES), { record })).rejects.toThrow('the log is away');
    expect(existsSync(world.path('in'))).toBe(false);
    expect((await ingest(world.tree(FILES), listOf(FILES))).result).toBe('accepted');
  });

  it.each([
    ['tar', ['tar', '-cf']],
    ['tarGzip', ['tar', '-czf']],
  ])('reads the archives of GNU tar (%s), with long names', async (form, [program, flags]) => {
    const files = { ...FILES, [`${'long/'.repeat(8)}${'n'.repeat(90)}.txt`]: 'x' };
    const archive = world.path('a.tar');
    for (const format of ['gnu', 'pax', 'ustar']) {
      execFileSync(program!, [flags!, archive, `--format=${format}`, '-C', world.tree(files), '.']);
      const transfer = await ingest(archive, listOf(files), { destination: world.path(`in-${format}`) });
      expect(transfer.findings).toEqual([]);
      expect(transfer.predicate.medium.form).toBe(form);
    }
  });

  it('reads the archives of Python, zip and tar, and refuses them when they are cut off', async () => {
    const source = world.tree({ ...FILES, 'déjà.txt': 'é' });
    const listed = listOf({ ...FILES, 'déjà.txt': 'é' });
    for (const form of ['zip', 'tar', 'gztar']) {
      const script = `import shutil; print(shutil.make_archive(${JSON.stringify(world.path('py'))}, "${form}", ${JSON.stringify(source)}))`;
      const archive = execFileSync('python3', ['-c', script], { encoding: 'utf8' }).trim();
      expect((await ingest(archive, listed, { destination: world.path(`in-${form}`) })).findings).toEqual([]);
      const bytes = readFileSync(archive);
      writeFileSync(archive, bytes.subarray(0, bytes.length - 700));
      const cut = await ingest(archive, listed, { destination: world.path(`cut-${form}`) });
      expect(cut.result).toBe('refused');
      rmSync(archive);
    }
  });
});

describe('media export', () => {
  it('takes out a numbered batch with its statement, which the other side brings in by it', async () => {
    const exported = await take(world.tree(FILES));
    expect(exported.predicate).toMatchObject({ direction: 'export', result: 'accepted', batch: { sequence: 1 } });
    expect(readdirSync(world.path('batch')).sort()).toEqual(['MEDIA.dsse.json', 'docs', 'recipe.json']);
    const ingested = await ingest(world.path('batch'), null);
    expect(ingested.result).toBe('accepted');
    expect(ingested.tree.digest).toBe(exported.tree.digest);
    expect(ingested.predicate.receivedBatch).toEqual({ sha256: exported.digest });
    expect(existsSync(world.path('in/MEDIA.dsse.json'))).toBe(false);
  });

  it.each([
    ['a file was added', (batch: string) => writeFileSync(join(batch, 'more.txt'), 'x')],
    ['a file was changed', (batch: string) => writeFileSync(join(batch, 'recipe.json'), '{}')],
    ['a file was taken away', (batch: string) => rmSync(join(batch, 'recipe.json'))],
    ['its statement was changed', (batch: string) => appendFileSync(join(batch, 'MEDIA.dsse.json'), ' x')],
    ['its signer is unknown', () => world.keys.splice(1)],
  ])('is refused at the other side when %s (BX-117)', async (_what, damage) => {
    await take(world.tree(FILES));
    damage(world.path('batch'));
    const transfer = await ingest(world.path('batch'), null);
    expect(transfer.predicate).toMatchObject({ result: 'refused', code: 'BX-117', receivedBatch: null });
  });

  it('A8: takes out no secret in clear; images only sealed', async () => {
    const clear = { 'targets/images/app.bin': 'plain firmware' };
    expect((await take(world.tree(clear))).findings).toMatchObject([
      { path: 'targets/images/app.bin', code: 'BX-124' },
    ]);
    expect(existsSync(world.path('batch'))).toBe(false);
    const openssl = [
      'cms',
      '-encrypt',
      '-binary',
      '-aes-256-gcm',
      '-outform',
      'DER',
      '-secretkey',
      '11'.repeat(32),
      '-secretkeyid',
      '01',
    ];
    const sealed = execFileSync('openssl', openssl, { input: 'plain firmware' });
    expect((await take(world.tree({ 'targets/images/app.bin': sealed }))).findings).toEqual([]);
  });

  it('is not for operators (BX-116)', async () => {
    expect(await codeOf(() => take(world.tree(FILES), 'batch', { signer: olga }))).toBe('BX-116');
  });

  it('refuses a destination that is there', async () => {
    mkdirSync(world.path('batch'));
    expect(await codeOf(() => take(world.tree(FILES)))).toBe('ERR_BOUNDARY_FILE');
    expect(world.log).toHaveLength(0);
  });
});

describe('tree digest', () => {
  it('is what sha256sum and sort make', () => {
    const root = world.tree({ b: 'two\n', 'a/x.txt': 'one\n', 'é.txt': '3', '\u{1F512}': '4', '\uFFEE': '5' });
    const script = `cd ${JSON.stringify(root)} && { echo witnessmark-tree-v1; find . -type f -printf '%P\\n' | LC_ALL=C sort | while IFS= read -r f; do echo "$(sha256sum < "$f" | cut -d' ' -f1) $(stat -c %s "$f") $f"; done; }`;
    const text = execFileSync('bash', ['-c', script]);
    const tree = parseTree(text);
    expect(tree.digest).toBe(sha256Hex(text));
    expect(formatTree(tree.files)).toEqual(new Uint8Array(text));
  });

  it.each([
    ['no first line', `${'0'.repeat(64)} 1 a\n`],
    ['a wrong order', `witnessmark-tree-v1\n${'0'.repeat(64)} 1 b\n${'0'.repeat(64)} 1 a\n`],
    ['a file twice', `witnessmark-tree-v1\n${'0'.repeat(64)} 1 a\n${'0'.repeat(64)} 1 a\n`],
    ['no last line break', `witnessmark-tree-v1\n${'0'.repeat(64)} 1 a`],
    ['a size with a zero before', `witnessmark-tree-v1\n${'0'.repeat(64)} 01 a\n`],
  ])('is not read from a text with %s', async (_what, text) => {
    expect(await codeOf(() => Promise.resolve().then(() => parseTree(Buffer.from(text))))).toBe('ERR_BOUNDARY_LIST');
  });
});
