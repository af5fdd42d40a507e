// SPDX-License-Identifier: Apache-2.0
/** What must hold before a check of a finished unit is logged: it says what the log says of the units, and lifts only what a supervisor lifts. */
import { isReasonCode } from '@witnessmark/core';
import type { UnitCheck } from '@witnessmark/attestation';
import type { UnitRow } from '@witnessmark/store';
import { ensure, LineRefusal } from '../error.ts';
import { findDecision } from '../facts.ts';
import { checkOperator, checkStation } from './by-station.ts';
import { defineCheck, type CheckedRule, type SiteRecordCheck, type SiteRecordSubmission } from './check.ts';
import type { SiteRecord } from './rule.ts';
import { CHECK_KIND, unitCheckRule } from './unit-check.ts';

type RecordReference = NonNullable<UnitCheck['record']>;

const checkUnitCheck: SiteRecordCheck<UnitCheck> = async (record, submission) => {
  const { predicate, subject } = record;
  const { views } = submission.line;
  checkStation(predicate.station, submission);
  await checkOperator(predicate.operator, submission);
  checkForm(predicate);
  const unit = (await views.unit(subject)) ?? null;
  if (predicate.record === null) {
    ensure(unit === null, 'LB-108', 'the newest record of the device', 'none, though it has one');
  } else {
    checkNewest(predicate.record, unit);
  }
  const { labelUnit } = predicate;
  if (labelUnit !== null) checkNewest(labelUnit.record, (await views.unit(labelUnit.deviceId)) ?? null);
  if (predicate.clears !== null) await checkLifting(record, predicate.clears.sha256, submission);
};

export const UNIT_CHECK_CHECKS: readonly CheckedRule[] = [defineCheck(unitCheckRule, checkUnitCheck)];

/** Throws LS-506 for a check that contradicts itself. */
function checkForm({ result, code, findings, measurements, protection, record, clears, authority }: UnitCheck): void {
  const isConsistent = result === 'consistent';
  const first = findings[0]?.code ?? null;
  ensure(
    code === first && isConsistent === (first === null) && (first === null || isReasonCode(first)),
    'LS-506',
    'a flag with the code of its first finding, or neither',
    `${result} with ${code ?? 'no code'} and ${findings.length} findings`,
  );
  // What is locked against reading answers for its content by staying locked: taking the lock off erases it.
  const isKept = (seen: string): boolean => seen === 'NOT_RUN' && protection === 'locked';
  const isSeen =
    measurements.length > 0 && measurements.every(({ result: seen }) => seen === 'SUCCESS' || isKept(seen));
  ensure(!isConsistent || (record !== null && isSeen), 'LS-506', 'content equal to a record', 'consistent without it');
  ensure(
    (clears === null) === (authority === null) && (clears === null || isConsistent),
    'LS-506',
    'a flag that a consistent check and a supervisor lift',
    'one without the other',
  );
}

/** Throws LB-108 unless that is the newest record of a finished unit, under its serial. */
function checkNewest({ serial, seq, digest }: RecordReference, unit: UnitRow | null): void {
  if (unit === null) throw new LineRefusal('LB-108', 'a unit of this line', 'a device nobody has begun');
  ensure(unit.open_transaction === null, 'LB-108', 'a unit nobody is working on', `${unit.station} working on it`);
  ensure(
    unit.head_seq === seq && unit.head_digest === digest.sha256 && unit.label_serial === serial,
    'LB-108',
    `${unit.label_serial ?? ''}, record ${unit.head_seq}, ${unit.head_digest.slice(0, 16)}…`,
    `${serial}, record ${seq}, ${digest.sha256.slice(0, 16)}…`,
  );
}

/** Throws LB-120 unless the newest check about the device is the flag, and a supervisor of the line signed along. */
async function checkLifting(
  { predicate, subject }: SiteRecord<UnitCheck>,
  clears: string,
  { signers: [, person], line }: SiteRecordSubmission,
): Promise<void> {
  const { authority } = predicate;
  ensure(
    person?.role === 'supervisor' && person.scope === line.rules.line && person.owner === authority?.id,
    'LB-120',
    `a signature of ${authority?.id ?? ''} as supervisor of ${line.rules.line}`,
    person === undefined ? 'none' : `one of ${person.owner} as ${person.role}`,
  );
  ensure(authority.role === 'supervisor', 'LB-120', 'a supervisor', authority.role);
  ensure(predicate.operator.id !== person.owner, 'LB-120', 'somebody other than the operator', person.owner);
  const state = (await line.views.unit(subject))?.state ?? 'none';
  ensure(state === 'quarantined', 'LB-120', 'a unit that a flag keeps from being shipped', `one that is ${state}`);
  const decision = await findDecision(subject, line.views);
  ensure(decision === null, 'LB-120', 'a unit no supervisor has taken out', `one that is ${decision ?? ''}`);
  const about = [...(await line.views.siteRecordsAbout(subject)), ...(await line.views.siteRecordsRelatedTo(subject))];
  const flags = about.filter(({ kind, state }) => kind === CHECK_KIND && state === 'flagged');
  const newest = flags.toSorted((left, right) => right.log_index - left.log_index)[0];
  ensure(
    newest?.payload_digest === clears,
    'LB-120',
    `the newest flag of the unit, ${newest?.payload_digest.slice(0, 16) ?? 'none'}`,
    clears.slice(0, 16),
  );
}
