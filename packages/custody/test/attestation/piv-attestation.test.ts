// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parsePublicKey, RefusedError } from '@witnessmark/core';
import { keyPolicy, verifyPivAttestation, type PivAttestation, type PivExpectation } from '@witnessmark/custody';
import { AttestationCa, P256Key, PIN_POLICY, TOUCH_POLICY, type AttestedKey } from '@witnessmark/piv-card';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasProgram } from '../support/soft-hsm.ts';

const root = AttestationCa.createRoot('Vendor Root');
const card = root.createIntermediate('Card 4711');
const key = P256Key.generate();
const FACTS: AttestedKey = {
  spki: key.spki,
  slot: 0x9c,
  firmware: Buffer.of(5, 4, 3),
  serial: 4711,
  pinPolicy: PIN_POLICY.always,
  touchPolicy: TOUCH_POLICY.always,
};
const GOOD: PivAttestation = { leaf: plain(card.attest(FACTS)), intermediates: [plain(card.certificate)] };
const EXPECTED: PivExpectation = {
  roots: [plain(root.certificate)],
  time: Date.UTC(2026, 10, 20),
  publicKey: parsePublicKey(plain(key.spki)),
  serial: 4711,
  policy: keyPolicy('trust-root').piv!,
};

describe('PIV attestation', () => {
  it('shows a key that was made in the slot of the card', () => {
    expect(verifyPivAttestation(GOOD, EXPECTED)).toEqual({
      grade: 'vendorAttested',
      publicKey: EXPECTED.publicKey,
      slot: '9c',
      serial: 4711,
      firmware: '5.4.3',
      pinPolicy: 'always',
      touchPolicy: 'always',
    });
  });

  const other = AttestationCa.createRoot('Vendor Root');
  const stranger = other.createIntermediate('Card 4711');
  const refusals: [string, Partial<PivAttestation>, Partial<PivExpectation>, string][] = [
    ['a root of the same name and another key', {}, { roots: [plain(other.certificate)] }, 'CU-132'],
    ['no root', {}, { roots: [] }, 'CU-132'],
    ['a leaf from another card', { leaf: plain(stranger.attest(FACTS)) }, {}, 'CU-132'],
    ['no F9 certificate', { intermediates: [] }, {}, 'CU-132'],
    ['a leaf in place of the F9 certificate', { intermediates: [GOOD.leaf] }, {}, 'CU-132'],
    ['a chain longer than any vendor has', { intermediates: Array(4).fill(plain(card.certificate)) }, {}, 'CU-132'],
    ['a time before the certificates', {}, { time: Date.UTC(2010, 0) }, 'CU-132'],
    ['a time after the certificates', {}, { time: Date.UTC(2060, 0) }, 'CU-132'],
    ['another slot', attest({ slot: 0x9a }), {}, 'CU-133'],
    ['another serial', {}, { serial: 4712 }, 'CU-133'],
    ['another key', {}, { publicKey: parsePublicKey(plain(P256Key.generate().spki)) }, 'CU-133'],
    ['a PIN once a session', attest({ pinPolicy: PIN_POLICY.once }), {}, 'CU-134'],
    ['a touch that is remembered', attest({ touchPolicy: TOUCH_POLICY.cached }), {}, 'CU-134'],
    ['no touch', attest({ touchPolicy: TOUCH_POLICY.never }), {}, 'CU-134'],
    ['a PIN policy nobody knows', attest({ pinPolicy: 9 }), {}, 'CU-131'],
    ['a touch policy nobody knows', attest({ touchPolicy: 0 }), {}, 'CU-131'],
    ['a firmware of two bytes', attest({ firmware: Buffer.of(5, 4) }), {}, 'CU-131'],
    [
      'a certificate without the extensions',
      { leaf: plain(card.createIntermediate('YubiKey PIV Attestation 9c').certificate) },
      {},
      'CU-131',
    ],
    ['a subject without a slot', { leaf: plain(card.createIntermediate('another').certificate) }, {}, 'CU-131'],
    ['bytes after the certificate', { leaf: Uint8Array.of(...GOOD.leaf, 0) }, {}, 'CU-131'],
    ['no certificate', { leaf: new Uint8Array(10) }, {}, 'CU-131'],
    ['4,097 bytes', { leaf: new Uint8Array(4_097) }, {}, 'CU-131'],
  ];

  it.each(refusals)('refuses %s', (_, attestation, expectation, code) => {
    const verify = (): unknown => verifyPivAttestation({ ...GOOD, ...attestation }, { ...EXPECTED, ...expectation });
    expect(verify).toThrow(expect.objectContaining({ code }));
  });

  it('accepts stronger policies than demanded', () => {
    const policy = { slot: '9c', pinPolicy: 'once', touchPolicy: 'cached' } as const;
    expect(() => verifyPivAttestation(GOOD, { ...EXPECTED, policy })).not.toThrow();
  });

  it('reads serials of every size', () => {
    for (const serial of [1, 127, 128, 255, 256, 0x7fff_ffff, 0xffff_ffff]) {
      const attestation = { ...GOOD, leaf: plain(card.attest({ ...FACTS, serial })) };
      expect(verifyPivAttestation(attestation, { ...EXPECTED, serial }).serial).toBe(serial);
    }
  });

  it('refuses a changed byte anywhere in the leaf, and never fails otherwise', () => {
    fc.assert(
      fc.property(fc.nat(GOOD.leaf.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const leaf = GOOD.leaf.map((byte, index) => (index === at ? byte ^ change : byte));
        expect(() => verifyPivAttestation({ ...GOOD, leaf }, EXPECTED)).toThrow(RefusedError);
      }),
      { numRuns: 150 },
    );
  });

  it.skipIf(!hasProgram('openssl'))('is a chain that openssl verifies, too', () => {
    const dir = mkdtempSync(join(tmpdir(), 'witnessmark-attestation-'));
    const pem = (name: string, der: Uint8Array): string => {
      const path = join(dir, name);
      const body = Buffer.from(der)
        .toString('base64')
        .replaceAll(/(.{64})/g, '$1\n');
      writeFileSync(path, `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`);
      return path;
    };
    const leaf = pem('leaf', GOOD.leaf);
    const f9 = pem('f9', card.certificate);
    const verify = (rootPath: string): string =>
      execFileSync('openssl', ['verify', '-CAfile', rootPath, '-untrusted', f9, leaf], {
        encoding: 'utf8',
        stdio: 'pipe',
      });
    expect(verify(pem('root', root.certificate))).toContain(': OK');
    expect(() => verify(pem('other', other.certificate))).toThrow();
    rmSync(dir, { recursive: true });
  });

  function attest(change: Partial<AttestedKey>): Partial<PivAttestation> {
    return { leaf: plain(card.attest({ ...FACTS, ...change })) };
  }
});

function plain(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(bytes);
}
