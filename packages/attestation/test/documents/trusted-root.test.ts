// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { encodeUtf8, formatInstant, parseInstant } from '@witnessmark/core';
import {
  formatTrustedRoot,
  isValidAt,
  KEY_ROLES,
  parseTrustedRoot,
  toTrustedKeys,
  toTrustedNoteKeys,
  type TrustedRoot,
} from '@witnessmark/attestation';
import { CAST, testTrustedRoot } from '../../../../testing/world/src/evidence/cast.ts';

const root = testTrustedRoot();

function codeOf(work: () => unknown): string | undefined {
  try {
    work();
  } catch (error) {
    return (error as { code?: string }).code;
  }
  return undefined;
}

function write(change: (copy: ReturnType<typeof JSON.parse>) => void): Uint8Array {
  const copy = structuredClone(root);
  change(copy);
  return encodeUtf8(JSON.stringify(copy));
}

describe('trusted root', () => {
  it('reads what it writes', () => {
    expect(parseTrustedRoot(formatTrustedRoot(root))).toEqual(root);
  });

  it.each<[string, (copy: ReturnType<typeof JSON.parse>) => void]>([
    ['an unknown member', (copy) => (copy.note = '')],
    ['an unknown member of a key', (copy) => (copy.keys[0].note = '')],
    ['an unknown role', (copy) => (copy.keys[0].role = 'admin')],
    ['a key without owner', (copy) => (copy.keys[0].owner = '')],
    ['a key without end, unsaid', (copy) => delete copy.keys[0].validUntil],
    ['a revocation of no key', (copy) => (copy.revocations[0].keyid = 'station ST-12')],
    ['version 0', (copy) => (copy.version = 0)],
    ['another media type', (copy) => (copy.mediaType = 'application/json')],
  ])('with %s is refused', (_what, damage) => {
    expect(codeOf(() => parseTrustedRoot(write(damage)))).toBe('ERR_DOCUMENT_FORMAT');
  });

  it('is not written when it could not be read', () => {
    expect(() => formatTrustedRoot({ ...root, version: 0 })).toThrow(TypeError);
  });

  it('limits: 32 logs are read, 33 are not', () => {
    const logs = (count: number) => write((copy) => (copy.logs = Array(count).fill(copy.logs[0])));
    expect(parseTrustedRoot(logs(32)).logs).toHaveLength(32);
    expect(codeOf(() => parseTrustedRoot(logs(33)))).toBe('ERR_DOCUMENT_FORMAT');
  });
});

describe('its role keys', () => {
  it('are decoded with role, owner, scope and custody', () => {
    const keys = toTrustedKeys(root);
    expect(keys).toHaveLength(root.keys.length);
    expect(keys[0]).toMatchObject({ role: 'evidence', owner: 'L1', scope: 'L1', custody: 'hardware' });
    expect(keys[0]?.key.keyid).toBe(CAST.line.key.publicKey.keyid);
    const signing = KEY_ROLES.filter((role) => role !== 'unsealing');
    expect(new Set(keys.map(({ role }) => role))).toEqual(new Set(signing));
  });

  it('may open images instead of signing', () => {
    const [key] = root.keys;
    const [decoded] = toTrustedKeys({ ...root, keys: [{ ...key!, role: 'unsealing' }] });
    expect(decoded).toMatchObject({ role: 'unsealing', scope: 'L1' });
  });

  it('A28, A34: none is listed twice, under whatever name', () => {
    const [key] = root.keys;
    expect(codeOf(() => toTrustedKeys({ ...root, keys: [key!, { ...key!, owner: 'b' }] }))).toBe('ERR_DOCUMENT_FORMAT');
    expect(codeOf(() => toTrustedKeys({ ...root, keys: [key!, { ...key!, role: 'approver' }] }))).toBe(
      'ERR_DOCUMENT_FORMAT',
    );
  });

  it('A34: a key that is none is refused', () => {
    const [key] = root.keys;
    const withKey = (publicKey: string): TrustedRoot => ({ ...root, keys: [{ ...key!, publicKey }] });
    expect(codeOf(() => toTrustedKeys(withKey(key!.publicKey.slice(0, -4) + 'AA==')))).toBe('ERR_KEY_NOT_ON_CURVE');
    expect(codeOf(() => toTrustedKeys(withKey('AAAA')))).toBe('ERR_KEY_ENCODING');
    expect(codeOf(() => toTrustedKeys(withKey('_')))).toBe('ERR_CORE_BASE64');
  });

  it('are valid from the first instant to before the last', () => {
    const [key] = toTrustedKeys(root);
    expect(isValidAt(key!, key!.validFrom - 1)).toBe(false);
    expect(isValidAt(key!, key!.validFrom)).toBe(true);
    expect(isValidAt(key!, key!.validUntil - 1)).toBe(true);
    expect(isValidAt(key!, key!.validUntil)).toBe(false);
  });

  it('without an end stay valid', () => {
    const [key] = toTrustedKeys({ ...root, keys: [{ ...root.keys[0]!, validUntil: null }] });
    expect(isValidAt(key!, Number.MAX_SAFE_INTEGER)).toBe(true);
  });

  it('end at their earliest revocation, and a revocation never prolongs', () => {
    const { keyid } = CAST.line.key.publicKey;
    const revoke = (...times: string[]) => ({
      ...root,
      revocations: times.map((revokedAt) => ({ keyid, revokedAt, reason: 'lost' })),
    });
    const ends = (trusted: TrustedRoot) => formatInstant(toTrustedKeys(trusted)[0]!.validUntil);
    expect(ends(revoke('2026-05-01T00:00:00Z', '2026-04-01T00:00:00Z'))).toBe('2026-04-01T00:00:00.000Z');
    expect(ends(revoke('2026-04-01T00:00:00Z', '2026-05-01T00:00:00Z'))).toBe('2026-04-01T00:00:00.000Z');
    expect(ends(revoke('2099-01-01T00:00:00Z'))).toBe(ends(revoke()));
  });
});

describe('its log and witness keys', () => {
  it('are decoded, each with its owner', () => {
    expect(toTrustedNoteKeys(root, 'logs').map(({ key, owner }) => [key.name, owner])).toEqual([
      ['log.example/line-1', 'L1'],
      ['log.example/line-0', 'L0'],
    ]);
    expect(toTrustedNoteKeys(root, 'witnesses')).toHaveLength(root.witnesses.length);
  });

  it('A28: none is listed twice', () => {
    expect(codeOf(() => toTrustedNoteKeys({ ...root, logs: [root.logs[0]!, root.logs[0]!] }, 'logs'))).toBe(
      'ERR_DOCUMENT_FORMAT',
    );
  });

  it('are cut short by revocation too', () => {
    const [log] = toTrustedNoteKeys(root, 'logs');
    const revocations = [{ keyid: log!.key.publicKey.keyid, revokedAt: '2026-04-01T00:00:00Z', reason: 'lost' }];
    const [revoked] = toTrustedNoteKeys({ ...root, revocations }, 'logs');
    expect(revoked?.validUntil).toBe(parseInstant('2026-04-01T00:00:00Z'));
    expect(log?.validUntil).toBeGreaterThan(parseInstant('2026-04-01T00:00:00Z'));
  });

  it('without an end stay valid', () => {
    const [log] = toTrustedNoteKeys({ ...root, logs: [{ ...root.logs[0]!, validUntil: null }] }, 'logs');
    expect(log?.validUntil).toBe(Infinity);
  });
});
