// SPDX-License-Identifier: Apache-2.0
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { debugBundle, parseStatement } from '@witnessmark/attestation';
import { decodeHex, sha256Hex } from '@witnessmark/core';
import type { SoftwareKey } from '@witnessmark/custody';
import { generateHybridIdentity, generateX25519Identity, identityToRecipient } from 'age-encryption';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  checkMedium,
  ContentsList,
  ContentsRefused,
  DebugBundleDesk,
  formatContentsList,
  markersOfImage,
  openDebugBundle,
  openMedium,
  parseIdentityFile,
  traceWatermark,
  type BundleDecision,
  type ContentPolicies,
  type ContentsListDocument,
  type SealedBundle,
} from '../../src/index.ts';
import { codeOf } from '../support/code-of.ts';
import { CLASSES, createWorld, HOUR, NOW, type World } from '../support/world.ts';

const hasAge = spawnSync('age', ['--version']).status === 0;
const LIST: ContentsListDocument = {
  mediaType: 'application/vnd.witnessmark.debug-contents.v1+json',
  name: 'line debugging',
  version: 1,
  rules: [
    { pattern: 'logs/*.log', class: 'station log', symbols: 'forbidden', maxBytes: 4096 },
    { pattern: 'probe*', class: 'test program', symbols: 'forbidden', maxBytes: 100_000 },
    { pattern: 'symbols/*', class: 'test program', symbols: 'allowed', maxBytes: 100_000 },
    { pattern: '*.json', class: 'settings', symbols: 'forbidden', maxBytes: 4096 },
  ],
};
const POLICIES: ContentPolicies = {
  contentsList: ContentsList.parse(formatContentsList(LIST)),
  classes: CLASSES,
  markers: [],
};
const FILES = { 'logs/station-7.log': '2026-11-18 UF-012 verify failed at 0x1000\n', 'settings.json': '{"retries":2}' };

let world: World;
let rita: SoftwareKey;
let anna: SoftwareKey;
let ben: SoftwareKey;
let eve: { identity: string; recipient: string };
let tom: { identity: string; recipient: string };
let marks: number;

beforeEach(async () => {
  world = createWorld();
  rita = world.person('rita', 'author');
  anna = world.person('anna', 'approver');
  ben = world.person('ben', 'approver');
  const make = async (): Promise<{ identity: string; recipient: string }> => {
    const identity = await generateX25519Identity();
    return { identity, recipient: await identityToRecipient(identity) };
  };
  eve = await make();
  tom = await make();
  marks = 0;
});

function desk(): DebugBundleDesk {
  return new DebugBundleDesk({
    directory: world.path('bundles'),
    keys: world.keys,
    clock: world.clock,
    newWatermark: () =>
      decodeHex(
        createHash('md5')
          .update(`mark ${(marks += 1)}`)
          .digest('hex'),
      ),
    record: world.record,
  });
}

async function propose(source: string, change: object = {}): Promise<string> {
  const { bundleId } = await desk().propose({
    source: await openMedium(source),
    policies: POLICIES,
    recipients: [
      { id: 'eve', recipient: eve.recipient },
      { id: 'tom', recipient: tom.recipient },
    ],
    expiresAt: NOW + 48 * HOUR,
    purpose: 'verify failures at station 7',
    ticket: 'INC-77',
    reseals: null,
    signer: rita,
    ...change,
  });
  return bundleId;
}

async function decide(bundleId: string, signer: SoftwareKey, change: Partial<BundleDecision> = {}): Promise<void> {
  const { proposal } = await desk().status(bundleId);
  const typedDigestPrefix = proposal.digest.slice(0, 4);
  await desk().decide({
    bundleId,
    act: 'approve',
    meaning: 'needed',
    ticket: 'INC-77',
    typedDigestPrefix,
    signer,
    ...change,
  });
}

async function seal(bundleId: string, source: string, change: object = {}): Promise<SealedBundle> {
  return desk().seal({ bundleId, source: await openMedium(source), policies: POLICIES, signer: rita, ...change });
}

async function sealed(source: string, change: object = {}): Promise<SealedBundle> {
  const bundleId = await propose(source, change);
  await decide(bundleId, anna);
  await decide(bundleId, ben);
  return seal(bundleId, source);
}

function fileOf({ directory, predicate }: SealedBundle, person: string): Buffer {
  const file = predicate.files.find(({ recipient }) => recipient === person);
  return readFileSync(join(directory, file!.name));
}

function open(
  bundle: SealedBundle,
  file: Uint8Array,
  identity: string,
  change: object = {},
): ReturnType<typeof openDebugBundle> {
  return openDebugBundle({
    sealed: file,
    statements: readFileSync(join(bundle.directory, `${bundle.predicate.bundleId}.statements.json`)),
    identity,
    keys: world.keys,
    clock: world.clock,
    destination: world.path('opened'),
    ...change,
  });
}

describe('A75: a debug bundle', () => {
  it('reaches each named recipient, and nobody else, as an event that lists what was in it', async () => {
    const bundle = await sealed(world.tree(FILES));
    expect(world.log.map(({ payload }) => parseStatement(debugBundle, payload).predicate.act)).toEqual([
      'propose',
      'approve',
      'approve',
      'seal',
    ]);
    const opened = await open(bundle, fileOf(bundle, 'eve'), eve.identity);
    expect(opened.recipient).toBe('eve');
    expect(readFileSync(world.path('opened/logs/station-7.log'), 'utf8')).toBe(FILES['logs/station-7.log']);
    expect(readFileSync(world.path('opened/WATERMARK.txt'), 'utf8')).toContain('sealed for eve');
    const { predicate } = parseStatement(debugBundle, world.log[0]!.payload);
    expect(predicate).toMatchObject({
      act: 'propose',
      requester: { id: 'rita' },
      contents: [
        {
          path: 'logs/station-7.log',
          digest: { sha256: sha256Hex(Buffer.from(FILES['logs/station-7.log'])) },
          class: 'station log',
          symbols: 'none',
        },
        { path: 'settings.json' },
      ],
      ticket: 'INC-77',
      expiresAt: '2026-11-20T09:00:00.000Z',
    });
    expect(bundle.predicate.files.map(({ recipient }) => recipient)).toEqual(['eve', 'tom']);
  });

  it('gives a wrong key not one byte (BX-142)', async () => {
    const bundle = await sealed(world.tree(FILES));
    expect(await codeOf(() => open(bundle, fileOf(bundle, 'eve'), tom.identity))).toBe('BX-142');
    expect(existsSync(world.path('opened'))).toBe(false);
    expect(readdirSync(world.directory).filter((name) => name.includes('opened'))).toEqual([]);
  });

  it.each<[string, string, (file: Buffer) => Uint8Array]>([
    ['one bit', 'BX-143', (file) => Buffer.concat([file.subarray(0, -1), Buffer.from([file.at(-1)! ^ 1])])],
    ['its last block', 'BX-143', (file) => file.subarray(0, -64)],
    ['bytes more', 'BX-143', (file) => Buffer.concat([file, Buffer.from('x')])],
  ])('is refused when %s changed (%s)', async (_what, code, damage) => {
    const bundle = await sealed(world.tree(FILES));
    expect(await codeOf(() => open(bundle, damage(fileOf(bundle, 'eve')), eve.identity))).toBe(code);
    expect(existsSync(world.path('opened'))).toBe(false);
  });

  it('is not opened after its expiry (BX-141), and is one moment before', async () => {
    const bundle = await sealed(world.tree(FILES));
    world.clock.at = NOW + 48 * HOUR;
    expect(await codeOf(() => open(bundle, fileOf(bundle, 'eve'), eve.identity))).toBe('BX-141');
    world.clock.at -= 1;
    expect((await open(bundle, fileOf(bundle, 'eve'), eve.identity)).recipient).toBe('eve');
  });

  it('is not opened without the statements that authorise it (BX-144)', async () => {
    const bundle = await sealed(world.tree(FILES));
    const file = fileOf(bundle, 'eve');
    const path = join(bundle.directory, 'DB-0001.statements.json');
    const all = JSON.parse(readFileSync(path, 'utf8')) as { statements: unknown[] };
    const [proposal, first, second, last] = all.statements;
    const variants: readonly unknown[][] = [
      [proposal, first, last],
      [proposal, first, first, last],
      [proposal, first, second],
      [first, second, last],
      [last],
      [],
    ];
    for (const statements of variants) {
      const bytes = Buffer.from(JSON.stringify({ ...all, statements }));
      expect(await codeOf(() => open(bundle, file, eve.identity, { statements: bytes }))).toBe('BX-144');
    }
    expect(await codeOf(() => open(bundle, file, eve.identity, { statements: Buffer.from('{') }))).toBe('BX-144');
    const strangers = { keys: world.keys.filter(({ owner }) => owner !== 'ben') };
    expect(await codeOf(() => open(bundle, file, eve.identity, strangers))).toBe('BX-144');
    expect((await open(bundle, file, eve.identity)).recipient).toBe('eve');
  });

  it('marks each copy, so that a leaked one shows whose it was', async () => {
    const bundle = await sealed(world.tree(FILES));
    const eves = await open(bundle, fileOf(bundle, 'eve'), eve.identity);
    const note = readFileSync(world.path('opened/WATERMARK.txt'));
    expect(eves.recipient).toBe('eve');
    expect(traceWatermark([{ path: 'WATERMARK.txt', content: note }], bundle.predicate)).toBe('eve');
    expect(
      traceWatermark([{ path: 'WATERMARK.txt', content: Buffer.from('Mark: none\n') }], bundle.predicate),
    ).toBeNull();
    await open(bundle, fileOf(bundle, 'tom'), tom.identity, { destination: world.path('toms') });
    const toms = readFileSync(world.path('toms/WATERMARK.txt'));
    expect(traceWatermark([{ path: 'WATERMARK.txt', content: toms }], bundle.predicate)).toBe('tom');
  });

  it('goes to others as a new bundle with new approvals that names the old one', async () => {
    const source = world.tree(FILES);
    const bundle = await sealed(source);
    const uma = await generateHybridIdentity();
    const recipients = [{ id: 'uma', recipient: await identityToRecipient(uma) }];
    const again = await propose(source, { recipients, reseals: 'DB-0001' });
    expect(again).toBe('DB-0002');
    const { proposal, approvals } = await desk().status(again);
    expect(proposal.predicate.reseals).toEqual({ sha256: (await desk().status('DB-0001')).proposal.digest });
    expect(approvals).toEqual([]);
    expect(await codeOf(() => seal(again, source))).toBe('BX-136');
    expect(await codeOf(() => seal(bundle.predicate.bundleId, source))).toBe('BX-145');
    await decide(again, anna);
    await decide(again, ben);
    const second = await seal(again, source);
    expect((await open(second, fileOf(second, 'uma'), uma)).recipient).toBe('uma');
    expect(await codeOf(() => propose(source, { reseals: 'DB-0009' }))).toBe('BX-139');
  });

  it.skipIf(!hasAge)(
    'is what age reads with the right key, and refuses with another one or when it is damaged',
    async () => {
      const bundle = await sealed(world.tree(FILES));
      const scratch = mkdtempSync(join(tmpdir(), 'wm-age-'));
      const path = join(scratch, 'bundle.age');
      const age = (identity: string, content: Uint8Array): Buffer | null => {
        writeFileSync(path, content);
        writeFileSync(join(scratch, 'key'), `${identity}\n`);
        const run = spawnSync('age', ['-d', '-i', join(scratch, 'key'), path]);
        return run.status === 0 ? run.stdout : null;
      };
      const file = fileOf(bundle, 'eve');
      const tar = age(eve.identity, file);
      expect(execFileSync('tar', ['-tf', '-'], { input: tar!, encoding: 'utf8' }).split('\n')).toContain(
        'logs/station-7.log',
      );
      expect(age(tom.identity, file)).toBeNull();
      expect(age(eve.identity, Buffer.concat([file.subarray(0, -1), Buffer.from([file.at(-1)! ^ 1])]))).toBeNull();
    },
  );

  it.skipIf(!hasAge)('is sealed to a recipient that age-keygen made', async () => {
    const text = execFileSync('age-keygen', { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    const recipient = /age1\w+/.exec(text)![0];
    const bundle = await sealed(world.tree(FILES), { recipients: [{ id: 'kim', recipient }] });
    expect((await open(bundle, fileOf(bundle, 'kim'), parseIdentityFile(text))).recipient).toBe('kim');
  });
});

describe('A76: the contents of a debug bundle', () => {
  const image = Buffer.concat(
    Array.from({ length: 256 }, (_, index) => createHash('sha256').update(`i${index}`).digest()),
  );
  const policies = { ...POLICIES, markers: markersOfImage('GW-210-4.2.1', image) };
  const core = Buffer.alloc(64);
  core.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  core.writeUInt16LE(4, 16);

  it.each<[string, string, string, string | Uint8Array]>([
    ['a file without a rule', 'BX-146', 'notes.txt', 'x'],
    ['a file larger than its rule', 'BX-146', 'logs/big.log', 'x'.repeat(4097)],
    ['source', 'BX-122', 'logs/a.log', '#include <a.h>\nint main(void) {\n  return 1;\n}\n'],
    ['a private key', 'BX-121', 'logs/a.log', 'key: -----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA\n'],
    ['a part of an image', 'BX-124', 'logs/a.log', image.subarray(1000, 3000)],
    ['a part of an image, in hexadecimal', 'BX-124', 'logs/a.log', image.subarray(1000, 1900).toString('hex')],
    [
      'a part of an image, in gzip in base64',
      'BX-124',
      'logs/a.log',
      gzipSync(image.subarray(0, 2000)).toString('base64'),
    ],
    ['a core file', 'BX-123', 'probe', core],
    ['what cannot be looked into', 'BX-126', 'probe', Buffer.from('fd377a585a0000', 'hex')],
    ['the name of the note', 'BX-103', 'WATERMARK.txt', 'x'],
  ])('are refused with the file name when there is %s (%s)', async (_what, code, path, content) => {
    const source = world.tree({ ...FILES, [path]: content });
    const refusal = await propose(source, { policies }).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(ContentsRefused);
    const { findings, message } = refusal as ContentsRefused;
    expect(findings.map((finding) => [finding.path.split(' > ')[0], finding.code])).toContainEqual([path, code]);
    expect(message).toContain(path);
    expect(existsSync(world.path('bundles'))).toBe(false);
  });

  it('name every file that is wrong, not the first alone', async () => {
    const source = world.tree({ a: 'x', b: 'x', ...FILES });
    const refusal = (await propose(source).catch((error: unknown) => error)) as ContentsRefused;
    expect(refusal.findings.map(({ path }) => path)).toEqual(['a', 'b']);
  });

  it('carry symbols only where the list says so', async () => {
    const scratch = mkdtempSync(join(tmpdir(), 'wm-elf-'));
    writeFileSync(join(scratch, 'p.c'), 'int main(void) { return 0; }\n');
    if (spawnSync('gcc', ['-o', join(scratch, 'p'), join(scratch, 'p.c')]).status !== 0) return;
    const program = readFileSync(join(scratch, 'p'));
    const refusal = (await propose(world.tree({ probe: program })).catch((error: unknown) => error)) as ContentsRefused;
    expect(refusal.findings).toMatchObject([{ path: 'probe', code: 'BX-127' }]);
    const bundleId = await propose(world.tree({ 'symbols/probe': program }));
    expect((await desk().status(bundleId)).proposal.predicate.contents).toMatchObject([{ symbols: 'present' }]);
  });

  it('are at most sixty-four files', async () => {
    const files = (count: number): Record<string, string> =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`logs/${index}.log`, '']));
    expect(await codeOf(() => propose(world.tree(files(65))))).toBe('BX-104');
    expect(await propose(world.tree(files(64)))).toBe('DB-0001');
  });

  it('A8: are nowhere in what the office keeps', async () => {
    const bundle = await sealed(world.tree({ ...FILES, 'logs/x.log': 'CANARY-7731\n' }));
    for (const canary of ['CANARY-7731', 'verify failed at']) {
      expect(spawnSync('grep', ['-raq', canary, world.path('bundles')]).status).toBe(1);
    }
    // Statements are in base64, which the examination decodes.
    const search = async (text: string): Promise<number> => {
      const markers = [{ class: 'source', name: 'canary', bytes: Buffer.from(text), isText: true }] as const;
      const medium = await openMedium(world.path('bundles'));
      return (await checkMedium(medium, { classes: CLASSES, place: 'outside', markers, allowsOpaque: true })).findings
        .length;
    };
    expect(await search('verify failures at station 7'), 'the purpose is in the proposal').toBeGreaterThan(0);
    expect(await search('CANARY-7731')).toBe(0);
    expect(statSync(bundle.directory).mode & 0o077).toBe(0);
  });
});

describe('approvals of a debug bundle', () => {
  it('come from two other people', async () => {
    const source = world.tree(FILES);
    const bundleId = await propose(source, { recipients: [{ id: 'ben', recipient: eve.recipient }] });
    const ritas = world.person('rita', 'approver');
    expect(await codeOf(() => decide(bundleId, ritas))).toBe('BX-131');
    expect(await codeOf(() => decide(bundleId, ben))).toBe('BX-140');
    await decide(bundleId, anna);
    expect(await codeOf(() => decide(bundleId, world.person('anna', 'approver')))).toBe('BX-132');
    expect(await codeOf(() => decide(bundleId, rita))).toBe('BX-135');
    expect(await codeOf(() => decide(bundleId, world.person('cleo', 'approver'), { typedDigestPrefix: 'zzzz' }))).toBe(
      'BX-138',
    );
    expect(await codeOf(() => decide(bundleId, world.person('cleo', 'approver'), { typedDigestPrefix: '' }))).toBe(
      'BX-138',
    );
    expect(await codeOf(() => seal(bundleId, source))).toBe('BX-136');
  });

  it('are void when a byte, or a list, changes (BX-133)', async () => {
    const source = world.tree(FILES);
    const bundleId = await propose(source);
    await decide(bundleId, anna);
    await decide(bundleId, ben);
    const wider = ContentsList.parse(formatContentsList({ ...LIST, version: 2 }));
    expect(await codeOf(() => seal(bundleId, source, { policies: { ...POLICIES, contentsList: wider } }))).toBe(
      'BX-133',
    );
    appendFileSync(join(source, 'settings.json'), ' ');
    expect(await codeOf(() => seal(bundleId, source))).toBe('BX-133');
    writeFileSync(join(source, 'settings.json'), FILES['settings.json']);
    expect((await seal(bundleId, source)).predicate.approvals).toHaveLength(2);
  });

  it('run out, and end with a denial', async () => {
    const source = world.tree(FILES);
    const bundleId = await propose(source, { expiresAt: NOW + 200 * HOUR });
    await decide(bundleId, anna);
    await decide(bundleId, ben);
    world.clock.at = NOW + 72 * HOUR;
    expect(await codeOf(() => seal(bundleId, source))).toBe('BX-136');
    await decide(bundleId, anna, { act: 'deny', meaning: 'no need any more' });
    expect(await codeOf(() => decide(bundleId, ben))).toBe('BX-137');
    expect(await codeOf(() => seal(bundleId, source))).toBe('BX-137');
    expect((await desk().status(bundleId)).state).toBe('denied');
    world.clock.at = NOW + 200 * HOUR;
    const other = await propose(source, { expiresAt: NOW + 201 * HOUR });
    world.clock.at = NOW + 201 * HOUR;
    expect(await codeOf(() => decide(other, anna))).toBe('BX-134');
    expect(await codeOf(() => propose(source, { expiresAt: NOW }))).toBe('BX-134');
    expect(await codeOf(() => propose(source, { expiresAt: world.clock.at + 721 * HOUR }))).toBe('BX-134');
  });

  it('count by signature, not by where they lie', async () => {
    const source = world.tree(FILES);
    const first = await propose(source);
    await decide(first, anna);
    const second = await propose(source);
    const decision = readdirSync(world.path(`bundles/${first}`)).find((name) => name.startsWith('decision'))!;
    renameSync(world.path(`bundles/${first}/${decision}`), world.path(`bundles/${second}/${decision}`));
    expect((await desk().status(second)).approvals).toEqual([]);
    expect((await desk().list()).map(({ bundleId, state }) => `${bundleId} ${state}`)).toEqual([
      'DB-0001 waiting',
      'DB-0002 waiting',
    ]);
  });

  it('are for bundles that exist (BX-139), asked for by people who may (BX-135)', async () => {
    expect(await codeOf(() => desk().status('DB-0001'))).toBe('BX-139');
    expect(await codeOf(() => desk().status('../DB-0001'))).toBe('BX-139');
    expect(await codeOf(() => propose(world.tree(FILES), { signer: world.person('olga', 'operator') }))).toBe('BX-135');
    expect(
      await codeOf(() => propose(world.tree(FILES), { recipients: [{ id: 'x', recipient: 'age1qqqqqqqqq' }] })),
    ).toBe('ERR_BOUNDARY_RECIPIENT');
  });

  it('take effect only when they are recorded', async () => {
    const bundleId = await propose(world.tree(FILES));
    const failing = new DebugBundleDesk({
      directory: world.path('bundles'),
      keys: world.keys,
      clock: world.clock,
      newWatermark: () => new Uint8Array(16),
      record: () => Promise.reject(new Error('the log is away')),
    });
    const { proposal } = await desk().status(bundleId);
    const decision = {
      bundleId,
      act: 'approve',
      meaning: 'm',
      ticket: 't',
      typedDigestPrefix: proposal.digest,
      signer: anna,
    } as const;
    await expect(failing.decide(decision)).rejects.toThrow('the log is away');
    expect((await desk().status(bundleId)).approvals).toEqual([]);
    await decide(bundleId, anna);
    expect((await desk().status(bundleId)).approvals).toHaveLength(1);
  });
});
