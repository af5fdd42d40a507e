// SPDX-License-Identifier: Apache-2.0
/** What somebody with write access to the office can do to it. */
import { cpSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { releaseInEffect } from '@witnessmark/trust';
import { beforeEach, describe, expect, it } from 'vitest';
import { createOffice, NOW, scratch, type Office } from './support/office.ts';
import { published } from './support/promoted.ts';

/** JSON as somebody with an editor sees it. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- damage is not typed
type Loose = any;

let office: Office;
beforeEach(async () => {
  office = await createOffice();
});

describe('changed bytes', () => {
  beforeEach(async () => {
    await office.propose();
    await office.approve('meyer');
  });

  const flip = (path: string): void => {
    const bytes = readFileSync(path);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 1;
    writeFileSync(path, bytes);
  };
  const edit = (name: string, change: (value: Loose) => void): void => {
    const path = join(office.promotion(), name);
    const value = JSON.parse(readFileSync(path, 'utf8'));
    change(value);
    writeFileSync(path, JSON.stringify(value));
  };

  const damages: readonly (readonly [string, () => void])[] = [
    ['one bit of the image', () => flip(join(office.promotion(), 'GW-210-4.2.1.firmware.bin'))],
    ['the image, missing', () => rmSync(join(office.promotion(), 'GW-210-4.2.1.firmware.bin'))],
    ['one bit of the manifest', () => flip(join(office.promotion(), 'release.json'))],
    ['the manifest, with another address', () => edit('release.json', (value) => (value.components[0].address = 4096))],
    [
      'the staged metadata, with another expiry',
      () => edit('targets.json', (value) => (value.signed.expires = '2099-01-01T00:00:00Z')),
    ],
    [
      'the staged metadata, with one more image',
      () =>
        edit(
          'targets.json',
          (value) => (value.signed.targets['images/evil.bin'] = value.signed.targets['trusted-root.json']),
        ),
    ],
    [
      'the candidate, with another counter',
      () =>
        edit('candidate.dsse.json', (value) => {
          const statement = JSON.parse(Buffer.from(value.payload, 'base64').toString());
          statement.predicate.manifest.releaseCounter = 99;
          value.payload = Buffer.from(JSON.stringify(statement)).toString('base64');
        }),
    ],
    [
      'the candidate, without signature',
      () => edit('candidate.dsse.json', (value) => (value.signatures[0].sig = 'AAAA')),
    ],
    ['the candidate, missing', () => rmSync(join(office.promotion(), 'candidate.dsse.json'))],
    ['the staged metadata, empty', () => writeFileSync(join(office.promotion(), 'targets.json'), '')],
    ['the manifest, no JSON', () => writeFileSync(join(office.promotion(), 'release.json'), '{')],
  ];

  it.each(damages)('A30 void the promotion: %s (PL-103)', async (_, damage) => {
    const copy = scratch();
    cpSync(office.promotion(), copy, { recursive: true });
    damage();
    await expect(office.approve('rossi', { typedDigestPrefix: '0000' })).rejects.toMatchObject({ code: 'PL-103' });
    await expect(office.gate.review('P-0001')).rejects.toMatchObject({ code: 'PL-103' });
    await expect(office.gate.publish('P-0001')).rejects.toMatchObject({ code: 'PL-103' });
    expect((await published(office)).client.state.targetsVersion).toBe(1);
    // The twin: with the very bytes back, the approval over them counts again.
    rmSync(office.promotion(), { recursive: true });
    cpSync(copy, office.promotion(), { recursive: true });
    expect(await office.approve('rossi')).toMatchObject({ state: 'promoted' });
  });

  it('shows a changed promotion as void, without what it cannot vouch for', async () => {
    flip(join(office.promotion(), 'release.json'));
    expect(await office.gate.status('P-0001')).toMatchObject({ state: 'void', code: 'PL-103', proposal: null });
  });

  it('void an approval moved to another promotion', async () => {
    await office.propose({ version: '4.3.0', releaseCounter: 42 });
    cpSync(join(office.promotion(), 'decisions'), join(office.promotion('P-0002'), 'decisions'), { recursive: true });
    expect(await office.gate.status('P-0002')).toMatchObject({
      state: 'waiting',
      decisions: [],
      missing: { people: 2 },
    });
  });

  it('void a promotion under the number of another', async () => {
    renameSync(office.promotion(), office.promotion('P-0009'));
    expect(await office.gate.status('P-0009')).toMatchObject({ state: 'void', code: 'PL-103' });
  });

  it('void a promotion brought to another site', async () => {
    const gate = office.open({ site: { plant: 'PEN', line: 'L4' } });
    expect(await gate.status('P-0001')).toMatchObject({ state: 'void', code: 'PL-103' });
  });
});

describe('an administrator (A31)', () => {
  beforeEach(async () => {
    await office.propose();
    await office.approve('meyer');
  });

  const refusedByStation = async (): Promise<void> => {
    const { client, effectivity } = await published(office);
    expect(client.state.targetsVersion).toBe(1);
    expect(() => releaseInEffect(effectivity, { sku: 'GW-210', hwVersion: 'C', workOrder: null, at: NOW })).toThrow(
      expect.objectContaining({ code: 'LS-205' }),
    );
  };

  it('who writes "promoted" into the files changes nothing', async () => {
    writeFileSync(join(office.promotion(), 'state.json'), JSON.stringify({ state: 'promoted' }));
    const path = join(office.promotion(), 'candidate.dsse.json');
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), state: 'promoted', approvals: 2 }));
    expect(await office.gate.status('P-0001')).toMatchObject({ state: 'waiting', missing: { people: 1 } });
    await refusedByStation();
  });

  it('who copies or makes up decisions changes nothing', async () => {
    const decisions = join(office.promotion(), 'decisions');
    const [name] = readdirSync(decisions) as [string];
    const decision = readFileSync(join(decisions, name), 'utf8');
    writeFileSync(join(decisions, `${'0'.repeat(64)}.json`), decision);
    writeFileSync(join(decisions, `${'1'.repeat(64)}.json`), decision.replaceAll('l.meyer', 'a.rossi'));
    writeFileSync(join(decisions, `${'2'.repeat(64)}.json`), '{"envelope":{},"targetsSignature":null}');
    writeFileSync(join(decisions, `${'3'.repeat(64)}.json`), '[1,2,3]');
    writeFileSync(join(decisions, `${'4'.repeat(64)}.json`), 'null');
    writeFileSync(join(decisions, 'notes.txt'), 'approved!');
    const withoutTargets = { ...JSON.parse(decision), targetsSignature: { keyid: 'x', sig: '00' } };
    expect(await office.gate.status('P-0001')).toMatchObject({ state: 'waiting', missing: { people: 1 } });
    writeFileSync(join(decisions, name), JSON.stringify(withoutTargets));
    for (const digit of ['0', '1']) rmSync(join(decisions, `${digit.repeat(64)}.json`));
    expect(await office.gate.status('P-0001')).toMatchObject({
      state: 'waiting',
      missing: { people: 2 },
      decisions: [{ objection: 'the targets metadata is not signed with it' }],
    });
    await expect(office.gate.publish('P-0001')).rejects.toMatchObject({ code: 'PL-106' });
    await refusedByStation();
  });

  it('who publishes it past the gate is refused by every client', async () => {
    const staged = JSON.parse(readFileSync(join(office.promotion(), 'targets.json'), 'utf8'));
    const [name] = readdirSync(join(office.promotion(), 'decisions')) as [string];
    const { targetsSignature } = JSON.parse(readFileSync(join(office.promotion(), 'decisions', name), 'utf8'));
    const metadata = join(office.repositoryDir, 'metadata');
    writeFileSync(join(metadata, '2.targets.json'), JSON.stringify({ ...staged, signatures: [targetsSignature] }));
    await refusedByStation();
    expect(await office.gate.status('P-0001')).toMatchObject({ state: 'waiting' });
  });

  it('who keeps two approvals but lost the repository state cannot make it newer', async () => {
    const before = scratch();
    cpSync(office.repositoryDir, before, { recursive: true });
    await office.approve('rossi');
    const client = office.client();
    await client.update(NOW);
    rmSync(office.repositoryDir, { recursive: true });
    cpSync(before, office.repositoryDir, { recursive: true });
    await expect(client.update(NOW)).rejects.toMatchObject({ code: 'TR-101' });
  });
});
