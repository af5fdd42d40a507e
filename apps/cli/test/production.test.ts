// SPDX-License-Identifier: Apache-2.0
import { encodeBase64, formatInstant, type CustodyGrade } from '@witnessmark/core';
import type { TrustedRoot, TrustedRootKey } from '@witnessmark/attestation';
import { generateSoftwareKey, type Signer } from '@witnessmark/custody';
import { describe, expect, it } from 'vitest';
import { demandHardware, demandProductionKey } from '../src/production.ts';

const NOW = Date.UTC(2026, 5, 1);
const key = generateSoftwareKey('ecdsa-sha2-nistp256');
/** As a token would offer it. */
const onToken: Signer = { publicKey: key.publicKey, custody: 'hardware', sign: (message) => key.sign(message) };
const LISTED: TrustedRootKey = {
  role: 'evidence',
  publicKey: encodeBase64(key.publicKey.spki),
  owner: 'line-1',
  scope: 'line-1',
  custody: 'hardware',
  custodyGrade: 'selfReported',
  validFrom: formatInstant(NOW - 1),
  validUntil: formatInstant(NOW + 1),
};

function root(...keys: readonly TrustedRootKey[]): TrustedRoot {
  return {
    mediaType: 'application/vnd.witnessmark.trusted-root.v1+json',
    name: 'tests',
    version: 1,
    logs: [],
    witnesses: [],
    keys: [...keys],
    certificateAuthorities: [],
    revocations: [],
  };
}

function demand(
  listed: Partial<TrustedRootKey> | null,
  { signer = onToken, now = NOW, minimum }: { signer?: Signer; now?: number; minimum?: CustodyGrade } = {},
): void {
  const trustedRoot = listed === null ? root() : root({ ...LISTED, ...listed });
  const rules = {
    environment: 'production' as const,
    ...(minimum === undefined ? {} : { minimumCustodyGrade: minimum }),
  };
  demandProductionKey(rules, signer, { trustedRoot, role: 'evidence', owner: 'line-1', now });
}

describe('A39: in production', () => {
  it('a listed key of a token is taken', () => {
    expect(() => demand({})).not.toThrow();
  });

  it.each([
    ['a key in a file', 'CU-202', () => demand({}, { signer: key })],
    ['a key that is listed as one in a file', 'CU-202', () => demand({ custody: 'software' })],
    ['a key from a rehearsal', 'CU-203', () => demand({ rehearsal: true })],
    ['a key nobody lists', 'CU-204', () => demand(null)],
    ['a key of another role', 'CU-204', () => demand({ role: 'station' })],
    ['a key of another line', 'CU-204', () => demand({ scope: 'line-2' })],
    ['a key that is not valid yet', 'CU-204', () => demand({}, { now: NOW - 2 })],
    ['a key that is not valid any more', 'CU-204', () => demand({}, { now: NOW + 1 })],
    ['a key whose custody somebody only says', 'CU-135', () => demand({ custodyGrade: 'asserted' })],
    ['a key below what the configuration asks for', 'CU-135', () => demand({}, { minimum: 'vendorAttested' })],
  ])('%s: %s', (_, code, work) => {
    expect(work).toThrow(expect.objectContaining({ code }));
  });

  it('a log key in a file is refused', () => {
    expect(() => demandHardware({ environment: 'production' }, key, 'log key')).toThrow(
      expect.objectContaining({ code: 'CU-202' }),
    );
    expect(() => demandHardware({ environment: 'production' }, onToken, 'log key')).not.toThrow();
  });

  it('outside production nothing of that is asked', () => {
    expect(() => demandHardware({}, key, 'log key')).not.toThrow();
    const enrolled = { trustedRoot: root(), role: 'evidence', owner: 'line-1', now: NOW } as const;
    expect(() => demandProductionKey({}, key, enrolled)).not.toThrow();
  });
});
