// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  generateSoftwareKey,
  generateSoftwareKeyAgreement,
  loadSoftwareKeyAgreement,
  SoftwareKeyAgreement,
} from '@witnessmark/custody';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasProgram } from './support/soft-hsm.ts';

let dir: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'witnessmark-agreement-'));
});

afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
});

function saveKey(name: string, curve: string, mode = 0o600): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: curve });
  const path = join(dir, name);
  writeFileSync(path, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  chmodSync(path, mode);
  return path;
}

describe('key agreement in software', () => {
  it('gives both sides one secret, and nobody else', async () => {
    const [anna, ben, eve] = [1, 2, 3].map(() => generateSoftwareKeyAgreement());
    const ofAnna = await anna!.agree(ben!.publicKey, (secret) => Buffer.from(secret));
    const ofBen = await ben!.agree(anna!.publicKey, (secret) => Buffer.from(secret));
    const ofEve = await eve!.agree(anna!.publicKey, (secret) => Buffer.from(secret));
    expect(ofAnna).toEqual(ofBen);
    expect(ofAnna).toHaveLength(32);
    expect(ofEve).not.toEqual(ofAnna);
  });

  it('A22: wipes the secret, also when its use fails', async () => {
    const [anna, ben] = [generateSoftwareKeyAgreement(), generateSoftwareKeyAgreement()];
    const kept: Uint8Array[] = [];
    await anna.agree(ben.publicKey, (secret) => kept.push(secret));
    const failing = anna.agree(ben.publicKey, (secret) => {
      kept.push(secret);
      throw new TypeError('no use');
    });
    await expect(failing).rejects.toThrow('no use');
    expect(kept.map((secret) => secret.every((byte) => byte === 0))).toEqual([true, true]);
  });

  it.skipIf(!hasProgram('openssl'))('agrees with what openssl derives', async () => {
    const own = saveKey('own.pem', 'P-256');
    const peer = saveKey('peer.pem', 'P-256');
    const publicKey = join(dir, 'peer.pub.pem');
    execFileSync('openssl', ['pkey', '-in', peer, '-pubout', '-out', publicKey]);
    const derived = execFileSync('openssl', ['pkeyutl', '-derive', '-inkey', own, '-peerkey', publicKey]);
    const secret = await loadSoftwareKeyAgreement(own).agree(loadSoftwareKeyAgreement(peer).publicKey, (bytes) =>
      Buffer.from(bytes),
    );
    expect(secret).toEqual(derived);
  });

  it('refuses a key that others can read, that is missing, or that is on another curve', () => {
    expect(() => loadSoftwareKeyAgreement(saveKey('open.pem', 'P-256', 0o644))).toThrow('can be read by others');
    expect(() => loadSoftwareKeyAgreement(join(dir, 'none.pem'))).toThrow('is not a readable private key');
    expect(() => loadSoftwareKeyAgreement(saveKey('other.pem', 'P-384'))).toThrow(
      'is not a readable private key on P-256',
    );
    expect(() => new SoftwareKeyAgreement(generateKeyPairSync('ed25519').privateKey)).toThrow(TypeError);
  });

  it('does not agree with a key of another kind', async () => {
    const peer = generateSoftwareKey('ed25519').publicKey;
    await expect(generateSoftwareKeyAgreement().agree(peer, () => null)).rejects.toThrow(TypeError);
  });
});
