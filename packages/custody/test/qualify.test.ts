// SPDX-License-Identifier: Apache-2.0
import { formatQualification, openToken, Pkcs11Module, qualifyToken, type Pkcs11Token } from '@witnessmark/custody';
import { describe, expect, it } from 'vitest';
import * as ck from '../src/pkcs11/cryptoki.ts';
import { FakeToken, type FakeTokenOptions } from './support/fake-cryptoki.ts';

const OPTIONS = { key: { label: 'sign' }, signatures: 20, callers: [1, 4], maxSessions: 8 };

describe('qualifying a token', () => {
  it('reports rate, latency and session limit in plain words', async () => {
    const { token, card } = await open({ maxSessions: 6 });
    const qualification = await qualifyToken(token, { ...OPTIONS, clock: steadyClock(2) });
    expect(qualification).toMatchObject({ sessionLimit: 6, isQualified: true });
    expect(qualification.runs.map(({ callers, signatures, wrong }) => [callers, signatures, wrong])).toEqual([
      [1, 20, 0],
      [4, 20, 0],
    ]);
    expect(card.signatures).toBe(40);
    expect(card.sessions).toBe(4);
    const text = formatQualification(qualification);
    expect(text).toContain('It takes 6 sessions and no more.\n');
    expect(text).toMatch(/With one caller: \d+ signatures a second; half take 2\.0 ms, 99 of 100 take 2\.0 ms/);
    expect(text).toMatch(/QUALIFIED: every signature verifies, and 99 of 100 take at most 250 ms\.\n$/);
  });

  it('says when the token sets no limit', async () => {
    const { token } = await open();
    const qualification = await qualifyToken(token, { ...OPTIONS, clock: steadyClock(1) });
    expect(formatQualification(qualification)).toContain('It takes 8 sessions and more.');
  });

  it('does not qualify a token that is too slow', async () => {
    const { token } = await open();
    const qualification = await qualifyToken(token, { ...OPTIONS, clock: steadyClock(300), callers: [1] });
    expect(qualification.isQualified).toBe(false);
    expect(formatQualification(qualification)).toContain('NOT QUALIFIED: slower than 250 ms with 1 callers.');
  });

  it('does not qualify a token that fails', async () => {
    const { token, card } = await open();
    card.fault = { name: 'CKR_DEVICE_ERROR', value: ck.CKR_DEVICE_ERROR };
    const qualification = await qualifyToken(token, { ...OPTIONS, clock: steadyClock(1), callers: [1] });
    expect(qualification.runs[0]?.failures).toEqual({ 'CU-111': 20 });
    expect(formatQualification(qualification)).toContain('20 of 20 failed with CU-111.');
    expect(formatQualification(qualification)).toContain('NOT QUALIFIED: signatures failed.');
  });

  it('does not qualify a token that begins to sign wrongly', async () => {
    const { token, card } = await open();
    const clock = steadyClock(1);
    let readings = 0;
    const watching = {
      ...clock,
      monotonic: () => {
        readings += 1;
        if (readings === 8) card.fault = 'wrongKey';
        return clock.monotonic();
      },
    };
    const qualification = await qualifyToken(token, { ...OPTIONS, clock: watching, callers: [1] });
    expect(qualification.runs[0]?.wrong).toBeGreaterThan(0);
    expect(formatQualification(qualification)).toContain('NOT QUALIFIED: signatures do not verify.');
  });
});

/** Goes on by `stepMs` at each reading. */
function steadyClock(stepMs: number) {
  let at = 0;
  return { now: () => 0, monotonic: () => (at += stepMs) };
}

async function open(options: FakeTokenOptions = {}): Promise<{ card: FakeToken; token: Pkcs11Token }> {
  const card = new FakeToken(options);
  const module = new Pkcs11Module(card.cryptoki, 'fake');
  module.initialize();
  const ref = { label: 'officer-A', serial: '0001' };
  const token = await openToken(module, ref, { pin: () => Promise.resolve(card.pin), removalNoticeMs: 0 });
  return { card, token };
}
