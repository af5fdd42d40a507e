// SPDX-License-Identifier: Apache-2.0
import { formatInstant, sha256Hex, STATEMENT_PAYLOAD_TYPE, type Envelope } from '@witnessmark/core';
import { buildStatement, mediaTransfer, type MediaTransfer } from '@witnessmark/attestation';
import { signEnvelope } from '@witnessmark/custody';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CAST, PLACE, type Name } from './support/cast.ts';
import { codeOf, World } from './support/world.ts';

const DIGEST = { sha256: sha256Hex(new Uint8Array([1])) };

let world: World;
beforeEach(async () => {
  world = await World.open();
});
afterEach(() => world.close());

async function make(changes: Partial<MediaTransfer> = {}, by: Name = 'operator'): Promise<Envelope> {
  const predicate: MediaTransfer = {
    transferId: world.newId(),
    direction: 'ingest',
    medium: { id: '5A1C-0B2E', learntFrom: 'filesystemUuid', serial: null, form: 'directory' },
    tree: { files: 3, bytes: 1024 },
    expected: { kind: 'trustRepository', digest: DIGEST },
    batch: null,
    receivedBatch: null,
    person: { id: CAST[by].owner, role: CAST[by].role },
    site: { plant: PLACE.plant, line: PLACE.line },
    result: 'accepted',
    code: null,
    findings: [],
    findingCount: 0,
    secretClasses: { name: 'witnessmark default', version: 1, digest: DIGEST },
    purpose: 'release of the week',
    ticket: null,
    transferredAt: formatInstant(world.clock.now()),
    ...changes,
  };
  const payload = buildStatement(mediaTransfer, { name: 'tree', digest: DIGEST }, predicate);
  return signEnvelope(STATEMENT_PAYLOAD_TYPE, payload, [CAST[by].key]);
}

describe('media ingest at a line', () => {
  it('is a site record, accepted or refused', async () => {
    await world.line.submit(await make());
    await world.line.submit(
      await make({ result: 'refused', code: 'BX-111', findings: [{ path: 'x', code: 'BX-111' }] }),
    );
    const states = (await world.line.siteRecords('media-transfer')).map(({ state, actor }) => `${state} ${actor}`);
    expect(states.sort()).toEqual([`accepted ${CAST.operator.owner}`, `refused ${CAST.operator.owner}`]);
  });

  it('is signed by the person it names, who may do it (BX-116)', async () => {
    expect(await codeOf(world.line.submit(await make({ person: { id: 'somebody', role: 'operator' } })))).toBe(
      'BX-116',
    );
    expect(await codeOf(world.line.submit(await make({}, 'station')))).toBe('BX-116');
  });

  it('is of this place, and not an export (LS-502)', async () => {
    expect(await codeOf(world.line.submit(await make({ direction: 'export' })))).toBe('LS-502');
    const elsewhere = { plant: 'elsewhere', line: PLACE.line };
    expect(await codeOf(world.line.submit(await make({ site: elsewhere })))).toBe('LS-502');
  });
});
