// SPDX-License-Identifier: Apache-2.0
import { formatEnvelope } from '@witnessmark/core';
import { parseStatementHeader } from '@witnessmark/attestation';
import { parseUnitEvidence, type UnitEvidence } from '@witnessmark/bundle';
import { parseLogProof, verifyLogProof } from '@witnessmark/tlog';
import { afterEach, describe, expect, it } from 'vitest';
import { LOG_SIGNER } from './support/cast.ts';
import { codeOf, toDevice, World } from './support/world.ts';

let world: World;
afterEach(() => world.close());

async function evidenceOf(unit: string): Promise<UnitEvidence> {
  const bytes = await world.line.unitEvidence(unit);
  return parseUnitEvidence(bytes!);
}

function kindsOf({ entries }: UnitEvidence): readonly string[] {
  return entries.map(
    ({ envelope }) => parseStatementHeader(envelope.payload).predicateType.split('/').at(-2) as string,
  );
}

describe('the unit evidence file', () => {
  it('holds sessions, chain, refusals and decisions in log order, each proven, and the release with its approvals', async () => {
    world = await World.open();
    const device = toDevice(1);
    const stranger = await world.signIn('secondStation', 'secondOperator');
    await world.begin(toDevice(2), stranger, 'secondStation');
    const session = await world.signIn();
    await world.provision(device, session, { outcome: 'FAILED', code: 'UF-02' });
    const refused = await world.permitRequest(device, session, { releaseId: 'gw-0.9' });
    expect(await codeOf(world.line.requestPermit(refused.envelope))).toBe('LS-203');
    const later = await world.signIn('station', 'secondOperator');
    await world.provision(device, later);
    const again = await world.permitRequest(device, later);
    expect(await codeOf(world.line.requestPermit(again.envelope))).toBe('LS-102');
    await world.line.submit((await world.disposition(await world.onlyStop(), { action: 'releaseStation' })).envelope);

    const evidence = await evidenceOf(device.serial);
    expect(evidence).toMatchObject({ serial: device.serial, deviceId: device.deviceId });
    expect(kindsOf(evidence)).toEqual([
      'operator-session',
      'provisioning-intent',
      'provisioning-event',
      'refusal',
      'operator-session',
      'provisioning-intent',
      'provisioning-event',
      'refusal',
      'disposition',
    ]);
    for (const { envelope, proof } of evidence.entries) {
      const checkpoint = verifyLogProof(formatEnvelope(envelope), parseLogProof(proof), LOG_SIGNER.verifierKey);
      expect(checkpoint.treeSize).toBe(world.log.size);
    }
    expect(evidence.releases.map(({ approvals }) => approvals.length)).toEqual([2]);
    expect(await evidenceOf(device.deviceId)).toEqual(evidence);
  });

  it('of a unit nobody knows does not exist', async () => {
    world = await World.open();
    expect(await world.line.unitEvidence(toDevice(1).serial)).toBeNull();
  });

  it('of a unit with more refusals than a file holds keeps the whole chain and the newest of them', async () => {
    world = await World.open({ rules: { refusalsPerMinute: 10_000 } });
    const device = toDevice(1);
    const session = await world.signIn();
    await world.provision(device, session);
    const refusals = await Promise.all(
      Array.from({ length: 1001 }, () => world.stationRefusal({ deviceId: device.deviceId })),
    );
    await Promise.all(refusals.map(({ envelope }) => world.line.submit(envelope)));
    const kinds = kindsOf(await evidenceOf(device.serial));
    expect(kinds).toHaveLength(1000);
    expect(kinds.slice(0, 4)).toEqual(['operator-session', 'provisioning-intent', 'provisioning-event', 'refusal']);
  });

  it('says nothing of a release that the repository no longer has', async () => {
    world = await World.open();
    await world.provision(toDevice(1), await world.signIn());
    world.releases.releases.clear();
    expect((await evidenceOf(toDevice(1).serial)).releases).toEqual([]);
  });
});
