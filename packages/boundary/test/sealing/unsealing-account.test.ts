// SPDX-License-Identifier: Apache-2.0
import {
  buildStatement,
  deviceSubject,
  imageUnsealing,
  provisioningIntent,
  type ImageUnsealing,
  type ProvisioningIntent,
} from '@witnessmark/attestation';
import { UnsealingAccount, type UnsealingReconciliation } from '@witnessmark/boundary';
import { encodeUtf8, type Bytes } from '@witnessmark/core';
import { beforeEach, describe, expect, it } from 'vitest';
import { CALENDAR } from '../../../../testing/world/src/evidence/cast.ts';
import {
  draftIntent,
  draftManifest,
  draftSession,
  IdSource,
  testDevice,
} from '../../../../testing/world/src/evidence/drafts.ts';

const DIGEST = 'ab'.repeat(32);
const ids = new IdSource();
const manifest = draftManifest();

let log: Bytes[];

beforeEach(() => {
  log = [];
});

/** The intent and the unsealing of one pass. */
function draftPass(): { readonly intent: ProvisioningIntent; readonly unsealing: ImageUnsealing } {
  const intent = draftIntent({
    ids,
    device: testDevice('one'),
    manifest,
    candidateDigest: DIGEST,
    session: draftSession(ids.next(), DIGEST),
    sessionDigest: DIGEST,
    chain: { seq: 1, previousEventDigest: null },
    attempt: 1,
    at: CALENDAR.intendedAt,
  });
  const { identity, product, release, operator, environment, event, permitDigest, timing, station } = intent;
  const unsealing: ImageUnsealing = {
    id: ids.next(),
    transactionId: event.transactionId,
    identity,
    product,
    release,
    images: [{ name: 'images/a', digest: { sha256: DIGEST }, sealedDigest: { sha256: DIGEST } }],
    transportKey: 'AAAA',
    permitDigest,
    station: { id: station.id, line: station.line, plant: station.plant },
    operator,
    requestedAt: timing.intendedAt,
    clock: timing.clock,
    environment,
  };
  return { intent, unsealing };
}

function logIntent(intent: ProvisioningIntent): void {
  log.push(buildStatement(provisioningIntent, deviceSubject(intent.identity.deviceId), intent));
}

function logUnsealing(unsealing: ImageUnsealing): void {
  log.push(buildStatement(imageUnsealing, deviceSubject(unsealing.identity.deviceId), unsealing));
}

function reconcile(isSealed = true): UnsealingReconciliation {
  const account = new UnsealingAccount();
  for (const [index, payload] of log.entries()) account.observe(index, payload);
  return account.reconcile(() => isSealed);
}

function codes(): readonly string[] {
  return reconcile().findings.map(({ code, object }) => `${code} ${object}`);
}

describe('unsealings against units', () => {
  it('balance when every pass was unsealed for, once and before', () => {
    for (let count = 0; count < 3; count += 1) {
      const { intent, unsealing } = draftPass();
      logUnsealing(unsealing);
      logIntent(intent);
    }
    expect(reconcile()).toEqual({ unsealings: 3, units: 3, findings: [] });
  });

  it('do not count units of releases in clear', () => {
    logIntent(draftPass().intent);
    expect(reconcile(false)).toEqual({ unsealings: 0, units: 0, findings: [] });
  });

  it('BX-211: a unit of a sealed release that nobody unsealed for', () => {
    logIntent(draftPass().intent);
    expect(codes()).toEqual(['BX-211 entry 0']);
  });

  it('BX-211: a unit that was unsealed for only afterwards', () => {
    const { intent, unsealing } = draftPass();
    logIntent(intent);
    logUnsealing(unsealing);
    expect(codes()).toEqual(['BX-211 entry 0', 'BX-212 entry 1']);
  });

  it.each<[string, (unsealing: ImageUnsealing) => ImageUnsealing]>([
    ['another station', (unsealing) => ({ ...unsealing, station: { ...unsealing.station, id: 'ST-99' } })],
    [
      'another session',
      (unsealing) => ({
        ...unsealing,
        operator: { ...unsealing.operator, sessionDigest: { sha256: 'cd'.repeat(32) } },
      }),
    ],
    [
      'another device',
      (unsealing) => ({ ...unsealing, identity: { ...unsealing.identity, deviceId: 'ef'.repeat(32) } }),
    ],
    ['another release', (unsealing) => ({ ...unsealing, release: { ...unsealing.release, id: 'gw-9.9.9' } })],
  ])('BX-211: an unsealing for %s accounts for nothing', (_, change) => {
    const { intent, unsealing } = draftPass();
    logUnsealing(change(unsealing));
    logIntent(intent);
    expect(codes()).toEqual(['BX-211 entry 1', 'BX-212 entry 0']);
  });

  it('BX-212: a content key that no unit was made with', () => {
    logUnsealing(draftPass().unsealing);
    const { findings } = reconcile();
    expect(findings.map(({ code }) => code)).toEqual(['BX-212']);
    expect(findings[0]!.detail).toContain('no unit was begun with it');
  });

  it('BX-213: two for one pass', () => {
    const { intent, unsealing } = draftPass();
    logUnsealing(unsealing);
    logUnsealing({ ...unsealing, id: ids.next() });
    logIntent(intent);
    expect(codes()).toEqual(['BX-213 entry 1']);
  });

  it('pass over what is neither, and what cannot be read', () => {
    log.push(encodeUtf8('no statement'), encodeUtf8('{}'));
    expect(reconcile()).toEqual({ unsealings: 0, units: 0, findings: [] });
  });
});
