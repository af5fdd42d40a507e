// SPDX-License-Identifier: Apache-2.0
/**
 * What must hold for statements that were made while this line did not answer (spec/offline-spool.md). They are judged as of
 * the time they bear, by the allowance in place of a permit; where a unit stands is judged as of now, so that of two
 * stations that made one device the first to deliver has it.
 */
import { isDeepStrictEqual } from 'node:util';
import { formatInstant, parseInstant, type Instant } from '@witnessmark/core';
import type {
  OfflineAllowance,
  OfflineDelivery,
  ProvisioningIntent,
  SpoolPlace,
  TrustedKey,
} from '@witnessmark/attestation';
import { admit } from '../admission.ts';
import type { AdmissionFacts } from '../claim.ts';
import { ensure, LineRefusal } from '../error.ts';
import { gatherFacts } from '../facts.ts';
import { checkIntent, toClaim } from '../intent-rules.ts';
import type { LineContext } from '../line-context.ts';
import type { ReleaseInForce } from '../release-book.ts';
import { ALLOWANCE_KIND } from '../site-records/offline-allowance.ts';
import { DELIVERY_KIND } from '../site-records/offline-delivery.ts';
import type { ReadIntent } from '../statements.ts';
import { placeOf } from '../station-place.ts';
import { checkPlace, nameOf, type SpoolOwner } from './spool-rules.ts';

/** The statement is the next of its spool and was announced. Throws LS-312 to LS-317. */
export async function checkSpooled(
  place: SpoolPlace,
  owner: SpoolOwner,
  { views, records }: Pick<LineContext, 'views' | 'records'>,
): Promise<void> {
  checkPlace(place, owner, await views.spool(nameOf(owner)));
  const related = await views.siteRecordsRelatedTo(place.allowanceDigest.sha256);
  const row = related.findLast(({ kind }) => kind === DELIVERY_KIND);
  const statement = row === undefined ? null : await records.readStatement(row.log_index);
  const delivery = statement?.kind === 'siteRecord' ? (statement.predicate as OfflineDelivery) : null;
  ensure(
    delivery !== null && delivery.firstSeq <= place.seq && place.seq <= delivery.lastSeq,
    'LS-317',
    `a delivery that announces record ${place.seq} of ${nameOf(owner)}`,
    delivery === null ? 'none' : `one of records ${delivery.firstSeq} to ${delivery.lastSeq}`,
  );
}

export interface SpooledSubmission {
  readonly signer: TrustedKey;
  readonly now: Instant;
}

/** Returns the release it was made under. Throws what admission throws, and LS-315. */
export async function checkSpooledIntent(
  intent: ReadIntent,
  offline: NonNullable<ProvisioningIntent['offline']>,
  { signer, now }: SpooledSubmission,
  context: LineContext,
): Promise<ReleaseInForce> {
  const { predicate } = intent;
  const { rules } = context;
  await checkSpooled(offline, predicate.station, context);
  const allowance = await readAllowance(offline.allowanceDigest.sha256, context);
  await checkUnitNumber(predicate, offline.unit, allowance, context);
  checkAllowance(allowance, predicate, rules.maxClockOffsetMs);
  const claim = toClaim(intent);
  const known = await gatherFacts(claim, { station: signer.owner, now }, context);
  const facts: AdmissionFacts = {
    ...known,
    now: claim.at,
    // What was made was made: a stop that was opened since holds the next unit, not the record of this one.
    openStop: null,
    conduct: { ...known.conduct, failures: [] },
    session: asItWas(known.session),
    release: await findAllowedRelease(allowance, known, now, context),
    counterFloor: 0,
    breakGlass: null,
    waitsForReview: false,
  };
  const grant = admit(claim, facts);
  checkIntent(predicate, grant, placeOf(signer, rules));
  return grant.inForce;
}

/** An event whose intent was refused has nothing to close; the refusal of the intent holds the station, this one does not. */
export function checkSpooledLink(checkLink: () => void): void {
  try {
    checkLink();
  } catch (error) {
    if (!(error instanceof LineRefusal) || (error.code !== 'LS-105' && error.code !== 'LS-106')) throw error;
    throw new LineRefusal('LS-316', error.expected, error.observed, error);
  }
}

/** People sign in anew while a spool waits; the session was open when the allowance was given, and is judged by its hours. */
function asItWas({ row, key }: AdmissionFacts['session']): AdmissionFacts['session'] {
  return { row: row === null ? null : { ...row, state: 'open' }, key };
}

async function readAllowance(
  digest: string,
  { views, records }: Pick<LineContext, 'views' | 'records'>,
): Promise<OfflineAllowance> {
  const row = await views.siteRecordByDigest(digest);
  const statement = row?.kind === ALLOWANCE_KIND ? await records.readStatement(row.log_index) : null;
  if (statement?.kind !== 'siteRecord') throw new LineRefusal('LS-315', 'an allowance in the log', digest);
  return statement.predicate as OfflineAllowance;
}

async function checkUnitNumber(
  { station }: ProvisioningIntent,
  unit: number,
  { maxUnits, number }: OfflineAllowance,
  { views }: Pick<LineContext, 'views'>,
): Promise<void> {
  const begun = (await views.spool(nameOf(station)))?.units ?? 0;
  ensure(unit === begun + 1, 'LS-315', `unit ${begun + 1} of allowance ${number}`, `unit ${unit}`);
  ensure(unit <= maxUnits, 'LS-315', `at most ${maxUnits} units of allowance ${number}`, `unit ${unit}`);
}

/** Throws LS-315 unless the allowance covers the intent. */
function checkAllowance(allowance: OfflineAllowance, intent: ProvisioningIntent, toleranceMs: number): void {
  const { station, product, release, operatorId, sessionDigest, startDigest, number } = allowance;
  const { id, line, plant, slot } = intent.station;
  const pairs: readonly (readonly [string, unknown, unknown])[] = [
    ['station', station, { id, line, plant, ...(slot === undefined ? {} : { slot }) }],
    ['product', product, intent.product],
    ['release', release.candidateDigest, intent.release.candidateDigest],
    ['operator', operatorId, intent.operator.id],
    ['session', sessionDigest, intent.operator.sessionDigest],
    ['start', startDigest ?? null, intent.station.startDigest ?? null],
    ['digest', intent.offline?.allowanceDigest, intent.permitDigest],
  ];
  for (const [what, expected, found] of pairs) {
    const names = [JSON.stringify(expected), JSON.stringify(found)] as const;
    ensure(isDeepStrictEqual(expected, found), 'LS-315', `${what} ${names[0]} of allowance ${number}`, names[1]);
  }
  const at = parseInstant(intent.timing.intendedAt);
  ensure(
    at >= parseInstant(allowance.issuedAt) - toleranceMs && at < parseInstant(allowance.notAfter),
    'LS-315',
    `a time from ${allowance.issuedAt} until ${allowance.notAfter}`,
    formatInstant(at),
  );
}

/**
 * A release that another has replaced since was right when the unit was made; one that was withdrawn is refused here, and
 * the unit with it.
 */
async function findAllowedRelease(
  { release: allowed, product }: OfflineAllowance,
  { release: inForce }: Pick<AdmissionFacts, 'release'>,
  now: Instant,
  { releases }: Pick<LineContext, 'releases'>,
): Promise<AdmissionFacts['release']> {
  const isInForce =
    'reference' in inForce && inForce.reference.candidateDigest.sha256 === allowed.candidateDigest.sha256;
  if (isInForce) return inForce;
  const { effectivity } = await releases.current(now);
  const withdrawal = effectivity.withdrawn.find(({ releaseId }) => releaseId === allowed.id);
  if (withdrawal !== undefined) {
    return new LineRefusal('LS-203', 'a release in effect', `${allowed.id}, withdrawn at ${withdrawal.withdrawnAt}`);
  }
  const known = await releases.release(allowed.id, now);
  if (known?.candidateDigest !== allowed.candidateDigest.sha256) {
    return new LineRefusal('LS-203', `release ${allowed.id} as it was allowed`, 'none in the trust repository');
  }
  if (known.objection !== null) return known.objection;
  const rule = {
    releaseId: allowed.id,
    sku: product.sku,
    hwVersions: [product.hwVersion],
    workOrders: null,
    eco: allowed.effectivity.eco,
    maxUnits: null,
  };
  return { release: known, rule: { ...rule, ...TIMELESS }, reference: allowed };
}

/** The rule that was in force is gone; its hours and units are those of the allowance. */
const TIMELESS = { validFrom: '1970-01-01T00:00:00Z', validUntil: null } as const;
