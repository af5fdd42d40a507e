// SPDX-License-Identifier: Apache-2.0
import { encodeBase64, formatInstant } from '@witnessmark/core';
import type { StationBuild, StationStart } from '@witnessmark/attestation';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { projectEntry } from '../src/index.ts';
import { CAST, PLACE, toTrustedRoot, type Name } from './support/cast.ts';
import { newTpm, quoteOf } from './support/quote.ts';
import { after, logBuild, logStart, makeBuild, makeStart, MANIFEST } from './support/starts.ts';
import { codeOf, toDevice, World, type Changes, type StationName } from './support/world.ts';

const HOUR_MS = 3_600_000;
const OTHER = { sha256: 'dd'.repeat(32) };

let world: World;
beforeEach(async () => {
  world = await World.open();
});
afterEach(() => world.close());

async function start(
  changes: Changes<StationStart> = {},
  options: { station?: StationName; subject?: string } = {},
): Promise<string> {
  const { envelope } = await makeStart(world, changes, options);
  return codeOf(world.line.submit(envelope));
}

describe('a build record', () => {
  it('is logged with the signatures of its two people, and takes the place of the one before', async () => {
    const first = await logBuild(world);
    const second = await logBuild(world, { version: 2 });
    const records = await world.line.siteRecords('station-build');
    expect(records.map(({ digest, station }) => [digest, station])).toEqual([
      [second.digest, CAST.station.owner],
      [first.digest, CAST.station.owner],
    ]);
    // Approved days after it was measured.
    const late = await makeBuild(world, { version: 3 });
    world.clock.advance(7 * 24 * HOUR_MS);
    await world.line.submit(late.envelope);
  });

  it.each<[string, string, Changes<StationBuild>, { by?: readonly Name[]; subject?: string }]>([
    ['one signature', 'LS-502', {}, { by: ['supervisor'] }],
    ['one person twice', 'LS-410', { proposedBy: { id: CAST.approver.owner, role: 'approver' } }, {}],
    ['a signature of somebody else', 'LS-410', {}, { by: ['supervisor', 'secondApprover'] }],
    [
      'an operator who proposes',
      'LS-410',
      { proposedBy: { id: CAST.operator.owner, role: 'operator' } },
      { by: ['operator', 'approver'] },
    ],
    [
      'a supervisor who approves',
      'LS-410',
      {
        proposedBy: { id: CAST.author.owner, role: 'author' },
        approvedBy: { id: CAST.supervisor.owner, role: 'supervisor' },
      },
      { by: ['author', 'supervisor'] },
    ],
    ['another plant', 'LS-502', { place: { ...PLACE, plant: 'P2' } }, {}],
    ['another line', 'LS-502', { place: { ...PLACE, line: 'L2' } }, {}],
    ['a station of another line', 'LS-502', { stations: [CAST.otherLineStation.owner] }, {}],
    ['a station twice', 'LS-506', { stations: [CAST.station.owner, CAST.station.owner] }, {}],
    ['a subject that is not its manifest', 'LS-506', {}, { subject: OTHER.sha256 }],
  ])('is refused: %s', async (_, code, changes, options) => {
    const { envelope } = await makeBuild(world, changes, options);
    expect(await codeOf(world.line.submit(envelope))).toBe(code);
  });

  it('is refused without a higher version for each of its stations (LS-404)', async () => {
    await logBuild(world, { version: 3, stations: [CAST.secondStation.owner] });
    const stations = [CAST.station.owner, CAST.secondStation.owner];
    const { envelope } = await makeBuild(world, { version: 3, stations });
    expect(await codeOf(world.line.submit(envelope))).toBe('LS-404');
    await logBuild(world, { version: 4, stations });
  });

  it('is refused when one of its people operates a station as well (LS-410)', async () => {
    const root = toTrustedRoot();
    const operator = root.keys.find(({ role }) => role === 'operator');
    if (operator === undefined) throw new Error('nobody operates');
    const keys = root.keys.map((key) => (key === operator ? { ...key, owner: CAST.approver.owner } : key));
    await world.close();
    world = await World.open({ line: { trustedRoot: { ...root, keys } } });
    expect(await codeOf(world.line.submit((await makeBuild(world)).envelope))).toBe('LS-410');
  });
});

describe('a start', () => {
  it('begins a chain of its key, which goes on one by one', async () => {
    const first = await logStart(world);
    world.clock.advance(HOUR_MS);
    expect(await start()).toBe('LS-405');
    const second = await logStart(world, after(first));
    expect(await start(after(first))).toBe('LS-405');
    expect(await start({ ...after(second), sequence: 4 })).toBe('LS-405');
    await logStart(world, { ...after(second), sequence: 3, reason: 'prove', nonce: 'audit-2026' });
    const states = (await world.line.siteRecords('station-start')).map(({ state }) => state);
    expect(states).toEqual(['prove', 'start', 'start']);
  });

  it('is logged once, however often it is submitted', async () => {
    const { envelope } = await makeStart(world);
    const { index } = await world.line.submit(envelope);
    expect((await world.line.submit(envelope)).index).toBe(index);
    world.clock.advance(24 * HOUR_MS);
    expect((await world.line.submit(envelope)).index).toBe(index);
  });

  it.each<[string, string, Changes<StationStart>, { station?: StationName; subject?: string }]>([
    ['another station', 'LS-502', { station: { id: 'ST-2', ...PLACE } }, {}],
    ['the digest of another key', 'LS-506', { keyDigest: OTHER }, {}],
    ['another subject', 'LS-506', {}, { subject: OTHER.sha256 }],
    ['a second number without a first start', 'LS-506', { sequence: 2 }, {}],
    ['a predecessor nobody logged', 'LS-405', { sequence: 2, previous: { digest: OTHER, index: 0 } }, {}],
    ['a nonce without a question', 'LS-506', { nonce: 'audit-2026' }, {}],
    ['a question without a nonce', 'LS-506', { reason: 'prove' }, {}],
    ['fewer differences than it names', 'LS-506', { drift: [{ section: 'usb', change: 'added', line: 'x' }] }, {}],
    ['a build nobody logged', 'LS-404', { build: { digest: OTHER, version: 1 } }, {}],
    [
      'more of the log than there is',
      'LS-303',
      { known: { head: { treeSize: 99, rootHash: OTHER.sha256 }, lastReceipt: null, pending: [] } },
      {},
    ],
    ['the past', 'LS-301', { measuredAt: formatInstant(Date.UTC(2026, 2, 2, 5, 49)) }, {}],
    [
      'a quote that is none',
      'LS-506',
      {
        quote: {
          attestationKey: encodeBase64(CAST.station.key.publicKey.spki),
          quoted: 'AAAA',
          signature: 'AAAA',
          registers: [{ index: 0, value: OTHER.sha256 }],
        },
      },
      {},
    ],
  ])('is refused: %s', async (_, code, changes, options) => {
    expect(await start(changes, options)).toBe(code);
  });

  it('A12: keeps its machine until the station is enrolled again (LS-407)', async () => {
    const first = await logStart(world);
    expect(await start({ ...after(first), fingerprint: OTHER })).toBe('LS-407');
    await logStart(world, after(first));
  });

  it('carries a quote of its TPM, which holds for this start and that TPM alone (ID-131 to ID-133, LS-407)', async () => {
    const tpm = newTpm();
    const bare = (await makeStart(world)).predicate;
    const quote = quoteOf(bare, tpm);
    const flipped = quote.signature.replace(/.{4}$/, (end) => (end === 'AAAA' ? 'AAAB' : 'AAAA'));
    expect(await start({ ...bare, quote: { ...quote, signature: flipped } })).toBe('ID-131');
    expect(await start({ ...bare, quote: quoteOf({ ...bare, bootId: 'boot-2' }, tpm) })).toBe('ID-132');
    expect(await start({ ...bare, quote: { ...quote, registers: [{ index: 0, value: OTHER.sha256 }] } })).toBe(
      'ID-133',
    );
    const first = await logStart(world, { ...bare, quote });
    const next = (await makeStart(world, after(first))).predicate;
    expect(await start(next)).toBe('LS-407');
    expect(await start({ ...next, quote: quoteOf(next, newTpm()) })).toBe('LS-407');
    await logStart(world, { ...next, quote: quoteOf(next, tpm) });
  });

  it('A13: knows what the station signed and got a receipt for (LS-406)', async () => {
    const session = await world.signIn();
    const first = await logStart(world);
    const startDigest = { sha256: first.digest };
    const request = await world.permitRequest(toDevice(1), session, { station: { startDigest } });
    const permit = await world.permit(request);
    const made = await world.intent(request, permit);
    const intent = await world.intent(request, permit, { station: { ...made.predicate.station, startDigest } });
    const { index } = await world.line.submit(intent.envelope, { permit: permit.envelope });
    const known = { head: null, lastReceipt: null, pending: [] };
    // It may still be on its way.
    world.clock.advance(9_000);
    const second = await logStart(world, { ...after(first), known });
    const next = { ...after(second), sequence: 3 };
    world.clock.advance(60_000);
    expect(await start({ ...next, known })).toBe('LS-406');
    expect(await start({ ...next, known: { ...known, lastReceipt: index - 1 } })).toBe('LS-406');
    expect(await start({ ...next, known: { ...known, pending: [OTHER.sha256] } })).toBe('LS-406');
    const third = await logStart(world, { ...next, known: { ...known, pending: [intent.digest] } });
    await logStart(world, { ...after(third), sequence: 4, known: { ...known, lastReceipt: index } });
  });

  it('A13: begins anew with a new key, on another machine and without a past; the old key has ended', async () => {
    const root = toTrustedRoot();
    const second = encodeBase64(CAST.secondStation.key.publicKey.spki);
    const keys = root.keys.map((key) => (key.publicKey === second ? { ...key, owner: CAST.station.owner } : key));
    await world.close();
    world = await World.open({ line: { trustedRoot: { ...root, keys } } });
    const session = await world.signIn();
    const old = await logStart(world);
    const startDigest = { sha256: old.digest };
    const request = await world.permitRequest(toDevice(1), session, { station: { startDigest } });
    const permit = await world.permit(request);
    const made = await world.intent(request, permit);
    const intent = await world.intent(request, permit, { station: { ...made.predicate.station, startDigest } });
    await world.line.submit(intent.envelope, { permit: permit.envelope });
    world.clock.advance(60_000);

    const again = { station: { id: CAST.station.owner, ...PLACE }, fingerprint: OTHER };
    const enrolled = await makeStart(world, again, { station: 'secondStation' });
    const { index } = await world.line.submit(enrolled.envelope);
    const next = { ...again, ...after({ digest: enrolled.digest, index }) };
    expect(await start(after(old))).toBe('LS-405');
    expect(await start({ ...next, fingerprint: { sha256: 'cc'.repeat(32) } }, { station: 'secondStation' })).toBe(
      'LS-407',
    );
    const { envelope } = await makeStart(world, next, { station: 'secondStation' });
    await world.line.submit(envelope);
  });

  it('is of the approved build, or names what is not (LS-401, LS-402, LS-404)', async () => {
    const { digest } = await logBuild(world);
    const build = { digest: { sha256: digest }, version: 1 };
    expect(await start()).toBe('LS-404');
    const manifest = { digest: OTHER, lines: 13 };
    expect(await start({ build, manifest })).toBe('LS-401');
    const usb = { section: 'usb', change: 'added', line: '0951:1666' } as const;
    expect(await start({ build, manifest, drift: [usb], driftCount: 1 })).toBe('LS-402');
    expect(await start({ build, drift: [usb], driftCount: 1 })).toBe('LS-506');
    await logBuild(world, { version: 2, manifest: { ...MANIFEST, digest: OTHER } });
    expect(await start({ build })).toBe('LS-404');
  });

  it('is known after a restart, and comes out the same when the views are built again', async () => {
    const build = await logBuild(world);
    const first = await logStart(world, { build: { digest: { sha256: build.digest }, version: 1 } });
    await world.restart();
    expect(await start()).toBe('LS-405');
    const entries = await Promise.all(Array.from({ length: world.log.size }, (_, index) => world.log.readEntry(index)));
    const kinds = entries.flatMap((entry, index) => projectEntry(index, entry)).map(({ table }) => table);
    expect(kinds.filter((table) => table === 'site_record')).toHaveLength(2);
    expect(first.index).toBe(1);
  });
});
