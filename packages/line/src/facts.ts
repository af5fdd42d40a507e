// SPDX-License-Identifier: Apache-2.0
/** Looks up what the admission rules need to know; decides nothing. */
import { RefusedError, type Instant } from '@witnessmark/core';
import type { ViewReader } from '@witnessmark/store';
import type { BreakGlassBook } from './break-glass-book.ts';
import type { AdmissionFacts, Claim, SessionFacts, StationFacts } from './claim.ts';
import type { CounterFloor } from './counter-floor.ts';
import { gatherConduct, gatherPast } from './conduct-rules.ts';
import type { GoldenBook } from './golden-book.ts';
import type { KeyRing } from './key-ring.ts';
import { findReleaseInForce, type ReleaseInForce, type ReleaseSource } from './release-book.ts';
import type { LineRules } from './rules.ts';
import type { StartBook } from './start-book.ts';

interface FactSources {
  readonly views: ViewReader;
  readonly releases: ReleaseSource;
  readonly counterFloor: CounterFloor;
  readonly breakGlass: BreakGlassBook;
  readonly starts: StartBook;
  readonly golden: GoldenBook;
  readonly rules: LineRules;
  readonly keys: () => KeyRing;
}

export async function gatherFacts(
  claim: Claim,
  context: { readonly station: string; readonly now: Instant },
  sources: FactSources,
): Promise<AdmissionFacts> {
  const { views, rules } = sources;
  const { deviceId, label } = claim.identity;
  const facts = await gatherStationFacts(claim, context, sources);
  const { release } = facts;
  return {
    ...facts,
    past: await gatherPast({ station: context.station, deviceId, labelSerial: label?.serial ?? null }, sources),
    unit: (await views.unit(deviceId)) ?? null,
    labelOwner: label === null ? null : ((await views.unitByLabel(label.serial)) ?? null),
    decision: await findDecision(deviceId, views),
    unitsBegun: release instanceof RefusedError ? 0 : await views.releaseUse(release.reference.id, rules.line),
  };
}

export async function gatherStationFacts(
  claim: Pick<Claim, 'product' | 'operator'>,
  context: { readonly station: string; readonly now: Instant },
  sources: FactSources,
): Promise<StationFacts> {
  const { views, rules, counterFloor, breakGlass } = sources;
  const { station, now } = context;
  // Read once for each decision; they may change meanwhile.
  const keys = sources.keys();
  return {
    now,
    rules,
    station,
    openStop: (await views.openRefusals(station))[0] ?? null,
    start: sources.starts.newest(station),
    conduct: await gatherConduct(station, sources),
    session: await findSession(claim.operator.sessionDigest.sha256, keys, sources),
    release: await findRelease(claim, now, sources),
    counterFloor: counterFloor.of(claim.product.sku),
    breakGlass: breakGlass.inForce(station, now),
    waitsForReview: breakGlass.waitsForReview(now),
  };
}

/** A supervisor's word about a device: scrap stays scrap, and a quarantine holds. */
export async function findDecision(deviceId: string, views: ViewReader): Promise<AdmissionFacts['decision']> {
  const actions = (await views.dispositionsOf(deviceId)).map(({ action }) => action);
  if (actions.includes('scrapUnit')) return 'scrapped';
  return actions.includes('quarantineUnit') ? 'quarantined' : null;
}

/** A "no" of the repository is a fact like others: it is told in its turn, after clock, stop and session. */
async function findRelease(
  { product }: Pick<Claim, 'product'>,
  now: Instant,
  { releases }: FactSources,
): Promise<ReleaseInForce | RefusedError> {
  try {
    return findReleaseInForce(await releases.current(now), product, now);
  } catch (error) {
    if (error instanceof RefusedError) return error;
    throw error;
  }
}

async function findSession(digest: string, keys: KeyRing, { views }: FactSources): Promise<SessionFacts> {
  const row = (await views.sessionByDigest(digest)) ?? null;
  return { row, key: row === null ? null : keys.find(row.credential_key_digest) };
}
