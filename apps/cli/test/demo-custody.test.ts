// SPDX-License-Identifier: Apache-2.0
/** The scene of custody, as its users run it: real tokens, real card readers, every command a process of its own. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseKeyRegistry } from '@witnessmark/custody';
import { hasCardReaders } from '@witnessmark/piv-card';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasProgram } from './programs.ts';
import { run, runProcess, type RunResult } from './run.ts';

const NEEDED = ['softhsm2-util', 'pkcs11-tool', 'yubico-piv-tool', 'age-keygen', 'tar'];
/** PINs and PUK of the scene: nothing it leaves may hold one, but for the files that give a PIN to a program. */
const SECRETS = ['27182818', '31415926', '14142135', '60221407', 'so-pin-4f19c2aa', 'user-pin-77e0d1'];

describe.skipIf(!hasCardReaders() || !NEEDED.every(hasProgram))('demo --scene custody', { timeout: 600_000 }, () => {
  let folder: string;
  let data: string;
  let shown: RunResult;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'witnessmark-scene-'));
    data = join(folder, 'data');
    shown = await runProcess(['demo', '--headless', '--scene', 'custody', '--data', data]);
  }, 600_000);

  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  const at = (...names: readonly string[]): string => join(data, ...names);

  it('ends with 0, with every attack refused under its code', () => {
    expect(`${shown.exit}\n${shown.stderr}`).toMatch(/^0\n/);
    const { rows } = JSON.parse(readFileSync(at('report.json'), 'utf8')) as {
      rows: { scenario: string; code: string; refused: boolean }[];
    };
    expect(rows.filter(({ refused }) => !refused)).toEqual([]);
    const scenarios = new Set(rows.map(({ scenario }) => scenario));
    for (const scenario of ['A9', 'A26', 'A27', 'A29', 'A30', 'A33', 'A38', 'A39', 'A46', 'A47', 'A75', 'A76']) {
      expect([...scenarios]).toContain(scenario);
    }
  });

  it('leaves what it promises: transcripts, registry, repository, media', async () => {
    const transcripts = readdirSync(at('ceremonies')).filter((name) => name.endsWith('.transcript.json'));
    expect(transcripts).toHaveLength(6);
    for (const path of ['trust/metadata/1.root.json', 'media/stick/release', 'media/inside/release']) {
      expect(existsSync(at(path)), path).toBe(true);
    }
    const { keys } = parseKeyRegistry(new Uint8Array(readFileSync(at('keys', 'registry.json'))));
    expect(keys.filter(({ rehearsal }) => rehearsal)).toEqual([]);
    expect(keys.filter(({ policy }) => policy === 'trust-root').map(({ attestation }) => attestation.grade)).toEqual([
      'vendorAttested',
      'vendorAttested',
      'vendorAttested',
    ]);
    const people = ['a.rossi', 'j.abe'].flatMap((id) => ['--signer', `${id}=${at('keys', `${id}.pub.pem`)}`]);
    const replayed = await run([
      'ceremony',
      'replay',
      at('ceremonies', 'trust-root.transcript.json'),
      ...people,
      '--unlogged',
    ]);
    expect(replayed.exit).toBe(0);
  });

  it('the rehearsal is as much a ceremony, and its keys say what they are', () => {
    const { keys } = parseKeyRegistry(new Uint8Array(readFileSync(at('rehearsal', 'registry.json'))));
    expect(keys.length).toBeGreaterThan(0);
    expect(keys.every(({ rehearsal }) => rehearsal)).toBe(true);
  });

  it('I16: no PIN is left anywhere but in the files that give one to a program', () => {
    const found: string[] = [];
    for (const entry of readdirSync(data, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      if (entry.name.endsWith('.pin') || entry.name === 'pin') continue;
      const text = readFileSync(path, 'latin1');
      for (const secret of SECRETS) if (text.includes(secret)) found.push(path);
    }
    expect(found).toEqual([]);
  });
});
