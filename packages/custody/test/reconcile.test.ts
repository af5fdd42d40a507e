// SPDX-License-Identifier: Apache-2.0
import { reconcile, type AccountedRequest, type LoggedSignature, type ReconcileInput } from '@witnessmark/custody';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const KEY = 'aa'.repeat(32);
const OTHER = 'bb'.repeat(32);

describe('I15: reconciliation', () => {
  it('balances when every signature is logged and counted', () => {
    const input = balance([request(1), request(2)], [entry(1), entry(2)], 2);
    expect(reconcile(input)).toEqual({ signed: 2, failed: 0, unknown: 0, logged: 2, tokenSignatures: 2, findings: [] });
  });

  it('A45: finds a signature without an entry, and an entry without a signature', () => {
    expect(codes(balance([request(1), request(2)], [entry(1)], 2))).toEqual(['CU-161']);
    expect(codes(balance([request(1)], [entry(1), entry(9)], 1))).toEqual(['CU-162']);
  });

  it('A45: finds signatures the token made off the book, and such that it never made', () => {
    expect(codes(balance([request(1)], [entry(1)], 2))).toEqual(['CU-163']);
    expect(codes(balance([request(1), request(2)], [entry(1), entry(2)], 1))).toEqual(['CU-164']);
  });

  it('says what it cannot tell, and takes an entry for an explanation', () => {
    const unknown = request(2, { outcome: 'unknown' });
    for (const count of [1, 2]) expect(codes(balance([request(1), unknown], [entry(1)], count))).toEqual(['CU-158']);
    expect(codes(balance([request(1), unknown], [entry(1), entry(2)], 2))).toEqual([]);
    expect(codes(balance([request(1), unknown], [entry(1)], 3))).toEqual(['CU-158', 'CU-163']);
  });

  it('takes a failed request for no signature', () => {
    const failed = request(1, { outcome: 'failed' });
    expect(codes(balance([failed], [], 0))).toEqual([]);
    expect(codes(balance([failed], [entry(1)], 0))).toEqual(['CU-162']);
  });

  it('asks for entries of logged purposes only, and for its own keys only', () => {
    expect(codes(balance([request(1, { purpose: 'permit' })], [], 1))).toEqual([]);
    expect(codes(balance([request(1, { keyid: OTHER })], [{ ...entry(2), keyid: OTHER }], 0))).toEqual([]);
  });

  it('passes on what the token log itself shows, and does without one', () => {
    const findings = [{ code: 'CU-165' as const, object: 'token', detail: 'x' }];
    const input = balance([request(1)], [entry(1)], 1);
    expect(codes({ ...input, token: { counts: input.token!.counts, findings } })).toEqual(['CU-165']);
    expect(reconcile({ ...input, token: null })).toMatchObject({ tokenSignatures: null, findings: [] });
  });

  it('finds every difference, however large the books', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(60)), fc.uniqueArray(fc.nat(60)), (signed, logged) => {
        const input = balance(
          signed.map((number) => request(number)),
          logged.map(entry),
          signed.length,
        );
        const missing = signed.filter((number) => !logged.includes(number)).length;
        const stray = logged.filter((number) => !signed.includes(number)).length;
        const found = codes(input);
        expect(found.filter((code) => code === 'CU-161')).toHaveLength(missing);
        expect(found.filter((code) => code === 'CU-162')).toHaveLength(stray);
        expect(found).toHaveLength(missing + stray);
      }),
    );
  });
});

function codes(input: ReconcileInput): string[] {
  return reconcile(input).findings.map(({ code }) => code);
}

function balance(requests: AccountedRequest[], logged: LoggedSignature[], counted: number): ReconcileInput {
  return {
    requests,
    logged,
    keyids: new Set([KEY]),
    loggedPurposes: new Set(['event']),
    token: { counts: [{ keyid: KEY, signatures: counted }], findings: [] },
  };
}

function request(number: number, change: Partial<AccountedRequest> = {}): AccountedRequest {
  return {
    id: `0197a8a2-0000-7000-8000-00000000${String(number).padStart(4, '0')}`,
    at: '2026-11-20T00:00:00.000Z',
    client: 'line',
    key: 'line-evidence',
    keyid: KEY,
    purpose: 'event',
    digest: digest(number),
    outcome: 'signed',
    ...change,
  };
}

function entry(number: number): LoggedSignature {
  return { entry: String(number), keyid: KEY, digest: digest(number) };
}

function digest(number: number): string {
  return number.toString(16).padStart(64, '0');
}
