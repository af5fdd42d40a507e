// SPDX-License-Identifier: Apache-2.0
import { tmpdir } from 'node:os';
import {
  reconcile,
  ReconcileSpool,
  type AccountedRequest,
  type LoggedSignature,
  type ReconcileInput,
} from '@witnessmark/custody';
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

  it('A45: finds a second signature of a statement that custody signed once; a copy in another log is none', () => {
    const again = { ...entry(1), entry: '7', signature: 'made beside custody' };
    expect(codes(balance([request(1)], [entry(1), again], 1))).toEqual(['CU-162']);
    expect(codes(balance([request(1), request(1)], [entry(1), again], 2))).toEqual([]);
    expect(codes(balance([request(1)], [entry(1), { ...entry(1), entry: '7' }], 1))).toEqual([]);
  });

  it('waits for what may still be on its way to the log, to the moment', () => {
    const at = '2026-11-20T00:00:00.000Z';
    const input = balance([request(1), request(2, { outcome: 'unknown' })], [], 1);
    expect(codes({ ...input, recentFrom: at })).toEqual([]);
    expect(codes({ ...input, recentFrom: '2026-11-20T00:00:00.001Z' })).toEqual(['CU-161', 'CU-158']);
    expect(codes({ ...balance([], [entry(3)], 0), recentFrom: at })).toEqual(['CU-162']);
  });

  it('says the same when the accounts are spread over files', () => {
    const numbers = fc.array(fc.nat(400), { maxLength: 60 });
    const outcome = fc.constantFrom<AccountedRequest['outcome']>('signed', 'failed', 'unknown');
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(400), outcome), { maxLength: 60 }),
        numbers,
        fc.nat(80),
        (made, kept, counted) => {
          // Spread over the first byte of the digest, as real ones are.
          const spread = <T extends { readonly digest: string }>(of: T): T => ({
            ...of,
            digest: of.digest.slice(-2) + of.digest.slice(2),
          });
          const input = balance(
            made.map(([number, found]) => spread(request(number, { outcome: found }))),
            kept.map((number) => spread(entry(number))),
            counted,
          );
          const spool = new ReconcileSpool(tmpdir());
          for (const one of input.requests) spool.addRequest(one);
          for (const one of input.logged) spool.addLogged(one);
          const { findings, findingCount, ...sum } = spool.finish(input);
          const { findings: expected, ...expectedSum } = reconcile(input);
          expect(sum).toEqual(expectedSum);
          expect(findings.map((finding) => JSON.stringify(finding)).toSorted()).toEqual(
            expected.map((finding) => JSON.stringify(finding)).toSorted(),
          );
          expect(findingCount).toBe(expected.length);
        },
      ),
      { numRuns: 20 },
    );
  });

  it('lists a thousand findings and tells the number of all', () => {
    const spool = new ReconcileSpool(tmpdir());
    for (let number = 0; number < 1_200; number += 1) spool.addLogged(entry(number));
    const { findings, findingCount } = spool.finish({ ...balance([], [], 0), token: null });
    expect([findings.length, findingCount]).toEqual([1_000, 1_200]);
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
  return { entry: String(number), keyid: KEY, digest: digest(number), signature: `signature ${number}` };
}

function digest(number: number): string {
  return number.toString(16).padStart(64, '0');
}
