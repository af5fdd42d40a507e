// SPDX-License-Identifier: Apache-2.0
import { RefusedError } from '@witnessmark/core';
import { generateSoftwareKey, NoteSigner, type Signer } from '@witnessmark/custody';
import { describe, expect, it } from 'vitest';
import { CAST } from './support/cast.ts';
import { TestReleases, toRule } from './support/release.ts';
import { codeOf, toDevice, World } from './support/world.ts';

describe('a signing key that goes away during a unit', () => {
  it('LS-304: nothing is logged meanwhile, and the same event goes in once when it is back', async () => {
    let isAway = false;
    const { key } = CAST.evidence;
    const signer: Signer = {
      publicKey: key.publicKey,
      custody: 'hardware',
      sign: (message) =>
        isAway ? Promise.reject(new RefusedError('CU-155', 'custody does not answer')) : key.sign(message),
    };
    const world = await World.open({ line: { signer } });
    try {
      const intent = await world.begin(toDevice(1), await world.signIn());
      const event = await world.event(intent);
      const size = world.log.size;
      isAway = true;
      expect(await codeOf(world.line.submit(event.envelope))).toBe('LS-304');
      expect(await codeOf(world.line.submit(event.envelope))).toBe('LS-304');
      expect(world.log.size).toBe(size);
      isAway = false;
      const { index } = await world.line.submit(event.envelope);
      expect((await world.line.submit(event.envelope)).index).toBe(index);
      expect(world.log.size).toBe(size + 1);
    } finally {
      await world.close();
    }
  });

  it('the same when it is the key of the log', async () => {
    let isAway = false;
    const key = generateSoftwareKey('ed25519');
    const logKey: Signer = {
      publicKey: key.publicKey,
      custody: 'hardware',
      sign: (message) => (isAway ? Promise.reject(new RefusedError('CU-103', 'pulled')) : key.sign(message)),
    };
    const world = await World.open({ log: { signer: new NoteSigner('line.example/L1', logKey) } });
    try {
      const intent = await world.begin(toDevice(1), await world.signIn());
      const event = await world.event(intent);
      const size = world.log.size;
      isAway = true;
      expect(await codeOf(world.line.submit(event.envelope))).toBe('LS-304');
      expect(world.log.size).toBe(size);
      isAway = false;
      expect((await world.line.submit(event.envelope)).index).toBe(size);
    } finally {
      await world.close();
    }
  });
});

describe('A24: an order of 100', () => {
  it('is one hundred units by number; the 101st is refused, also when two ask at once', async () => {
    const releases = await TestReleases.create();
    releases.rules = [toRule({ maxUnits: 100 })];
    const world = await World.open({ releases });
    try {
      const session = await world.signIn();
      for (let number = 1; number < 100; number += 1) await world.provision(toDevice(number), session);
      const requests = [
        await world.permitRequest(toDevice(100), session),
        await world.permitRequest(toDevice(101), session),
      ];
      const outcomes = await Promise.allSettled(
        requests.map(async (request) => {
          const permit = await world.permit(request);
          const intent = await world.intent(request, permit);
          return world.line.submit(intent.envelope, { permit: permit.envelope });
        }),
      );
      expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
      const refused = outcomes.find((outcome) => outcome.status === 'rejected');
      expect(refused?.reason).toMatchObject({ code: 'LS-206' });
      expect(await world.store.views.releaseUse('gw-1.4.0', 'L1')).toBe(100);
      const late = await world.permitRequest(toDevice(102), session);
      expect(await codeOf(world.line.requestPermit(late.envelope))).toBe('LS-206');
    } finally {
      await world.close();
    }
  });
});
