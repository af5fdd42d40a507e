// SPDX-License-Identifier: Apache-2.0
/** I12: what the office refuses is evidence; a flood of it is a sum. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  gateRefusal,
  parseStatement,
  PREDICATE_TYPES,
  readPredicateType,
  type GateRefusal,
} from '@witnessmark/attestation';
import { findSigners, WitnessmarkError } from '@witnessmark/core';
import { generateSoftwareKey } from '@witnessmark/custody';
import { beforeEach, describe, expect, it } from 'vitest';
import { GATE_LIMITS, type Gate, type GateOptions } from '../src/index.ts';
import { createOffice, KEYS, SITE, type Office } from './support/office.ts';

const OFFICE_KEY = generateSoftwareKey('ecdsa-sha2-nistp256');

let office: Office;
let gate: Gate;
let ids: number;
beforeEach(async () => {
  office = await createOffice();
  ids = 0;
  gate = open();
});

/** As every command does: a gate of its own, with nothing remembered but what is on disk. */
function open(change: Partial<GateOptions> = {}): Gate {
  const newId = (): string => `00000000-0000-7000-8000-${String((ids += 1)).padStart(12, '0')}`;
  return office.open({ refusals: { signer: OFFICE_KEY, newId }, ...change });
}

function refusals(): readonly GateRefusal[] {
  const logged = office.statements.filter(({ payload }) => readPredicateType(payload) === PREDICATE_TYPES.gateRefusal);
  for (const envelope of logged) expect(findSigners(envelope, [OFFICE_KEY.publicKey])).toHaveLength(1);
  return logged.map(({ payload }) => parseStatement(gateRefusal, payload).predicate);
}

describe('I12 a refusal of the gate', () => {
  it('is on record with its code before it is answered, and names nobody who only held up a key', async () => {
    await gate.propose((await proposalOf()).request);
    await expect(office.approve('danaApprover', {}, gate)).rejects.toMatchObject({ code: 'PL-101' });
    await expect(office.approve('stranger', {}, gate)).rejects.toMatchObject({ code: 'PL-105' });
    await expect(gate.review('P-0007')).rejects.toMatchObject({ code: 'PL-112' });
    expect(refusals()).toMatchObject([
      { action: 'approve', code: 'PL-101', about: 'P-0001', requestedBy: null, site: SITE, count: 1 },
      { action: 'approve', code: 'PL-105', about: 'P-0001', requestedBy: null },
      { action: 'review', code: 'PL-112', about: 'P-0007', requestedBy: null },
    ]);
  });

  it('names who asked when a signature proves it', async () => {
    await gate.propose((await proposalOf()).request);
    await office.approve('meyer', {}, gate);
    const decision = readFileSync(gate.decisionPath('P-0001', KEYS.meyer.publicKey.keyid));
    await expect(gate.submit('P-0001', decision)).rejects.toMatchObject({ code: 'PL-102' });
    const { keyid } = KEYS.meyer.publicKey;
    expect(refusals()).toMatchObject([
      { action: 'submit', code: 'PL-102', requestedBy: { id: 'l.meyer', role: 'approver', keyid } },
    ]);
    // Somebody else's name on it proves nothing.
    const forged = decision.toString().replaceAll('"sig":"', '"sig":"AA');
    await expect(gate.submit('P-0001', Buffer.from(forged))).rejects.toThrow(WitnessmarkError);
    expect(refusals().filter(({ requestedBy }) => requestedBy !== null)).toHaveLength(1);
  });

  it('is summed up when there are many: the log grows by a bounded number in a window', async () => {
    const { refusalsPerWindow, refusalWindowMs } = GATE_LIMITS;
    const flood = async (count: number): Promise<void> => {
      for (let number = 0; number < count; number += 1) {
        office.clock.instant += 1;
        await expect(open().publish(`P-${number % 2 === 0 ? '0008' : '0009'}`)).rejects.toMatchObject({
          code: 'PL-112',
        });
      }
    };
    await flood(refusalsPerWindow);
    expect(refusals()).toHaveLength(refusalsPerWindow);
    await flood(7);
    await expect(
      open().withdraw({ releaseId: 'x', signer: KEYS.stranger, reason: 'r', ticket: 't' }),
    ).rejects.toMatchObject({ code: 'PL-105' });
    expect(refusals()).toHaveLength(refusalsPerWindow);
    office.clock.instant += refusalWindowMs;
    await expect(open().publish('P-0001')).rejects.toMatchObject({ code: 'PL-112' });
    expect(refusals().slice(refusalsPerWindow)).toMatchObject([
      { action: 'publish', code: 'PL-112', count: 8, about: null, detail: 'publish PL-112 × 7, withdraw PL-105 × 1' },
      { action: 'publish', code: 'PL-112', count: 1, about: 'P-0001' },
    ]);
  });

  it('at the limit is logged, beyond it is counted, and the sum comes with the next change', async () => {
    for (let number = 0; number <= GATE_LIMITS.refusalsPerWindow; number += 1) {
      await expect(open().publish('P-0009')).rejects.toMatchObject({ code: 'PL-112' });
    }
    expect(refusals().every(({ count }) => count === 1)).toBe(true);
    office.clock.instant += GATE_LIMITS.refusalWindowMs;
    await open().refresh();
    expect(refusals().at(-1)).toMatchObject({ count: 1, about: null });
    await open().refresh();
    expect(refusals()).toHaveLength(GATE_LIMITS.refusalsPerWindow + 1);
  });

  it('I17 that was being summed up when the power went is the same statement again', async () => {
    for (let number = 0; number <= GATE_LIMITS.refusalsPerWindow; number += 1) {
      await expect(open().publish('P-0009')).rejects.toMatchObject({ code: 'PL-112' });
    }
    office.clock.instant += GATE_LIMITS.refusalWindowMs;
    const memory = join(office.base, 'gate/refusals.json');
    const before = readFileSync(memory);
    await open().refresh();
    writeFileSync(memory, before);
    await open().refresh();
    const [first, second] = refusals().slice(-2);
    expect(second).toEqual(first);
  });

  it('stays a "no" when it cannot be recorded, or the memory of refusals is damaged', async () => {
    const failing = open({
      onStatement: () => Promise.reject(new WitnessmarkError('ERR_GATE_FILE', 'the disk is full')),
    });
    await expect(failing.publish('P-0009')).rejects.toMatchObject({ code: 'PL-112' });
    writeFileSync(join(office.base, 'gate/refusals.json'), '{"logged":-1}');
    await expect(open().publish('P-0009')).rejects.toMatchObject({ code: 'ERR_GATE_FILE' });
    expect(refusals()).toEqual([]);
  });
});

async function proposalOf() {
  const { proposal } = await import('./support/office.ts');
  return { request: proposal(office.image()) };
}
