// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { Bytes } from '@witnessmark/core';
import {
  buildStationAdmission,
  fingerprintOfRequest,
  formatStationAnswer,
  parseStationAnswer,
  verifyStationAnswer,
  vetStationRequest,
  type AdmissionFacts,
  type StationAnswer,
  type VettedRequest,
} from '@witnessmark/enrolment';
import {
  DAY_MS,
  issue,
  makeRequest,
  newKey,
  newStationKeys,
  NOW,
  sign,
  stationProfile,
  trusted,
} from './support/station.ts';

const keys = newStationKeys();
const [alex, anna, olga, authority] = [newKey(), newKey(), newKey(), newKey()];
const people = [trusted(alex, 'author', 'alex'), trusted(anna, 'approver', 'anna'), trusted(olga, 'operator', 'olga')];
const authorityDer = await issue(authority, { kind: 'authority' }, authority);

async function vetted(): Promise<VettedRequest> {
  const request = await makeRequest(keys);
  return vetStationRequest(request, fingerprintOfRequest(request), NOW);
}
const request = await vetted();

interface Answering extends Partial<AdmissionFacts> {
  readonly by?: typeof alex;
  readonly own?: Bytes;
}

async function answer({ by = alex, own, ...facts }: Answering = {}): Promise<StationAnswer> {
  const certificate = {
    own: own ?? (await issue(authority, stationProfile(keys), keys.connection)),
    authority: authorityDer,
  };
  const payload = buildStationAdmission({
    request,
    changeId: 'T-0001',
    certificate,
    admittedBy: 'alex',
    now: NOW,
    ...facts,
  });
  return { admission: await sign(payload, by) };
}

function verify(given: StationAnswer, now = NOW): ReturnType<typeof verifyStationAnswer> {
  return verifyStationAnswer(parseStationAnswer(formatStationAnswer(given)), request, { keys: people, now });
}

describe('the answer to an enrolment', () => {
  it('is installed when an author or approver signed it for this very request', async () => {
    expect(verify(await answer())).toMatchObject({
      admission: { changeId: 'T-0001' },
      certificate: { authority: authorityDer },
    });
    expect(verify(await answer({ by: anna, admittedBy: 'anna' })).admission.admittedBy.id).toBe('anna');
  });

  it.each<[string, () => Promise<StationAnswer>]>([
    ['a stranger signed', () => answer({ by: newKey() })],
    ['an operator signed', () => answer({ by: olga, admittedBy: 'olga' })],
    ['one person signed in the name of another', () => answer({ by: anna })],
    ['it answers an earlier request', async () => answer({ request: await vetted() })],
    ['it brings no certificate', () => answer({ certificate: null })],
    [
      'its certificate is for another key',
      async () => answer({ own: await issue(authority, stationProfile(keys), newKey()) }),
    ],
    [
      'its certificate names another station',
      async () => answer({ own: await issue(authority, stationProfile(keys, { id: 'ST-08' }), keys.connection) }),
    ],
    [
      'its certificate names another line',
      async () => answer({ own: await issue(authority, stationProfile(keys, { line: 'L4' }), keys.connection) }),
    ],
    [
      'its certificate names another station key',
      async () => answer({ own: await issue(authority, stationProfile(newStationKeys()), keys.connection) }),
    ],
    [
      'another authority issued its certificate',
      async () => answer({ own: await issue(newKey(), stationProfile(keys), keys.connection) }),
    ],
    [
      'its certificate is one of a server',
      async () => answer({ own: await issue(authority, { kind: 'line', hosts: ['localhost'] }, keys.connection) }),
    ],
    [
      'its certificate ran out',
      async () =>
        answer({ own: await issue(authority, stationProfile(keys), keys.connection, { notAfter: NOW - 1000 }) }),
    ],
    [
      'its certificate begins tomorrow',
      async () =>
        answer({ own: await issue(authority, stationProfile(keys), keys.connection, { notBefore: NOW + DAY_MS }) }),
    ],
    ['its certificate is none', () => answer({ own: new Uint8Array([0x30, 0]) })],
  ])('is refused when %s', async (_what, make) => {
    const given = await make();
    expect(() => verify(given)).toThrow(expect.objectContaining({ code: 'ID-124' }));
  });

  it('is refused when it was damaged on its way', async () => {
    const { admission } = await answer();
    const payload = Uint8Array.from(admission.payload);
    payload[payload.length - 3] = (payload.at(-3) as number) ^ 1;
    expect(() => verify({ admission: { ...admission, payload } })).toThrow(expect.objectContaining({ code: 'ID-124' }));
  });
});
