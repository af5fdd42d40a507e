// SPDX-License-Identifier: Apache-2.0
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatTrustedRoot, parseTrustedRoot, toTrustedKeys, type KeyRole } from '@witnessmark/attestation';
import { decodeUtf8, formatEnvelope, parseEnvelope, type Envelope } from '@witnessmark/core';
import { generateSoftwareKey, SoftwareKey, type Signer } from '@witnessmark/custody';
import { mirror, readRelease, TrustClient, TRUSTED_ROOT_PATH, verifyRelease } from '@witnessmark/trust';
import { createPrivateKey } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  makeEnrolment,
  TrustChanges,
  type EnrolmentClaims,
  type TrustChangeRequest,
  type TrustChangesOptions,
  type TrustChangeStatus,
} from '../src/index.ts';
import {
  createOffice,
  DAY,
  HOUR,
  KEYS,
  NOW,
  RULE,
  scratch,
  SITE,
  type KeyName,
  type Office,
} from './support/office.ts';

let office: Office;
let changes: TrustChanges;
beforeEach(async () => {
  office = await createOffice(undefined, ['meyer', 'rossi', 'abe', 'danaApprover', 'lee']);
  changes = open();
});

function open(change: Partial<TrustChangesOptions> = {}): TrustChanges {
  return new TrustChanges({ ...office.options, ...change });
}

function claims(owner: string, change: Partial<EnrolmentClaims> = {}): EnrolmentClaims {
  return {
    owner,
    role: 'approver',
    scope: 'security',
    uses: ['root', 'targets'],
    custodyGrade: 'asserted',
    attestation: null,
    rehearsal: false,
    token: null,
    ...change,
  };
}

function key(): SoftwareKey {
  return generateSoftwareKey('ecdsa-sha2-nistp256');
}

function enrol(owner: string, signer: Signer = key(), change: Partial<EnrolmentClaims> = {}): Promise<Envelope> {
  return makeEnrolment(claims(owner, change), signer, office.clock.now());
}

function propose(change: Partial<TrustChangeRequest> = {}, at = changes): Promise<TrustChangeStatus> {
  return at.propose({ proposer: KEYS.dana, ticket: 'SEC-7', reason: 'a card was lost', ...change });
}

async function sign(signer: Signer, changeId = 'T-0001', at = changes): Promise<TrustChangeStatus> {
  const { digest } = await at.status(changeId);
  const text = { meaning: 'compared with the paper', ticket: 'SEC-7' };
  return at.sign({ changeId, signer, typedDigestPrefix: (digest ?? '').slice(0, 4), ...text });
}

async function readTrustedRoot(client: TrustClient = office.client()) {
  await client.update(office.clock.now());
  return { client, root: parseTrustedRoot(await client.readTarget(TRUSTED_ROOT_PATH)) };
}

/** The change proposed, signed by two holders, published. */
async function make(request: Partial<TrustChangeRequest>, signers: readonly Signer[] = [KEYS.meyer, KEYS.rossi]) {
  const { changeId } = await propose(request);
  for (const signer of signers) await sign(signer, changeId);
  return changes.publish(changeId);
}

describe('a trusted root', () => {
  it('gets a new approver, who approves the next release', async () => {
    const novak = key();
    const proposed = await propose({ enrolments: [await enrol('e.novak', novak)] });
    expect(proposed).toMatchObject({
      changeId: 'T-0001',
      state: 'waiting',
      trustedRootVersion: 2,
      rootVersion: 2,
      missing: { root: { before: 2, after: 2 }, targets: { before: 2, after: 2 } },
    });
    expect(await sign(KEYS.meyer)).toMatchObject({ state: 'waiting', missing: { root: { before: 1, after: 1 } } });
    // The new holder counts for the next root only.
    expect(await sign(novak)).toMatchObject({ state: 'waiting', missing: { root: { before: 1, after: 0 } } });
    expect(await sign(KEYS.rossi)).toMatchObject({ state: 'approved', missing: null });
    expect(await changes.publish('T-0001')).toMatchObject({ state: 'published' });
    expect(await changes.publish('T-0001')).toMatchObject({ state: 'published' });

    const { root } = await readTrustedRoot();
    expect(root.keys.at(-1)).toMatchObject({ owner: 'e.novak', role: 'approver', custodyGrade: 'asserted' });
    expect(root.repository?.roots.map(({ version }) => version)).toEqual([1, 2]);
    await office.propose();
    await office.approve('meyer');
    const gate = office.open();
    const digest = (await gate.status('P-0001')).proposal!.candidateDigest.slice(0, 4);
    const text = { meaning: 'lab green', ticket: 'ECO-7731', typedDigestPrefix: digest };
    expect(await gate.approve({ promotionId: 'P-0001', signer: novak, ...text })).toMatchObject({ state: 'promoted' });
  });

  it('revokes a lost card: it approves nothing any more, and what it approved stays approved', async () => {
    await office.propose();
    await office.approve('meyer');
    await office.approve('rossi');
    office.clock.instant += HOUR;
    const lost = { keyid: KEYS.rossi.publicKey.keyid, reason: 'lost' };
    expect(await make({ revocations: [lost] }, [KEYS.meyer, KEYS.abe])).toMatchObject({ state: 'published' });
    await office.propose({ version: '4.3.0', releaseCounter: 42 });
    await expect(office.approve('rossi', { promotionId: 'P-0002' })).rejects.toMatchObject({ code: 'PL-105' });
    expect(await office.approve('abe', { promotionId: 'P-0002' })).toMatchObject({ state: 'waiting' });

    const { client, root } = await readTrustedRoot();
    // The holder of a revoked key signs root and targets no longer either.
    expect(root.repository?.holders.some(({ keyid }) => keyid === lost.keyid)).toBe(false);
    const release = await readRelease(client, 'GW-210-4.2.1');
    expect(() => verifyRelease(release, toTrustedKeys(root), RULE)).not.toThrow();
  });

  it('takes a station key without a new root', async () => {
    const station = claims('ST-09', { role: 'station', scope: 'L3', uses: [] });
    const enrolment = await makeEnrolment(station, key(), NOW);
    expect(await make({ enrolments: [enrolment] })).toMatchObject({ state: 'published', rootVersion: null });
    const { root } = await readTrustedRoot();
    expect(root).toMatchObject({ version: 2, repository: { roots: [{ version: 1, rootThreshold: 2 }] } });
  });

  it('is on record: the change, each holder, and the published statements', async () => {
    await make({ enrolments: [await enrol('e.novak')] });
    const kinds = office.statements.map(({ payload }) =>
      JSON.parse(decodeUtf8(payload)).predicateType.split('/').at(-2),
    );
    expect(kinds).toEqual(['trust-change', 'trust-approval', 'trust-approval']);
    const { client } = await readTrustedRoot();
    for (const name of ['change', 'approval-1', 'approval-2']) {
      expect(await client.hasTarget(`attestations/trusted-root-2.${name}.dsse.json`)).toBe(true);
    }
  });

  it('shows who holds what', async () => {
    await make({ enrolments: [await enrol('e.novak')] });
    const overview = await changes.show();
    expect(overview.root).toMatchObject({ version: 2, rootThreshold: 2, targetsThreshold: 2 });
    expect(overview.holders.find(({ owner }) => owner === 'e.novak')).toMatchObject({ uses: ['root', 'targets'] });
    expect(overview.holders.filter(({ uses }) => uses.includes('online'))).toHaveLength(1);
    expect(overview.keys.find(({ owner }) => owner === 's.kim')).toMatchObject({ isValid: false });
  });
});

describe('a root rotation', () => {
  it('is followed by a station that was off for all of it, and by a stick', async () => {
    const early = office.client();
    await early.update(NOW);
    for (let round = 0; round < 3; round += 1) {
      office.clock.instant += DAY;
      await make({ renewRoot: true, reason: `round ${round}` });
    }
    expect(await early.update(office.clock.now())).toMatchObject({ rootVersion: 4 });
    const stick = join(scratch(), 'stick');
    await mirror(office.repositoryDir, stick, { initialRoot: office.initialRoot });
    const late = new TrustClient({ metadataDir: scratch(), repositoryDir: stick, initialRoot: office.initialRoot });
    expect(await late.update(office.clock.now())).toMatchObject({ rootVersion: 4, targetsVersion: 4 });
  });

  it('replaces every holder: enough of the old and enough of the new have to sign', async () => {
    const [novak, osei, park] = [key(), key(), key()];
    const old = Object.values(KEYS).map(({ publicKey }) => publicKey.keyid);
    const holders = (await changes.show()).holders.filter(({ uses }) => uses.includes('root'));
    expect(holders.every(({ keyid }) => old.includes(keyid))).toBe(true);
    await propose({
      enrolments: [await enrol('e.novak', novak), await enrol('k.osei', osei), await enrol('l.park', park)],
      removedHolders: holders.map(({ keyid }) => keyid),
    });
    for (const signer of [KEYS.meyer, KEYS.rossi]) await sign(signer);
    await expect(changes.publish('T-0001')).rejects.toMatchObject({ code: 'PL-106' });
    for (const signer of [novak, osei]) await sign(signer);
    expect(await changes.publish('T-0001')).toMatchObject({ state: 'published' });
    // The old ones can release nothing any more; the new ones can.
    await propose({ renewRoot: true });
    await expect(sign(KEYS.meyer, 'T-0002')).rejects.toMatchObject({ code: 'PL-105' });
    for (const signer of [osei, park]) await sign(signer, 'T-0002');
    expect(await changes.publish('T-0002')).toMatchObject({ state: 'published', rootVersion: 3 });
    expect((await readTrustedRoot()).client.state).toMatchObject({ rootVersion: 3 });
  });

  it('replaces the online and the effectivity key, the outgoing one signing once more', async () => {
    const [online, effectivity] = [key(), key()];
    const machine = { role: null, scope: null };
    await propose({
      enrolments: [
        await enrol('office', online, { ...machine, uses: ['online'] }),
        await enrol('operations', effectivity, { ...machine, uses: ['effectivity'] }),
      ],
    });
    for (const signer of [KEYS.meyer, KEYS.rossi]) await sign(signer);
    expect(await changes.publish('T-0001', { online, effectivity })).toMatchObject({ state: 'published' });
    const { client } = await readTrustedRoot();
    expect(client.state).toMatchObject({ rootVersion: 2 });
    // From now on the office works with the new keys, and only with them.
    await expect(office.gate.refresh()).rejects.toMatchObject({ code: 'TR-104' });
    expect(await office.open({ signers: { online, effectivity } }).refresh()).toMatchObject({ rootVersion: 2 });
  });

  it('A33 with a threshold below the floor is refused before anybody signs (PL-111)', async () => {
    await expect(propose({ rootThreshold: 1 })).rejects.toMatchObject({ code: 'PL-111' });
    await expect(propose({ targetsThreshold: 1 })).rejects.toMatchObject({ code: 'PL-111' });
    expect(await propose({ rootThreshold: 3 })).toMatchObject({
      rootVersion: 2,
      missing: { root: { before: 2, after: 3 } },
    });
  });

  it('A33 a client whose own floor is higher refuses a root that asks for fewer (PL-111), and keeps what it has', async () => {
    const client = (minThreshold: number, metadataDir = scratch()): TrustClient => {
      const { repositoryDir, initialRoot } = office;
      return new TrustClient({ metadataDir, repositoryDir, initialRoot, minThreshold });
    };
    await make({ rootThreshold: 3, targetsThreshold: 3 }, [KEYS.meyer, KEYS.rossi, KEYS.abe]);
    const memory = scratch();
    expect(await client(3, memory).update(office.clock.now())).toMatchObject({ rootVersion: 2 });
    await make({ rootThreshold: 2, targetsThreshold: 2 }, [KEYS.meyer, KEYS.rossi, KEYS.abe]);
    await expect(client(3, memory).update(office.clock.now())).rejects.toMatchObject({ code: 'PL-111' });
    expect(await client(2).update(office.clock.now())).toMatchObject({ rootVersion: 3 });
  });

  it('A33 that adds a key for somebody who holds one already is refused (PL-102)', async () => {
    await expect(propose({ enrolments: [await enrol('l.meyer')] })).rejects.toMatchObject({ code: 'PL-102' });
  });

  it('that lets one person propose, approve or operate beside another of these is refused (LS-521)', async () => {
    const asOperator: Partial<EnrolmentClaims> = { role: 'operator', scope: 'L3', uses: [] };
    await expect(propose({ enrolments: [await enrol('l.meyer', key(), asOperator)] })).rejects.toMatchObject({
      code: 'LS-521',
    });
    const both = [await enrol('e.novak'), await enrol('e.novak', key(), asOperator)];
    await expect(propose({ enrolments: both })).rejects.toMatchObject({ code: 'LS-521' });
    const others = [await enrol('e.novak'), await enrol('o.lund', key(), asOperator)];
    expect(await propose({ enrolments: others })).toMatchObject({ state: 'waiting' });
  });

  it('may make an operator of somebody whose other key it revokes', async () => {
    const left = { keyid: KEYS.abe.publicKey.keyid, reason: 'works at the line now' };
    const operator = await enrol('j.abe', key(), { role: 'operator', scope: 'L3', uses: [] });
    expect(await propose({ revocations: [left], enrolments: [operator] })).toMatchObject({ state: 'waiting' });
  });

  it('is refused when too few holders would be left, or nothing would change (PL-123)', async () => {
    const holders = (await changes.show()).holders.filter(({ uses }) => uses.includes('root'));
    const removedHolders = holders.slice(1).map(({ keyid }) => keyid);
    await expect(propose({ removedHolders })).rejects.toMatchObject({ code: 'PL-123' });
    await expect(propose({ removedHolders: ['ab'.repeat(32)] })).rejects.toMatchObject({ code: 'PL-123' });
    await expect(propose({ revocations: [{ keyid: 'ab'.repeat(32), reason: 'lost' }] })).rejects.toMatchObject({
      code: 'PL-123',
    });
    await expect(propose({ rootThreshold: 9 })).rejects.toMatchObject({ code: 'PL-123' });
    await expect(propose()).rejects.toMatchObject({ code: 'PL-123' });
  });
});

describe('a signature on a change', () => {
  beforeEach(() => propose({ renewRoot: true }));

  it('is refused for its proposer (PL-101), the second time (PL-102), and without a key for it (PL-105)', async () => {
    await expect(sign(KEYS.danaApprover)).rejects.toMatchObject({ code: 'PL-101' });
    await sign(KEYS.rossi);
    await expect(sign(KEYS.rossi)).rejects.toMatchObject({ code: 'PL-102' });
    await expect(sign(KEYS.rossi2)).rejects.toMatchObject({ code: 'PL-102' });
    for (const name of ['operator', 'stranger', 'kim'] as const) {
      await expect(sign(KEYS[name])).rejects.toMatchObject({ code: 'PL-105' });
    }
    expect(await sign(KEYS.meyer)).toMatchObject({ state: 'approved' });
  });

  it('is refused for other characters (PL-109), a denied (PL-107), an expired (PL-104) and an unknown change (PL-122)', async () => {
    const text = { meaning: 'yes', ticket: 'SEC-7' };
    const signing = changes.sign({ changeId: 'T-0001', signer: KEYS.meyer, typedDigestPrefix: 'zzzz', ...text });
    await expect(signing).rejects.toMatchObject({ code: 'PL-109' });
    await expect(changes.status('T-0009')).rejects.toMatchObject({ code: 'PL-122' });
    await propose({ renewRoot: true });
    expect(await changes.deny({ changeId: 'T-0002', signer: KEYS.abe, ...text })).toMatchObject({ state: 'denied' });
    await expect(sign(KEYS.meyer, 'T-0002')).rejects.toMatchObject({ code: 'PL-107' });
    office.clock.instant += 3 * DAY;
    await expect(sign(KEYS.meyer)).rejects.toMatchObject({ code: 'PL-104' });
    expect(await changes.list()).toMatchObject([{ state: 'expired' }, { state: 'denied' }]);
  });

  it('is refused when something else was published since (PL-115)', async () => {
    await office.propose();
    await office.approve('meyer');
    await office.approve('rossi');
    await expect(sign(KEYS.abe)).rejects.toMatchObject({ code: 'PL-115' });
    expect(await changes.status('T-0001')).toMatchObject({ state: 'overtaken' });
  });

  it('A31 in an edited file counts for nothing', async () => {
    await sign(KEYS.meyer);
    const decisions = join(office.base, 'gate/trust-changes/T-0001/decisions');
    const name = `${KEYS.meyer.publicKey.keyid}.json`;
    const decision = readFileSync(join(decisions, name), 'utf8');
    writeFileSync(join(decisions, `${'1'.repeat(64)}.json`), decision.replaceAll('l.meyer', 'a.rossi'));
    writeFileSync(join(decisions, `${'2'.repeat(64)}.json`), '{"state":"approved"}');
    writeFileSync(join(decisions, `${'3'.repeat(64)}.json`), decision);
    expect(await changes.status('T-0001')).toMatchObject({ state: 'waiting', missing: { root: { before: 1 } } });
    await expect(changes.publish('T-0001')).rejects.toMatchObject({ code: 'PL-106' });
  });
});

describe('a changed byte voids a change (PL-103)', () => {
  beforeEach(async () => {
    await propose({ enrolments: [await enrol('e.novak')] });
    await sign(KEYS.meyer);
  });
  const path = (name: string): string => join(office.base, 'gate/trust-changes/T-0001', name);

  it.each<[string, () => void]>([
    ['another trusted root', () => writeFileSync(path('trusted-root.json'), formatTrustedRoot(withRole('operator')))],
    ['another threshold', () => edit('root.json', (value) => (value.signed.roles.root.threshold = 1))],
    [
      'one more target',
      () =>
        edit(
          'targets.json',
          (value) => (value.signed.targets['images/evil.bin'] = value.signed.targets[TRUSTED_ROOT_PATH]),
        ),
    ],
    ['no enrolment', () => rmSync(path('enrolment-1.dsse.json'))],
    ['no root', () => rmSync(path('root.json'))],
    ['no statement', () => writeFileSync(path('change.dsse.json'), '{}')],
  ])('%s', async (_, damage) => {
    const copy = scratch();
    cpSync(path('.'), copy, { recursive: true });
    damage();
    await expect(sign(KEYS.rossi)).rejects.toMatchObject({ code: 'PL-103' });
    await expect(changes.publish('T-0001')).rejects.toMatchObject({ code: 'PL-103' });
    expect(await changes.status('T-0001')).toMatchObject({ state: 'void', code: 'PL-103' });
    rmSync(path('.'), { recursive: true });
    cpSync(copy, path('.'), { recursive: true });
    expect(await sign(KEYS.rossi)).toMatchObject({ state: 'approved' });
  });

  function withRole(role: KeyRole) {
    const root = parseTrustedRoot(readFileSync(path('trusted-root.json')));
    return { ...root, keys: root.keys.map((entry) => (entry.owner === 'e.novak' ? { ...entry, role } : entry)) };
  }

  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- damage is not typed
  function edit(name: string, change: (value: any) => void): void {
    const value = JSON.parse(readFileSync(path(name), 'utf8'));
    change(value);
    writeFileSync(path(name), JSON.stringify(value));
  }
});

describe('A34 enrolment refuses', () => {
  it('a key whose private half everybody can know (CU-147)', async () => {
    const one = new SoftwareKey(createPrivateKey({ key: ecKey(`${'0'.repeat(63)}1`), format: 'jwk' }));
    await expect(propose({ enrolments: [await enrol('e.novak', one)] })).rejects.toMatchObject({ code: 'CU-147' });
  });

  it('a key that somebody else holds, or that holds something already (CU-145)', async () => {
    const shared = await enrol('e.novak', KEYS.meyer);
    await expect(propose({ enrolments: [shared] })).rejects.toMatchObject({ code: 'CU-145' });
    const twice = key();
    const both = [await enrol('e.novak', twice), await enrol('k.osei', twice)];
    await expect(propose({ enrolments: both })).rejects.toMatchObject({ code: 'CU-145' });
    const again = await enrol('l.meyer', KEYS.meyer, { scope: 'quality' });
    await expect(propose({ enrolments: [again] })).rejects.toMatchObject({ code: 'CU-145' });
  });

  it('a key nobody proves to hold (CU-146), and one of low order (CU-144)', async () => {
    const stolen = await enrol('e.novak');
    const unsigned = { ...stolen, signatures: (await enrol('k.osei')).signatures };
    await expect(propose({ enrolments: [unsigned] })).rejects.toMatchObject({ code: 'CU-146' });
    const altered = parseEnvelope(
      formatEnvelope({ ...stolen, payload: Buffer.from(decodeUtf8(stolen.payload).replace('e.novak', 'f.novak')) }),
    );
    await expect(propose({ enrolments: [altered] })).rejects.toMatchObject({ code: 'CU-146' });
    const lowOrder = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), Buffer.alloc(32)]).toString(
      'base64',
    );
    const text = JSON.parse(decodeUtf8(stolen.payload));
    text.predicate.publicKey = lowOrder;
    const degenerate = { ...stolen, payload: Buffer.from(JSON.stringify(text)) };
    await expect(propose({ enrolments: [degenerate] })).rejects.toMatchObject({ code: 'CU-144' });
  });

  it('a grade that is only claimed (CU-135)', async () => {
    for (const custodyGrade of ['selfReported', 'vendorAttested', 'tpmCertified'] as const) {
      const enrolment = await enrol('e.novak', key(), { custodyGrade });
      await expect(propose({ enrolments: [enrolment] })).rejects.toMatchObject({ code: 'CU-135' });
    }
    const hardware: Signer = { ...pretend(key()), custody: 'hardware' };
    const claimed = await enrol('e.novak', hardware, { custodyGrade: 'vendorAttested' });
    await expect(propose({ enrolments: [claimed] })).rejects.toMatchObject({ code: 'CU-135' });
    expect(
      await propose({ enrolments: [await enrol('e.novak', hardware, { custodyGrade: 'selfReported' })] }),
    ).toMatchObject({
      state: 'waiting',
    });
  });

  function pretend(own: SoftwareKey): Signer {
    return { publicKey: own.publicKey, custody: own.custody, sign: (message) => own.sign(message) };
  }
});

it('a change takes nothing from an attempt that was cut off', async () => {
  const folder = join(office.base, 'gate/trust-changes');
  mkdirSync(join(folder, '.staging'), { recursive: true });
  writeFileSync(join(folder, '.staging/enrolment-2.dsse.json'), 'of another change');
  await propose({ enrolments: [await enrol('e.novak')] });
  expect(readdirSync(join(folder, 'T-0001'))).not.toContain('enrolment-2.dsse.json');
  expect(await changes.review('T-0001')).toMatchObject({ status: { state: 'waiting' } });
});

it('a change is proposed by somebody who is enrolled (PL-116)', async () => {
  for (const name of ['stranger', 'operator', 'kim'] satisfies KeyName[]) {
    await expect(propose({ proposer: KEYS[name], renewRoot: true })).rejects.toMatchObject({ code: 'PL-116' });
  }
  expect(SITE.line).toBe('L3');
});

/** A P-256 private key as a JWK, from its scalar. */
function ecKey(scalar: string) {
  const points: Record<string, readonly [string, string]> = {
    [`${'0'.repeat(63)}1`]: [
      '6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296',
      '4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5',
    ],
  };
  const [x, y] = points[scalar] ?? ['', ''];
  const text = (hex: string): string => Buffer.from(hex, 'hex').toString('base64url');
  return { kty: 'EC', crv: 'P-256', d: text(scalar), x: text(x), y: text(y) };
}
