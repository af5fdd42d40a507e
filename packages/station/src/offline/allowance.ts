// SPDX-License-Identifier: Apache-2.0
/** What the line allows this station to make while it does not answer, believed only as the logged statement it is. */
import { isDeepStrictEqual } from 'node:util';
import {
  formatInstant,
  parseInstant,
  sha256Hex,
  WitnessmarkError,
  type Envelope,
  type Instant,
} from '@witnessmark/core';
import {
  buildStatement,
  offlineAllowance,
  offlineRequest,
  parseStatement,
  type OfflineAllowance,
  type OfflineRequest,
} from '@witnessmark/attestation';
import type { PublicKey } from '@witnessmark/core';
import { StationRefusal } from '../error.ts';
import { toEnvironment, toOperator, toProduct, type BoundUnit, type Occasion } from '../statements.ts';

/** An allowance is renewed when less than this share of its units or hours is left. */
const RENEWAL_SHARE = 0.5;

export interface HeldAllowance {
  readonly envelope: Envelope;
  readonly statement: OfflineAllowance;
  /** SHA-256 of the statement's payload, lower-case hexadecimal. */
  readonly digest: string;
}

/** What a unit has to agree with. */
export interface OfflineWork {
  readonly product: OfflineAllowance['product'];
  /** Of the release the station holds. */
  readonly candidateDigest: string;
  readonly sessionDigest: string;
  readonly startDigest: string | null;
}

export type UnitAtWork = Pick<BoundUnit, 'job' | 'release' | 'session' | 'start'>;

export function toWork(unit: UnitAtWork): OfflineWork {
  return {
    product: toProduct(unit),
    candidateDigest: unit.release.reference.candidateDigest.sha256,
    sessionDigest: unit.session.digest,
    startDigest: unit.start?.digest ?? null,
  };
}

export function toOfflineRequest(
  unit: UnitAtWork,
  context: Occasion & {
    readonly id: string;
    /** Where the spool ends; absent before the first allowance. */
    readonly spool: OfflineRequest['spool'];
  },
): OfflineRequest {
  const { id, line, plant, slot } = context.station;
  return {
    id: context.id,
    station: { id, line, plant, ...(slot !== undefined && { slot }) },
    product: toProduct(unit),
    releaseId: unit.release.manifest.releaseId,
    operator: toOperator(unit.session),
    ...(unit.start !== null && { startDigest: { sha256: unit.start.digest } }),
    ...(context.spool !== undefined && { spool: context.spool }),
    requestedAt: formatInstant(context.clock.now),
    clock: context.clock.evidence,
    environment: toEnvironment(context.station, context.fixture, null),
  };
}

export function formatOfflineRequest(request: OfflineRequest, stationKey: PublicKey): Uint8Array {
  return buildStatement(offlineRequest, { name: 'station', digest: { sha256: stationKey.keyid } }, request);
}

/** Reads an allowance whose receipt was verified. Throws LS-504 when it is not the answer to this request. */
export function readAllowance(envelope: Envelope, request: OfflineRequest, requestPayload: Uint8Array): HeldAllowance {
  let statement: OfflineAllowance;
  try {
    statement = parseStatement(offlineAllowance, envelope.payload).predicate;
  } catch (error) {
    if (!(error instanceof WitnessmarkError)) throw error;
    throw refused('an allowance', `${error.code}: ${error.message}`);
  }
  const pairs: readonly (readonly [string, unknown, unknown])[] = [
    ['request', sha256Hex(requestPayload), statement.requestDigest.sha256],
    ['id', request.id, statement.id],
    ['station', request.station, statement.station],
    ['product', request.product, statement.product],
    ['release', request.releaseId, statement.release.id],
    ['session', request.operator.sessionDigest, statement.sessionDigest],
    ['slot', request.station.slot, statement.spool.slot],
  ];
  for (const [what, expected, observed] of pairs) {
    if (isDeepStrictEqual(expected, observed)) continue;
    throw refused(`an allowance for ${what} ${JSON.stringify(expected)}`, JSON.stringify(observed ?? null));
  }
  return { envelope, statement, digest: sha256Hex(envelope.payload) };
}

/** Whether an allowance is for this work at all; its hours and units may be used up. */
function isFor({ statement }: HeldAllowance, work: OfflineWork): boolean {
  return (
    isDeepStrictEqual(statement.product, work.product) &&
    statement.release.candidateDigest.sha256 === work.candidateDigest &&
    statement.sessionDigest.sha256 === work.sessionDigest &&
    (statement.startDigest?.sha256 ?? null) === work.startDigest
  );
}

/** Whether an allowance for this work will do for a while. */
export function isFresh(held: HeldAllowance, work: OfflineWork, unitsBegun: number, now: Instant): boolean {
  if (!isFor(held, work)) return false;
  const { maxUnits, issuedAt, notAfter } = held.statement;
  const until = parseInstant(notAfter);
  const hours = until - parseInstant(issuedAt);
  return maxUnits - unitsBegun >= maxUnits * RENEWAL_SHARE && until - now >= hours * RENEWAL_SHARE;
}

/** Throws HD-07 unless another unit of this work may be begun. */
export function requireCover(held: HeldAllowance, work: OfflineWork, unitsBegun: number, now: Instant): void {
  const { number, maxUnits, notAfter } = held.statement;
  const rows: readonly (readonly [boolean, string, string])[] = [
    [isFor(held, work), `work that allowance ${number} is for`, 'another release, order, session or start'],
    [now < parseInstant(notAfter), `a time before ${notAfter}`, formatInstant(now)],
    [unitsBegun < maxUnits, `fewer than ${maxUnits} units under allowance ${number}`, `${unitsBegun}`],
  ];
  for (const [holds, expected, observed] of rows) if (!holds) throw new StationRefusal('HD-07', { expected, observed });
}

function refused(expected: string, observed: string): StationRefusal {
  return new StationRefusal('LS-504', { expected, observed });
}
