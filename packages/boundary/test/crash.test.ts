// SPDX-License-Identifier: Apache-2.0
/** A power cut at every write: what is visible is whole or not there, was recorded before, and the next run succeeds. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { debugBundle, parseStatement } from '@witnessmark/attestation';
import { sha256Hex } from '@witnessmark/core';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { describe, expect, it } from 'vitest';
import {
  ContentsList,
  DebugBundleDesk,
  exportMedium,
  formatContentsList,
  ingestMedium,
  openMedium,
  type BoundaryFiles,
} from '../src/index.ts';
import { nodeFiles } from '../src/files.ts';
import { everyFault, faultyFiles, PowerCut } from './support/faulty-files.ts';
import { CLASSES, createWorld, HOUR, NOW, requestOf, type World } from './support/world.ts';

const FILES = { 'a/one.txt': 'one', 'b.txt': 'two' };

/** Names that were made visible below a directory, hidden ones left out. */
function visible(directory: string): readonly string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => !name.split('/').some((part) => part.startsWith('.')) && !name.endsWith('.partial'))
    .sort();
}

describe('media', () => {
  const whole = ['MEDIA.dsse.json', 'a', 'a/one.txt', 'b.txt'];

  async function run(world: World, files: BoundaryFiles, signer: ReturnType<World['person']>): Promise<void> {
    const source = await openMedium(world.path('tree-1'));
    const request = { ...requestOf(world, signer, 'batch'), batch: { sequence: 1, previous: null }, files };
    await exportMedium(source, request);
    const batch = await openMedium(world.path('batch'));
    await ingestMedium(batch, { ...requestOf(world, signer, 'in'), expectation: null, files });
  }

  it('show a batch, and what was brought in, wholly or not at all, and never unrecorded', async () => {
    const trial = createWorld();
    trial.tree(FILES);
    const counted = faultyFiles(-1, 'before');
    await run(trial, counted, trial.person('sam', 'supervisor'));
    expect(counted.calls.length).toBeGreaterThan(15);
    for (const [at, fault] of everyFault(counted.calls)) {
      const world = createWorld();
      world.tree(FILES);
      const sam = world.person('sam', 'supervisor');
      const failure = await run(world, faultyFiles(at, fault), sam).catch((error: unknown) => error);
      const where = `${fault} ${counted.calls[at] ?? ''}`;
      expect(failure, where).toBeInstanceOf(PowerCut);
      const batch = visible(world.path('batch'));
      const brought = visible(world.path('in'));
      expect([[], whole], where).toContainEqual(batch);
      expect([[], whole.slice(1)], where).toContainEqual(brought);
      expect(world.log.length, where).toBeGreaterThanOrEqual((batch.length > 0 ? 1 : 0) + (brought.length > 0 ? 1 : 0));
      // The next run finishes what is missing.
      if (batch.length === 0) await run(world, nodeFiles, sam);
      else if (brought.length === 0) {
        const medium = await openMedium(world.path('batch'));
        await ingestMedium(medium, { ...requestOf(world, sam, 'in'), expectation: null });
      }
      expect(visible(world.path('in')), where).toEqual(whole.slice(1));
    }
  });
});

describe('debug bundles', () => {
  const policies = {
    contentsList: ContentsList.parse(
      formatContentsList({
        mediaType: 'application/vnd.witnessmark.debug-contents.v1+json',
        name: 'logs',
        version: 1,
        rules: [{ pattern: '*.txt', class: 'log', symbols: 'forbidden', maxBytes: 100 }],
      }),
    ),
    classes: CLASSES,
    markers: [],
  };

  interface Cast {
    readonly rita: ReturnType<World['person']>;
    readonly approvers: readonly ReturnType<World['person']>[];
    readonly recipient: string;
  }

  function deskOf(world: World, files: BoundaryFiles): DebugBundleDesk {
    const { keys, clock, record } = world;
    const newWatermark = (): Uint8Array => new Uint8Array(16).fill(7);
    return new DebugBundleDesk({ directory: world.path('bundles'), keys, clock, record, newWatermark, files });
  }

  /** Goes on from wherever an earlier run was cut off. */
  async function run(world: World, files: BoundaryFiles, { rita, approvers, recipient }: Cast): Promise<void> {
    const desk = deskOf(world, files);
    const source = await openMedium(world.path('tree-1'));
    const recipients = [{ id: 'eve', recipient }];
    const text = { purpose: 'p', ticket: 'T-1' };
    let [status] = await desk.list();
    status ??= await desk.propose({
      source,
      policies,
      recipients,
      expiresAt: NOW + HOUR,
      reseals: null,
      signer: rita,
      ...text,
    });
    const { bundleId, proposal } = status;
    for (const signer of approvers.slice(status.approvals.length)) {
      await desk.decide({
        bundleId,
        act: 'approve',
        meaning: 'm',
        ticket: 'T',
        typedDigestPrefix: proposal.digest,
        signer,
      });
    }
    if (status.state !== 'sealed') await desk.seal({ bundleId, source, policies, signer: rita });
  }

  it('are proposed, approved and sealed wholly or not at all, and never unrecorded', async () => {
    const recipient = await identityToRecipient(await generateX25519Identity());
    const cast = (world: World): Cast => ({
      rita: world.person('rita', 'author'),
      approvers: [world.person('anna', 'approver'), world.person('ben', 'approver')],
      recipient,
    });
    const trial = createWorld();
    trial.tree({ 'a.txt': 'log' });
    const counted = faultyFiles(-1, 'before');
    await run(trial, counted, cast(trial));
    for (const [at, fault] of everyFault(counted.calls)) {
      const world = createWorld();
      world.tree({ 'a.txt': 'log' });
      const people = cast(world);
      const where = `${fault} ${counted.calls[at] ?? ''}`;
      const failure = await run(world, faultyFiles(at, fault), people).catch((error: unknown) => error);
      expect(failure, where).toBeInstanceOf(PowerCut);
      const [status] = await deskOf(world, nodeFiles).list();
      const recorded = new Set(world.log.map(({ payload }) => sha256Hex(payload)));
      for (const part of [status?.proposal, ...(status?.decisions ?? [])]) {
        if (part !== undefined) expect(recorded, where).toContain(part.digest);
      }
      if (status?.seal != null) expect(recorded, where).toContain(sha256Hex(status.seal.payload));
      await run(world, nodeFiles, people);
      const sealed = readdirSync(join(world.path('bundles'), 'DB-0001/sealed')).sort();
      expect(sealed, where).toEqual(['DB-0001.eve-1.tar.age', 'DB-0001.statements.json', 'seal.dsse.json']);
      const acts = world.log.map(({ payload }) => parseStatement(debugBundle, payload).predicate.act);
      expect(acts.at(-1), where).toBe('seal');
    }
  });
});
