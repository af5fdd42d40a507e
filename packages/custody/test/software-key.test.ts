// SPDX-License-Identifier: Apache-2.0
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeUtf8, isSignedBy } from '@witnessmark/core';
import { afterAll, describe, expect, it } from 'vitest';
import { generateSoftwareKey, loadSoftwareKey, saveSoftwareKey } from '../src/index.ts';

const directory = mkdtempSync(join(tmpdir(), 'software-key-test-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

let files = 0;
function newPath(): string {
  files += 1;
  return join(directory, `${files}.pem`);
}

const MESSAGE = encodeUtf8('what is signed');
const SCHEMES = ['ecdsa-sha2-nistp256', 'ed25519'] as const;

describe.each(SCHEMES)('a software key for %s', (scheme) => {
  it('signs what its public key verifies, and nothing else', async () => {
    const key = generateSoftwareKey(scheme);
    const signature = await key.sign(MESSAGE);
    expect(key.publicKey.scheme).toBe(scheme);
    expect(key.custody).toBe('software');
    expect(isSignedBy(key.publicKey, MESSAGE, signature)).toBe(true);
    expect(isSignedBy(key.publicKey, encodeUtf8('something else'), signature)).toBe(false);
    expect(isSignedBy(generateSoftwareKey(scheme).publicKey, MESSAGE, signature)).toBe(false);
    expect(isSignedBy(key.publicKey, MESSAGE, key.signNow(MESSAGE))).toBe(true);
  });

  it('is the same key after it was saved and loaded', async () => {
    const path = newPath();
    const key = generateSoftwareKey(scheme);
    saveSoftwareKey(path, key);
    const loaded = loadSoftwareKey(path);
    expect(loaded.publicKey).toEqual(key.publicKey);
    expect(isSignedBy(key.publicKey, MESSAGE, await loaded.sign(MESSAGE))).toBe(true);
  });
});

describe('a key file', () => {
  it('belongs to its owner alone', () => {
    const path = newPath();
    saveSoftwareKey(path, generateSoftwareKey('ed25519'));
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('is never overwritten', () => {
    const path = newPath();
    saveSoftwareKey(path, generateSoftwareKey('ed25519'));
    const before = readFileSync(path, 'utf8');
    expect(() => saveSoftwareKey(path, generateSoftwareKey('ed25519'))).toThrow(
      expect.objectContaining({ code: 'ERR_CUSTODY_KEY_EXISTS' }),
    );
    expect(readFileSync(path, 'utf8')).toBe(before);
  });

  it('cannot be written where there is no directory', () => {
    expect(() => saveSoftwareKey(join(directory, 'nowhere/key.pem'), generateSoftwareKey('ed25519'))).toThrow(
      expect.objectContaining({ code: 'ERR_CUSTODY_KEY_EXISTS' }),
    );
  });

  it.each([0o640, 0o604, 0o660, 0o666, 0o610])('with mode %o is refused', (mode) => {
    const path = newPath();
    saveSoftwareKey(path, generateSoftwareKey('ed25519'));
    chmodSync(path, mode);
    expect(() => loadSoftwareKey(path)).toThrow(expect.objectContaining({ code: 'ERR_CUSTODY_KEY_MODE' }));
    // The twins: the owner's own bits do not matter.
    for (const own of [0o600, 0o400]) {
      chmodSync(path, own);
      expect(() => loadSoftwareKey(path)).not.toThrow();
    }
  });

  it('that is missing, empty, no key, or a public key is refused by name', () => {
    const write = (text: string): string => {
      const path = newPath();
      writeFileSync(path, text, { mode: 0o600 });
      return path;
    };
    const key = generateSoftwareKey('ecdsa-sha2-nistp256');
    const cut = key.exportPem().slice(0, 80);
    for (const path of [newPath(), directory, write(''), write('no key'), write(cut)]) {
      expect(() => loadSoftwareKey(path)).toThrow(
        expect.objectContaining({ code: expect.stringMatching(/^ERR_CUSTODY_KEY/) }),
      );
    }
  });

  it('of another kind of key is refused', async () => {
    const { generateKeyPairSync } = await import('node:crypto');
    for (const { privateKey } of [
      generateKeyPairSync('rsa', { modulusLength: 2048 }),
      generateKeyPairSync('ec', { namedCurve: 'P-384' }),
      generateKeyPairSync('x25519'),
    ]) {
      const path = newPath();
      writeFileSync(path, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
      expect(() => loadSoftwareKey(path)).toThrow(expect.objectContaining({ code: 'ERR_CUSTODY_KEY_FILE' }));
    }
  });

  it('does not leak into messages', () => {
    const path = newPath();
    const key = generateSoftwareKey('ecdsa-sha2-nistp256');
    writeFileSync(path, key.exportPem().slice(0, 120), { mode: 0o600 });
    try {
      loadSoftwareKey(path);
      expect.unreachable();
    } catch (error) {
      expect((error as Error).message).not.toContain(key.exportPem().slice(30, 60));
    }
    expect(JSON.stringify(key)).not.toContain('PRIVATE');
  });
});
