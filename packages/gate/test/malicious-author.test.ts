// SPDX-License-Identifier: Apache-2.0
/** An author with tools of his own: what he signs is consistent, and still not what a gate publishes. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import {
  buildStatement,
  formatReleaseManifest,
  parseReleaseManifest,
  parseStatement,
  releaseApproval,
  releaseCandidate,
  type EffectivityRule,
  type ReleaseCandidate,
  type ReleaseManifest,
} from '@witnessmark/attestation';
import {
  encodeUtf8,
  formatEnvelope,
  formatInstant,
  fromEnvelope,
  parseEnvelope,
  sha256Hex,
  STATEMENT_PAYLOAD_TYPE,
  type Bytes,
} from '@witnessmark/core';
import { signEnvelope, type Signer } from '@witnessmark/custody';
import { buildSampleImage } from '@witnessmark/device';
import {
  nodeFiles,
  parseStagedMetadata,
  releaseManifestPath,
  signStagedMetadata,
  toTargetContent,
  TrustAuthor,
  TRUSTED_ROOT_PATH,
  type TargetContent,
} from '@witnessmark/trust';
import { beforeEach, describe, expect, it } from 'vitest';
import { markImage } from './support/mark-image.ts';
import { createOffice, KEYS, NOW, SAMPLE_IMAGE, type KeyName, type Office } from './support/office.ts';

const RULE: EffectivityRule = {
  sku: 'GW-210',
  hwVersions: ['C'],
  workOrders: null,
  releaseId: 'GW-210-4.3.0',
  eco: 'ECO-7731',
  validFrom: formatInstant(NOW),
  validUntil: null,
  maxUnits: null,
};

let office: Office;
beforeEach(async () => {
  office = await createOffice();
  await office.propose();
  await office.approve('meyer');
  await office.approve('rossi');
  await office.propose({ version: '4.3.0', releaseCounter: 42 });
});

interface Forgery {
  /** Digest the statement is about, instead of the manifest's. */
  readonly subject?: string;
  readonly manifest?: (manifest: ReleaseManifest) => ReleaseManifest;
  readonly candidate?: Partial<ReleaseCandidate>;
  readonly alsoAdd?: readonly TargetContent[];
  readonly remove?: readonly string[];
  readonly signer?: Signer;
  /** Instead of the image that was proposed. */
  readonly image?: Bytes;
}

/** Rewrites P-0002 so that manifest, staged metadata and candidate agree with each other, and signs it. */
async function forge({
  manifest: change = (same) => same,
  image,
  alsoAdd = [],
  remove = [],
  ...rest
}: Forgery): Promise<void> {
  const path = (name: string): string => join(office.promotion('P-0002'), name);
  const proposed = change(parseReleaseManifest(readFileSync(path('release.json'))));
  const manifest = image === undefined ? proposed : withImage(proposed, image);
  if (image !== undefined) writeFileSync(path(basename(manifest.components[0]!.targetPath)), image);
  const manifestBytes = formatReleaseManifest(manifest);
  const author = await TrustAuthor.open({
    directory: office.repositoryDir,
    initialRoot: office.initialRoot,
    files: nodeFiles,
  });
  const images = manifest.components.map(({ targetPath, length, sha256 }) => ({ path: targetPath, length, sha256 }));
  const staged = author.stageTargets({
    add: [toTargetContent(releaseManifestPath(manifest.releaseId), manifestBytes), ...images, ...alsoAdd],
    remove,
    expiresAt: office.clock.now() + 1_000_000_000,
  });
  const { payload } = parseEnvelope(readFileSync(path('candidate.dsse.json')));
  const { predicate } = parseStatement(releaseCandidate, payload);
  const forged = buildStatement(
    releaseCandidate,
    { name: 'manifest', digest: { sha256: rest.subject ?? sha256Hex(manifestBytes) } },
    {
      ...predicate,
      manifest,
      targets: { version: staged.version, digest: { sha256: staged.digest } },
      ...rest.candidate,
    },
  );
  const envelope = await signEnvelope(STATEMENT_PAYLOAD_TYPE, forged, [rest.signer ?? KEYS.dana]);
  writeFileSync(path('release.json'), manifestBytes);
  writeFileSync(path('targets.json'), staged.document);
  writeFileSync(path('candidate.dsse.json'), formatEnvelope(envelope));
}

function withImage(manifest: ReleaseManifest, image: Bytes): ReleaseManifest {
  const [component] = manifest.components;
  return { ...manifest, components: [{ ...component!, sha256: sha256Hex(image), length: image.length }] };
}

const approve = () => office.approve('abe', { promotionId: 'P-0002' });

describe('a forged proposal', () => {
  it('that only says the same again is as good as the gate’s own', async () => {
    await forge({ candidate: { effectivity: RULE } });
    await approve();
    expect(await office.approve('rossi', { promotionId: 'P-0002' })).toMatchObject({ state: 'promoted' });
  });

  it('A36 with a release counter below the published one is refused (PL-108)', async () => {
    await forge({ manifest: (manifest) => ({ ...manifest, releaseCounter: 40 }) });
    await expect(approve()).rejects.toMatchObject({ code: 'PL-108' });
  });

  it('A36 with a security counter below the published one is refused (PL-108), and one the image denies (PL-114)', async () => {
    const lower = (manifest: ReleaseManifest): ReleaseManifest => ({
      ...manifest,
      components: manifest.components.map((component) => ({ ...component, securityCounter: 12 })),
    });
    await forge({ manifest: lower });
    await expect(approve()).rejects.toMatchObject({ code: 'PL-114' });
    const image = buildSampleImage({ sizeBytes: 4096, version: '4.3.0', securityCounter: 12, seed: 'old' });
    await forge({ manifest: lower, image });
    await expect(approve()).rejects.toMatchObject({ code: 'PL-108' });
  });

  it('A37 that calls a debug build a production release is refused by whoever looks (PL-118)', async () => {
    for (const marks of [0x1, 0x2, 0x4, 0x100]) {
      await forge({ image: markImage(SAMPLE_IMAGE, marks) });
      await expect(approve()).rejects.toMatchObject({ code: 'PL-118' });
      await expect(office.gate.review('P-0002')).rejects.toMatchObject({ code: 'PL-118' });
    }
    await forge({ image: markImage(SAMPLE_IMAGE, 0) });
    expect(await approve()).toMatchObject({ state: 'waiting' });
  });

  it('with the file name of a published image is refused (PL-113)', async () => {
    const published = 'images/GW-210-4.2.1.firmware.bin';
    const take = (manifest: ReleaseManifest): ReleaseManifest => ({
      ...manifest,
      components: manifest.components.map((component) => ({ ...component, targetPath: published })),
    });
    await forge({ manifest: take });
    await expect(approve()).rejects.toMatchObject({ code: 'PL-113' });
    expect(await office.gate.status('P-0002')).toMatchObject({ state: 'void', code: 'PL-113' });
  });

  it('with a counter that was used is refused (PL-113)', async () => {
    await forge({ manifest: (manifest) => ({ ...manifest, releaseCounter: 41 }) });
    await expect(approve()).rejects.toMatchObject({ code: 'PL-113' });
  });

  it('that describes another manifest than it is about is refused (PL-103)', async () => {
    const manifest = parseReleaseManifest(readFileSync(join(office.promotion('P-0002'), 'release.json')));
    await forge({ candidate: { manifest: { ...manifest, notes: 'harmless' } } });
    expect(await office.gate.status('P-0002')).toMatchObject({ state: 'void', code: 'PL-103' });
  });

  it.each([
    ['replaces the trusted root', { alsoAdd: [toTargetContent(TRUSTED_ROOT_PATH, encodeUtf8('my keys'))] }],
    ['adds an image nobody named', { alsoAdd: [toTargetContent('images/evil.bin', encodeUtf8('evil'))] }],
    ['removes what was published', { remove: [releaseManifestPath('GW-210-4.2.1')] }],
  ])('whose metadata %s is refused (PL-103)', async (_, forgery) => {
    await forge(forgery);
    expect(await office.gate.status('P-0002')).toMatchObject({ state: 'void', code: 'PL-103' });
    await expect(
      office.gate.approve({
        promotionId: 'P-0002',
        signer: KEYS.abe,
        meaning: 'x',
        ticket: 'x',
        typedDigestPrefix: '0000',
      }),
    ).rejects.toMatchObject({ code: 'PL-103' });
  });

  it.each([
    ['about another manifest than it describes', { subject: '0'.repeat(64) }],
    ['in the name of somebody else', { candidate: { proposedBy: { id: 'l.meyer' } } }],
    ['by an approver', { signer: KEYS.meyer, candidate: { proposedBy: { id: 'l.meyer' } } }],
    ['under another number', { candidate: { promotionId: 'P-0001' } }],
    ['with a rule for an older release', { candidate: { effectivity: { ...RULE, releaseId: 'GW-210-4.2.1' } } }],
    ['with a rule for another product', { candidate: { effectivity: { ...RULE, sku: 'GW-300' } } }],
    ['with a rule for other hardware', { candidate: { effectivity: { ...RULE, hwVersions: ['C', 'X'] } } }],
    ['for another line', { candidate: { site: { plant: 'PEN', line: 'L4' } } }],
    ['from a time before the author was enrolled', { candidate: { proposedAt: '2020-01-01T00:00:00Z' } }],
  ])('%s is refused (PL-103)', async (_, forgery) => {
    await forge(forgery);
    expect(await office.gate.status('P-0002')).toMatchObject({ state: 'void', code: 'PL-103' });
  });
});

describe('planted approvals, well signed', () => {
  /** What a person with a card and tools of his own can put among the decisions of P-0002. */
  const plant = async (name: KeyName, id: string, role: string, targetsKey: KeyName = name): Promise<void> => {
    const { payload } = parseEnvelope(readFileSync(join(office.promotion('P-0002'), 'candidate.dsse.json')));
    const staged = parseStagedMetadata('targets', readFileSync(join(office.promotion('P-0002'), 'targets.json')));
    const statement = buildStatement(
      releaseApproval,
      { name: 'candidate', digest: { sha256: sha256Hex(payload) } },
      {
        promotionId: 'P-0002',
        releaseId: 'GW-210-4.3.0',
        decision: 'approve',
        approver: { id, role },
        meaning: 'mine',
        ticket: 'x',
        approvedAt: formatInstant(NOW),
        expiresAt: formatInstant(NOW + 1_000_000),
      },
    );
    const envelope = await signEnvelope(STATEMENT_PAYLOAD_TYPE, statement, [KEYS[name]]);
    const targetsSignature = await signStagedMetadata(staged, KEYS[targetsKey]);
    mkdirSync(join(office.promotion('P-0002'), 'decisions'), { recursive: true });
    const path = join(office.promotion('P-0002'), 'decisions', `${KEYS[name].publicKey.keyid}.json`);
    writeFileSync(path, JSON.stringify({ envelope: fromEnvelope(envelope), targetsSignature }));
  };
  const objections = async () =>
    Object.fromEntries(
      (await office.gate.status('P-0002')).decisions.map(({ keyid, objection }) => [keyid, objection]),
    );

  it('A26 do not count for the author', async () => {
    await plant('danaApprover', 'd.okafor', 'security');
    expect(Object.values(await objections())).toEqual(['the author does not count']);
  });

  it('A27 count once for a person with two cards', async () => {
    await plant('rossi', 'a.rossi', 'security');
    await plant('rossi2', 'a.rossi', 'release');
    expect(Object.values(await objections()).filter((objection) => objection === null)).toHaveLength(1);
    await expect(office.gate.publish('P-0002')).rejects.toMatchObject({ code: 'PL-106' });
  });

  it('A27 count once for two people with one targets key', async () => {
    await plant('rossi', 'a.rossi', 'security', 'abe');
    await plant('meyer', 'l.meyer', 'release', 'abe');
    expect(Object.values(await objections()).filter((objection) => objection === null)).toHaveLength(1);
    await expect(office.gate.publish('P-0002')).rejects.toMatchObject({ code: 'PL-106' });
  });

  it('count for who they are from: the files are only a place', async () => {
    await plant('rossi', 'a.rossi', 'security');
    await plant('meyer', 'l.meyer', 'release');
    expect(await office.gate.publish('P-0002')).toMatchObject({ state: 'promoted' });
  });
});
