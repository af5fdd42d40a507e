// SPDX-License-Identifier: Apache-2.0
/** Who may open, reseal and review break-glass, and when (spec/break-glass.md). */
import {
  breakGlassOpening,
  type BreakGlassClosing,
  type BreakGlassOpening,
  type BreakGlassReview,
  type TrustedKey,
} from '@witnessmark/attestation';
import type { SiteRecordRow } from '@witnessmark/store';
import { ensure, LineRefusal } from '../error.ts';
import { closingRule, lineSubjectDigest, OPENING_KIND, openingRule, reviewRule } from './break-glass.ts';
import { defineCheck, type CheckedRule, type SiteRecordCheck, type SiteRecordSubmission } from './check.ts';

const checkOpening: SiteRecordCheck<BreakGlassOpening> = async ({ predicate, subject }, { now, signers, line }) => {
  const { rules, views, keys } = line;
  const { place, scope, requestedBy, confirmedBy, minutes } = predicate;
  const people = [requestedBy, confirmedBy];
  for (const { id, role } of people) {
    const signer = signers.find(({ owner }) => owner === id);
    ensure(signer?.role === role, 'BG-101', `a signature of ${id} as ${role}`, 'none');
    ensure(isEntitled(signer, rules.line), 'BG-101', `a supervisor of ${rules.line} or an approver`, `${role} ${id}`);
  }
  ensure(requestedBy.id !== confirmedBy.id, 'BG-101', 'two different people', `${requestedBy.id} twice`);
  ensure(place.plant === rules.plant, 'BG-102', `an opening of ${rules.plant}`, place.plant);
  ensure(subject === lineSubjectDigest(rules.line), 'BG-102', `a statement about ${rules.line}`, 'another subject');
  ensure(
    place.station === null || keys().isStation(place.station, now),
    'BG-102',
    `a station of ${rules.line}, or all of it`,
    place.station ?? '',
  );
  ensure(new Set(scope).size === scope.length, 'BG-102', 'each rule once', scope.join(', '));
  const { maxMinutes } = rules.breakGlass;
  ensure(minutes <= maxMinutes, 'BG-102', `at most ${maxMinutes} minutes`, `${minutes}`);
  const last = (await views.recentSiteRecords(OPENING_KIND, 1))[0];
  ensure(
    last === undefined || last.state === 'reviewed',
    'BG-103',
    'no opening that waits for reseal or review',
    `${last?.record_id ?? ''}, which is ${last?.state ?? ''}`,
  );
};

const checkClosing: SiteRecordCheck<BreakGlassClosing> = async (
  { predicate, subject },
  { signers: [signer], line },
) => {
  const { resealedBy } = predicate;
  checkPerson(resealedBy, signer);
  ensure(isEntitled(signer, line.rules.line), 'BG-107', 'a supervisor of the line or an approver', signer.role);
  await requireOpening(predicate, subject, 'open', line);
};

const checkReview: SiteRecordCheck<BreakGlassReview> = async ({ predicate, subject }, { signers: [signer], line }) => {
  const { reviewedBy } = predicate;
  checkPerson(reviewedBy, signer);
  ensure(signer.role === 'approver', 'BG-107', 'an approver', signer.role);
  const row = await requireOpening(predicate, subject, 'resealed', line);
  const statement = await line.records.readStatement(row.log_index);
  if (statement.kind !== 'siteRecord' || statement.rule !== openingRule) {
    throw new LineRefusal('BG-106', `an opening of the id ${predicate.openingId}`, 'another record');
  }
  const { requestedBy, confirmedBy } = breakGlassOpening.schema.parse(statement.predicate);
  ensure(
    reviewedBy.id !== requestedBy.id && reviewedBy.id !== confirmedBy.id,
    'BG-107',
    'a review by somebody who did not open it',
    reviewedBy.id,
  );
};

export const BREAK_GLASS_CHECKS: readonly CheckedRule[] = [
  defineCheck(openingRule, checkOpening),
  defineCheck(closingRule, checkClosing),
  defineCheck(reviewRule, checkReview),
];

/** A supervisor of the line, or an approver of releases. */
function isEntitled({ role, scope }: TrustedKey, line: string): boolean {
  return role === 'approver' || (role === 'supervisor' && scope === line);
}

function checkPerson(named: { readonly id: string; readonly role: string }, signer: TrustedKey): void {
  ensure(
    named.id === signer.owner && named.role === signer.role,
    'BG-107',
    `a record signed by ${named.id} as ${named.role}`,
    `one signed by ${signer.owner} as ${signer.role}`,
  );
}

/** The opening a later record names, in the state it goes on from. Throws BG-106. */
async function requireOpening(
  predicate: BreakGlassClosing | BreakGlassReview,
  subject: string,
  state: string,
  { views }: SiteRecordSubmission['line'],
): Promise<SiteRecordRow> {
  const { openingId, openingDigest, place } = predicate;
  const row = await views.siteRecord(openingId);
  if (row?.kind !== OPENING_KIND) throw new LineRefusal('BG-106', `an opening of the id ${openingId}`, 'none');
  const digest = row.payload_digest;
  ensure(openingDigest.sha256 === digest && subject === digest, 'BG-106', `digest ${digest}`, openingDigest.sha256);
  ensure(row.station === place.station, 'BG-106', `the place of the opening`, 'another one');
  ensure(row.state === state, 'BG-106', `an opening that is ${state}`, `one that is ${row.state}`);
  return row;
}
