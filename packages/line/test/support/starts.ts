// SPDX-License-Identifier: Apache-2.0
/** Builds and starts of the tests' stations, honest unless a test says otherwise. */
import { formatInstant } from '@witnessmark/core';
import { stationBuild, stationStart, type StationBuild, type StationStart } from '@witnessmark/attestation';
import { CAST, PLACE, type Name } from './cast.ts';
import { signAs, type Signed } from './signed.ts';
import type { Changes, StationName, World } from './world.ts';

export const MANIFEST = { digest: { sha256: 'aa'.repeat(32) }, lines: 12 };
const DIGEST = { sha256: 'bb'.repeat(32) };

export function makeBuild(
  world: World,
  changes: Changes<StationBuild> = {},
  { by = ['supervisor', 'approver'], subject }: { by?: readonly Name[]; subject?: string } = {},
): Promise<Signed<StationBuild>> {
  const predicate: StationBuild = {
    id: world.newId(),
    place: PLACE,
    stations: [CAST.station.owner],
    version: 1,
    manifest: MANIFEST,
    tolerated: [],
    kit: { digest: DIGEST, files: 3, bytes: 100 },
    proposedBy: { id: CAST.supervisor.owner, role: 'supervisor' },
    approvedBy: { id: CAST.approver.owner, role: 'approver' },
    reason: 'first build',
    ticket: 'ECO-1',
    proposedAt: formatInstant(world.clock.now()),
    ...changes,
  };
  return signAs(stationBuild, subject ?? predicate.manifest.digest.sha256, predicate, by);
}

export function makeStart(
  world: World,
  changes: Changes<StationStart> = {},
  { station = 'station', subject }: { station?: StationName; subject?: string } = {},
): Promise<Signed<StationStart>> {
  const { owner, key } = CAST[station];
  const predicate: StationStart = {
    id: world.newId(),
    station: { id: owner, ...PLACE },
    keyDigest: { sha256: key.publicKey.keyid },
    sequence: 1,
    previous: null,
    reason: 'start',
    nonce: null,
    bootId: 'boot-1',
    fingerprint: { sha256: 'cc'.repeat(32) },
    softwareDigest: DIGEST,
    build: null,
    manifest: MANIFEST,
    drift: [],
    driftCount: 0,
    known: { head: null, lastReceipt: null, pending: [] },
    measuredAt: formatInstant(world.clock.now()),
    clock: world.clockEvidence,
    quote: null,
    ...changes,
  };
  return signAs(stationStart, subject ?? predicate.keyDigest.sha256, predicate, [station]);
}

export async function logBuild(world: World, changes: Changes<StationBuild> = {}): Promise<Signed<StationBuild>> {
  const build = await makeBuild(world, changes);
  await world.line.submit(build.envelope);
  return build;
}

/** A start as the next one names it. */
export interface LoggedStart {
  readonly digest: string;
  readonly index: number;
}

export async function logStart(world: World, changes: Changes<StationStart> = {}): Promise<LoggedStart> {
  const { envelope, digest } = await makeStart(world, changes);
  const { index } = await world.line.submit(envelope);
  return { digest, index };
}

export function after({ digest, index }: LoggedStart): Pick<StationStart, 'previous' | 'sequence'> {
  return { previous: { digest: { sha256: digest }, index }, sequence: 2 };
}
