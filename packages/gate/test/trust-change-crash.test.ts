// SPDX-License-Identifier: Apache-2.0
/** I17: a change of the keys, an exception and a refusal survive a power cut at every write, rename and sync. */
import { cpSync } from 'node:fs';
import { formatEnvelope, type Envelope } from '@witnessmark/core';
import { generateSoftwareKey } from '@witnessmark/custody';
import { buildSampleImage } from '@witnessmark/device';
import { beforeAll, describe, expect, it } from 'vitest';
import { CounterExceptions, makeEnrolment, TrustChanges } from '../src/index.ts';
import { createOffice, KEYS, NOW, officeAt, scratch, type Office } from './support/office.ts';
import { everyFault, faultyFiles, PowerCut } from '../../trust/test/support/faulty-files.ts';

type Files = NonNullable<Parameters<typeof officeAt>[2]>;

let empty: Office;
let enrolment: Envelope;
const novak = generateSoftwareKey('ecdsa-sha2-nistp256');
beforeAll(async () => {
  empty = await createOffice(undefined, ['meyer', 'rossi', 'abe']);
  const claims = { owner: 'e.novak', role: 'approver', scope: 'security', uses: ['root', 'targets'] } as const;
  const kept = { custodyGrade: 'asserted', attestation: null, rehearsal: false, token: null } as const;
  enrolment = await makeEnrolment({ ...claims, uses: [...claims.uses], ...kept }, novak, NOW);
  expect(formatEnvelope(enrolment).length).toBeGreaterThan(0);
});

function copy(office: Office, files?: Files): Office {
  const base = scratch();
  cpSync(office.base, base, { recursive: true });
  return officeAt(base, office.initialRoot, files);
}

const changesOf = (office: Office): TrustChanges => new TrustChanges(office.options);

const propose = (office: Office) =>
  changesOf(office).propose({ proposer: KEYS.dana, ticket: 'SEC-7', reason: 'joins', enrolments: [enrolment] });

async function sign(office: Office, signer: (typeof KEYS)['meyer']) {
  const { digest } = await changesOf(office).status('T-0001');
  const text = { meaning: 'seen', ticket: 'SEC-7', typedDigestPrefix: (digest ?? '').slice(0, 4) };
  return changesOf(office).sign({ changeId: 'T-0001', signer, ...text });
}

/** Cuts the power everywhere in `step`, and lets `check` look at what is left. */
async function sweep(
  before: Office,
  step: (office: Office) => Promise<unknown>,
  check: (office: Office) => Promise<string>,
): Promise<readonly string[]> {
  const counted = faultyFiles(-1, 'before');
  await step(copy(before, counted));
  const outcomes = new Set<string>();
  for (const [at, fault] of everyFault(counted.calls)) {
    const cut = copy(before, faultyFiles(at, fault));
    await expect(step(cut)).rejects.toThrow(PowerCut);
    outcomes.add(await check(officeAt(cut.base, cut.initialRoot)));
  }
  return [...outcomes].sort();
}

describe('a change of the keys', () => {
  it('is proposed whole or not at all', async () => {
    const outcomes = await sweep(empty, propose, async (office) => {
      const found = await changesOf(office).list();
      if (found.length === 0) await propose(office);
      expect(await changesOf(office).review('T-0001')).toMatchObject({ status: { state: 'waiting' } });
      return String(found.length);
    });
    expect(outcomes).toEqual(['0', '1']);
  }, 120_000);

  it('is signed by a holder or not, and signed again after a cut', async () => {
    const proposed = copy(empty);
    await propose(proposed);
    const outcomes = await sweep(
      proposed,
      (office) => sign(office, KEYS.meyer),
      async (office) => {
        const { decisions } = await changesOf(office).status('T-0001');
        if (decisions.length === 0) await sign(office, KEYS.meyer);
        expect(await changesOf(office).status('T-0001')).toMatchObject({ missing: { root: { before: 1, after: 1 } } });
        return String(decisions.length);
      },
    );
    expect(outcomes).toEqual(['0', '1']);
  }, 120_000);

  it('is published to every client wholly or not at all, old station or new', async () => {
    const signed = copy(empty);
    await propose(signed);
    await sign(signed, KEYS.meyer);
    await sign(signed, KEYS.rossi);
    const outcomes = await sweep(
      signed,
      (office) => changesOf(office).publish('T-0001'),
      async (office) => {
        const before = await office.client().update(NOW);
        const { state } = await changesOf(office).status('T-0001');
        expect(await changesOf(office).publish('T-0001')).toMatchObject({ state: 'published' });
        const after = await office.client().update(NOW);
        expect(after).toMatchObject({ rootVersion: 2, targetsVersion: 2 });
        return `${state}, root ${before.rootVersion}, targets ${before.targetsVersion}`;
      },
    );
    // The root comes last: between the two, what is published verifies under the old root as well.
    expect(outcomes).toContain('approved, root 1, targets 2');
    expect(outcomes).toContain('approved, root 1, targets 1');
    expect(outcomes).toContain('published, root 2, targets 2');
    expect(outcomes.every((text) => !text.startsWith('published, root 1, targets 1'))).toBe(true);
  }, 120_000);
});

describe('an exception', () => {
  it('is there or not after a cut, with the signatures it had', async () => {
    const released = copy(empty);
    await released.propose();
    await released.approve('meyer');
    await released.approve('rossi');
    const older = buildSampleImage({ sizeBytes: 4096, version: '4.2.2', securityCounter: 12, seed: 'old' });
    const request = (office: Office) =>
      new CounterExceptions(office.options).request({
        imagePath: office.image(older),
        sku: 'GW-210',
        reason: 'radio',
        ticket: 'REL-92',
        author: KEYS.dana,
      });
    const outcomes = await sweep(released, request, async (office) => {
      const found = await new CounterExceptions(office.options).list();
      if (found.length === 0) await request(office);
      return String(found.length);
    });
    expect(outcomes).toEqual(['0', '1']);
  }, 120_000);
});

describe('a refusal', () => {
  it('is answered with its code, or with the fault that kept it from being recorded; the next one is recorded', async () => {
    const refusals = { signer: generateSoftwareKey('ecdsa-sha2-nistp256'), newId: () => crypto.randomUUID() };
    const publish = (office: Office): Promise<unknown> => office.open({ refusals }).publish('P-0009');
    const counted = faultyFiles(-1, 'before');
    await expect(publish(copy(empty, counted))).rejects.toMatchObject({ code: 'PL-112' });
    expect(counted.calls.length).toBeGreaterThan(0);
    for (const [at, fault] of everyFault(counted.calls)) {
      const cut = copy(empty, faultyFiles(at, fault));
      await expect(publish(cut)).rejects.toThrow(PowerCut);
      const office = officeAt(cut.base, cut.initialRoot);
      await expect(publish(office)).rejects.toMatchObject({ code: 'PL-112' });
      expect(office.statements).toHaveLength(1);
    }
  });
});
