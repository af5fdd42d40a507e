// SPDX-License-Identifier: Apache-2.0
/** On which machine a key belongs, and when it ends: by a retirement in the log, or by the trusted root. */
import { formatInstant, type Envelope } from '@witnessmark/core';
import {
  stationRetirement,
  type StationEnrolment,
  type StationRetirement,
  type StationStart,
} from '@witnessmark/attestation';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IdentityBook } from '../src/identity-book.ts';
import { KeyRing } from '../src/key-ring.ts';
import { checkPeer } from '../src/peer.ts';
import { stationEnrolmentRule } from '../src/site-records/station-identity.ts';
import type { ReadSiteRecord } from '../src/statements.ts';
import { CAST, PLACE, START, toTrustedRoot } from './support/cast.ts';
import type { Signed } from './support/signed.ts';
import { toDevice, World } from './support/world.ts';

const LONG = { notBefore: Date.UTC(2020, 0, 1), notAfter: Date.UTC(2049, 0, 1) };

let world: World;
beforeAll(async () => {
  world = await World.open();
});
afterAll(() => world.close());

describe('a station that ends', () => {
  it('is refused from the moment its retirement is logged, after a restart of the line too', async () => {
    const own = await World.open();
    try {
      const inUse = await own.signIn('secondStation');
      const permit = async (): Promise<Envelope> =>
        (await own.permitRequest(toDevice(1), inUse, {}, { station: 'secondStation' })).envelope;
      await expect(own.line.requestPermit(await permit())).resolves.toBeDefined();
      const ended = await retirementOf(own, 'secondStation');
      const { index } = await own.line.submit(ended.envelope);
      await expect(own.line.requestPermit(await permit())).rejects.toMatchObject({ code: 'ID-105' });
      // Delivered twice, it is one entry.
      await expect(own.line.submit(ended.envelope)).resolves.toMatchObject({ index });
      await own.restart();
      await expect(own.line.requestPermit(await permit())).rejects.toMatchObject({ code: 'ID-105' });
    } finally {
      await own.close();
    }
  });

  it('is ended by itself or by a supervisor, and by nobody else', async () => {
    const byOther = await retirementOf(world, 'secondStation', 'station');
    await expect(world.line.submit(byOther.envelope)).rejects.toMatchObject({ code: 'LS-507' });
    const byOperator = await retirementOf(world, 'secondStation', 'operator');
    await expect(world.line.submit(byOperator.envelope)).rejects.toMatchObject({ code: 'LS-507' });
    const inAnotherName = await retirementOf(world, 'secondStation', 'supervisor', { retiredBy: { id: 'ST-2' } });
    await expect(world.line.submit(inAnotherName.envelope)).rejects.toMatchObject({ code: 'LS-507' });
    const bySupervisor = await retirementOf(world, 'secondStation', 'supervisor');
    await expect(world.line.submit(bySupervisor.envelope)).resolves.toBeDefined();
  });
});

it('a trusted root that revokes a key ends the connections that name it', () => {
  const { keyid } = CAST.station.key.publicKey;
  const name = { id: 'ST-1', ...PLACE, keyid };
  const peer = { kind: 'station', name, ...LONG } as const;
  const root = toTrustedRoot();
  const judge = (revocations: typeof root.revocations): void => {
    const keys = new KeyRing({ ...root, revocations }, PLACE.line);
    const person = keys.find(CAST.operator.key.publicKey.keyid);
    if (person === null) throw new Error('the operator is enrolled');
    checkPeer(peer, person, { rules: PLACE, keys, now: START });
  };
  expect(() => {
    judge([]);
  }).not.toThrow();
  const revokedAt = formatInstant(START);
  expect(() => {
    judge([{ keyid, revokedAt, reason: 'retired' }]);
  }).toThrow(expect.objectContaining({ code: 'ID-105' }));
});

it('A12 a key stays on the machine and with the TPM it was enrolled with', () => {
  const book = new IdentityBook();
  const { keyid } = CAST.station.key.publicKey;
  const machine = { digest: 'ab'.repeat(32) };
  const enrolment = { machine, attestationKey: 'MFkw', station: { id: 'ST-1' } } as StationEnrolment;
  const observe = (predicate: StationEnrolment): void => {
    const record = { kind: 'siteRecord', rule: stationEnrolmentRule, id: 'e', digest: '', subject: keyid, predicate };
    book.observe(record as ReadSiteRecord, 1);
  };
  const start = (digest: string, attestationKey: string | null): StationStart =>
    ({
      keyDigest: { sha256: keyid },
      fingerprint: { sha256: digest },
      quote: attestationKey === null ? null : { attestationKey },
    }) as StationStart;
  const judge = (digest: string, attestationKey: string | null) => () => {
    book.demandEnrolledMachine(start(digest, attestationKey));
  };
  expect(judge('cd'.repeat(32), null)).not.toThrow();
  observe(enrolment);
  // A second enrolment of the key does not move it.
  observe({ ...enrolment, machine: { ...enrolment.machine, digest: 'cd'.repeat(32) } });
  const refused = expect.objectContaining({ code: 'ID-107' }) as Error;
  expect(judge(machine.digest, 'MFkw')).not.toThrow();
  expect(judge('cd'.repeat(32), 'MFkw')).toThrow(refused);
  expect(judge(machine.digest, null)).toThrow(refused);
  expect(judge(machine.digest, 'MFkx')).toThrow(refused);
});

function retirementOf(
  place: World,
  ended: 'secondStation',
  by: 'station' | 'secondStation' | 'supervisor' | 'operator' = ended,
  changes: Partial<StationRetirement> = {},
): Promise<Signed<StationRetirement>> {
  const { owner, key } = CAST[ended];
  const predicate: StationRetirement = {
    retirementId: place.newId(),
    station: { id: owner, ...PLACE },
    retiredBy: { id: CAST[by].owner },
    reason: 'replaced',
    retiredAt: formatInstant(place.clock.now()),
    ...changes,
  };
  const subject = { name: owner, digest: { sha256: key.publicKey.keyid } };
  return place.sign(stationRetirement, subject, predicate, CAST[by].key);
}
