// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { ReasonCode } from '@witnessmark/core';
import {
  fingerprintOfRequest,
  formatStationRequest,
  parseStationRequest,
  vetStationRequest,
  type StationRequest,
} from '@witnessmark/enrolment';
import {
  DAY_MS,
  enrolKey,
  MACHINE,
  makeRequest,
  newKey,
  newStationKeys,
  NOW,
  requestCertificate,
  STATION,
} from './support/station.ts';

const keys = newStationKeys();

/** As if the paper had been written from what is brought. */
function vet(request: StationRequest, now = NOW): ReturnType<typeof vetStationRequest> {
  return vetStationRequest(request, fingerprintOfRequest(request), now);
}

async function expectRefusal(request: Promise<StationRequest>, code: ReasonCode, detail: RegExp): Promise<void> {
  const made = await request;
  expect(() => vet(made)).toThrow(expect.objectContaining({ code, message: expect.stringMatching(detail) as string }));
}

describe('an enrolment request', () => {
  it('goes through its file, and names station, keys and machine', async () => {
    const request = parseStationRequest(formatStationRequest(await makeRequest(keys)));
    const vetted = vet(request);
    expect(vetted.enrolment).toMatchObject({ station: STATION, machine: MACHINE });
    expect(vetted.stationKey.keyid).toBe(keys.station.publicKey.keyid);
    expect(vetted.connectionKey?.keyid).toBe(keys.connection.publicKey.keyid);
    expect(vetted.claims.owner).toBe('ST-07');
  });

  it('needs no certificate on the machine of its line', async () => {
    expect(vet(await makeRequest(keys, { certificateRequest: null })).connectionKey).toBeNull();
  });

  it('A12 is not enrolled by another fingerprint, whoever signed it: there is no trust on first use', async () => {
    const [genuine, swapped] = [await makeRequest(keys), await makeRequest(newStationKeys())];
    const paper = fingerprintOfRequest(genuine);
    expect(() => vetStationRequest(swapped, paper, NOW)).toThrow(expect.objectContaining({ code: 'ID-122' }));
    expect(vetStationRequest(genuine, paper, NOW).digest).toBe(paper);
  });

  it('has a fingerprint of its own each time', async () => {
    const [one, other] = [await makeRequest(keys), await makeRequest(keys)];
    expect(fingerprintOfRequest(one)).not.toBe(fingerprintOfRequest(other));
  });

  it('A34 is signed with the key it enrols, or it is nothing', async () => {
    await expectRefusal(makeRequest(keys, {}, newKey()), 'ID-121', /not signed with the key/);
    const foreign = { ...(await enrolKey(keys.station)), signatures: (await enrolKey(newKey())).signatures };
    await expectRefusal(makeRequest(keys, { keyEnrolment: foreign }), 'ID-121', /not signed with the key/);
  });

  it.each([
    ['another owner', { owner: 'ST-08' }],
    ['another role', { role: 'operator' as const }],
    ['another line', { scope: 'L4' }],
    ['a use in the repository', { uses: ['root' as const] }],
  ])('is refused when its key enrolment names %s', async (_what, claims) => {
    await expectRefusal(
      makeRequest(keys, { keyEnrolment: await enrolKey(keys.station, claims) }),
      'ID-121',
      /not that of/,
    );
  });

  it('is refused when its parts come from two requests', async () => {
    const one = await makeRequest(keys);
    const later = await enrolKey(keys.station, { rehearsal: true });
    await expectRefusal(Promise.resolve({ ...one, keyEnrolment: later }), 'ID-121', /another one/);
    const other = newStationKeys();
    const about = makeRequest(keys, { stationKey: other.station.publicKey });
    await expectRefusal(about, 'ID-121', /about another key/);
  });

  it('is refused with one key for statements and connections', async () => {
    const same = makeRequest(keys, { certificateRequest: await requestCertificate(keys.station) });
    await expectRefusal(same, 'ID-121', /is its station key/);
  });

  it('is refused when the key of its connection did not sign', async () => {
    const der = (await requestCertificate(keys.connection)).slice();
    der[der.length - 1] = (der.at(-1) as number) ^ 1;
    await expectRefusal(
      makeRequest(keys, { certificateRequest: der }),
      'ID-121',
      /not signed with the key it is about/,
    );
  });

  it('lives fourteen days, and ten minutes before it was made', async () => {
    const request = await makeRequest(keys);
    expect(vet(request, NOW + 14 * DAY_MS).digest).toBeDefined();
    expect(vet(request, NOW - 600_000).digest).toBeDefined();
    const late = expect.objectContaining({ code: 'ID-123' }) as Error;
    expect(() => vet(request, NOW + 14 * DAY_MS + 1)).toThrow(late);
    expect(() => vet(request, NOW - 600_001)).toThrow(late);
  });

  it.each([
    ['nothing', ''],
    ['another type', '{"mediaType":"x","enrolment":{},"keyEnrolment":{}}'],
    [
      'a member too many',
      '{"mediaType":"application/vnd.witnessmark.station-request.v1+json","enrolment":{},"keyEnrolment":{},"x":1}',
    ],
    [
      'no envelope',
      '{"mediaType":"application/vnd.witnessmark.station-request.v1+json","enrolment":{},"keyEnrolment":{}}',
    ],
    ['more than 128 KiB', ' '.repeat(128 * 1024 + 1)],
  ])('is not read from %s', (_what, text) => {
    const read = (): StationRequest => parseStationRequest(new TextEncoder().encode(text));
    expect(read).toThrow(expect.objectContaining({ code: 'ERR_ENROLMENT_FORMAT' }));
  });
});
