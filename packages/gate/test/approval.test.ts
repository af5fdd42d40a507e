// SPDX-License-Identifier: Apache-2.0
import { decodeUtf8, encodeUtf8 } from '@witnessmark/core';
import type { Signer } from '@witnessmark/custody';
import { beforeEach, describe, expect, it } from 'vitest';
import { GATE_LIMITS } from '../src/index.ts';
import { createOffice, HOUR, KEYS, NOW, type KeyName, type Office } from './support/office.ts';

let office: Office;
beforeEach(async () => {
  office = await createOffice();
});

describe('an approval', () => {
  beforeEach(async () => {
    await office.propose();
  });

  const refused = (code: string, name: KeyName, change: Parameters<Office['approve']>[1] = {}) =>
    expect(office.approve(name, change)).rejects.toMatchObject({ code });

  it('A26 is refused for the author, whatever card he uses (PL-101)', async () => {
    await refused('PL-101', 'danaApprover');
    await refused('PL-105', 'dana');
  });

  it('A27 is refused for the second card of a person (PL-102)', async () => {
    await office.approve('rossi');
    await refused('PL-102', 'rossi2');
    expect(await office.gate.status('P-0001')).toMatchObject({ state: 'waiting', missing: { people: 1 } });
    // The twin: another person.
    expect(await office.approve('meyer')).toMatchObject({ state: 'promoted' });
  });

  it('A28 is refused for the same card again (PL-102)', async () => {
    await office.approve('meyer');
    await refused('PL-102', 'meyer');
  });

  it('is refused after the proposal ran out, and accepted in its last millisecond (PL-104)', async () => {
    office.clock.instant = NOW + GATE_LIMITS.proposalLifetimeMs - 1;
    await office.approve('meyer');
    office.clock.instant += 1;
    await refused('PL-104', 'rossi');
    expect(await office.gate.status('P-0001')).toMatchObject({ state: 'expired', code: 'PL-104' });
  });

  it('is refused for a key that is no approver or not valid now (PL-105)', async () => {
    for (const name of ['stranger', 'operator', 'kim', 'online'] as const) await refused('PL-105', name);
  });

  it('is refused for a denied release (PL-107)', async () => {
    await office.approve('meyer');
    const denial = { promotionId: 'P-0001', signer: KEYS.abe, meaning: 'test LT-2290 is red', ticket: 'ECO-7731' };
    expect(await office.gate.deny(denial)).toMatchObject({ state: 'denied', code: 'PL-107' });
    await refused('PL-107', 'rossi');
    await expect(office.gate.publish('P-0001')).rejects.toMatchObject({ code: 'PL-107' });
    await expect(office.gate.deny({ ...denial, signer: KEYS.operator })).rejects.toMatchObject({ code: 'PL-105' });
  });

  it('may be taken back as long as the release is not published', async () => {
    await office.approve('meyer');
    const denial = { promotionId: 'P-0001', signer: KEYS.meyer, meaning: 'second thoughts', ticket: 'ECO-7731' };
    expect(await office.gate.deny(denial)).toMatchObject({ state: 'denied', decisions: [{ decision: 'deny' }] });
  });

  it.each(['', '9', 'xyz', '0000'])('is refused when %j was typed (PL-109)', async (typedDigestPrefix) => {
    const digest = (await office.gate.status('P-0001')).proposal!.candidateDigest;
    if (!digest.startsWith(typedDigestPrefix) || typedDigestPrefix.length < 4) {
      await refused('PL-109', 'meyer', { typedDigestPrefix });
    }
    await refused('PL-109', 'meyer', { typedDigestPrefix: digest.slice(0, 3) });
    await refused('PL-109', 'meyer', { typedDigestPrefix: `${digest}0` });
    await office.approve('meyer', { typedDigestPrefix: digest });
  });

  it('of enough people without a required role does not publish (PL-110), nor do too few (PL-106)', async () => {
    await office.approve('meyer');
    await expect(office.gate.publish('P-0001')).rejects.toMatchObject({ code: 'PL-106' });
    expect(await office.approve('abe')).toMatchObject({
      state: 'waiting',
      missing: { people: 0, roles: ['security'] },
    });
    await expect(office.gate.publish('P-0001')).rejects.toMatchObject({ code: 'PL-110' });
    expect(await office.approve('rossi')).toMatchObject({ state: 'promoted' });
  });

  it('is refused for an unknown promotion (PL-112)', async () => {
    for (const promotionId of ['P-0002', 'P-1', '../P-0001', '']) {
      await expect(
        office.gate.approve({ promotionId, signer: KEYS.meyer, meaning: 'x', ticket: 'x', typedDigestPrefix: '0000' }),
      ).rejects.toMatchObject({ code: 'PL-112' });
    }
  });

  it('is refused for a release that is published (PL-113)', async () => {
    await office.approve('meyer');
    await office.approve('rossi');
    await refused('PL-113', 'abe');
    await expect(
      office.gate.deny({ promotionId: 'P-0001', signer: KEYS.abe, meaning: 'late', ticket: 'x' }),
    ).rejects.toMatchObject({ code: 'PL-113' });
  });

  it('is refused when another release was published since (PL-115)', async () => {
    await office.propose({ version: '4.3.0', releaseCounter: 42 });
    await office.approve('meyer', { promotionId: 'P-0002' });
    await office.approve('rossi', { promotionId: 'P-0002' });
    await refused('PL-115', 'meyer');
    expect(await office.gate.status('P-0001')).toMatchObject({ state: 'overtaken', code: 'PL-115' });
    await expect(office.gate.review('P-0001')).rejects.toMatchObject({ code: 'PL-115' });
  });

  it('runs out by itself when others take too long', async () => {
    await office.approve('meyer');
    // The proposal is as old as the approval: both run out in the same moment.
    office.clock.instant = NOW + GATE_LIMITS.approvalLifetimeMs;
    expect(await office.gate.status('P-0001')).toMatchObject({
      state: 'expired',
      decisions: [{ person: 'l.meyer', objection: 'it ran out' }],
    });
  });

  it('stops counting when its key runs out before enough people approved', async () => {
    await office.approve('lee');
    office.clock.instant += HOUR;
    expect(await office.approve('meyer')).toMatchObject({
      state: 'waiting',
      missing: { people: 1, roles: ['security'] },
    });
    expect((await office.gate.status('P-0001')).decisions).toMatchObject([
      { person: 'b.lee', objection: 'the key is not valid any more' },
      { person: 'l.meyer', objection: null },
    ]);
  });

  it('is refused when the key of the author ran out since (PL-116)', async () => {
    await office.propose({ author: KEYS.eve, version: '4.3.0', releaseCounter: 42 });
    await office.approve('meyer', { promotionId: 'P-0002' });
    office.clock.instant += HOUR;
    await refused('PL-116', 'rossi', { promotionId: 'P-0002' });
  });

  it('A29 is not stored when the token signed other bytes', async () => {
    const liar = (isLying: (message: Uint8Array) => boolean): Signer => ({
      publicKey: KEYS.meyer.publicKey,
      custody: 'hardware',
      sign: (message) => KEYS.meyer.sign(isLying(message) ? encodeUtf8('digest B') : message),
    });
    const isStatement = (message: Uint8Array): boolean => decodeUtf8(message).startsWith('DSSEv1');
    for (const signer of [liar(isStatement), liar((message) => !isStatement(message))]) {
      await expect(office.approve('meyer', { signer })).rejects.toMatchObject({ code: 'ERR_GATE_SIGNATURE' });
    }
    expect((await office.gate.status('P-0001')).decisions).toEqual([]);
    expect(await office.approve('meyer', { signer: liar(() => false) })).toMatchObject({
      decisions: [{ person: 'l.meyer' }],
    });
  });

  it('is made alone: a second change at the same time is told to wait', async () => {
    const begun = Promise.withResolvers<undefined>();
    const mayEnd = Promise.withResolvers<undefined>();
    const slow = office.open({
      onStatement: () => {
        begun.resolve(undefined);
        return mayEnd.promise;
      },
    });
    const first = office.approve('meyer', {}, slow);
    await begun.promise;
    await refused('ERR_GATE_BUSY', 'rossi');
    mayEnd.resolve(undefined);
    await first;
    expect(await office.approve('rossi')).toMatchObject({ state: 'promoted' });
  });
});
