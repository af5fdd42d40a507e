// SPDX-License-Identifier: Apache-2.0
/** What must hold before a label event is logged: the right unit, the right label, the next event, and whoever may decide. */
import type { LabelEvent } from '@witnessmark/attestation';
import type { SiteRecordRow, UnitRow } from '@witnessmark/store';
import { ensure, LineRefusal } from '../error.ts';
import { checkOperator, checkStation } from './by-station.ts';
import { defineCheck, type CheckedRule, type SiteRecordCheck, type SiteRecordSubmission } from './check.ts';
import { LABEL_KIND, labelEventRule } from './label-event.ts';
import type { SiteRecord } from './rule.ts';

const checkLabelEvent: SiteRecordCheck<LabelEvent> = async (record, submission) => {
  const { predicate, subject } = record;
  const { views } = submission.line;
  checkStation(predicate.station, submission);
  await checkOperator(predicate.operator, submission);
  checkForm(predicate);
  checkUnit(predicate, (await views.unit(subject)) ?? null);
  const events = (await views.siteRecordsAbout(subject)).filter(({ kind }) => kind === LABEL_KIND);
  checkPlace(record, events);
  checkAuthority(predicate, submission);
};

export const LABEL_EVENT_CHECKS: readonly CheckedRule[] = [defineCheck(labelEventRule, checkLabelEvent)];

/** Members that go with an action are there, and no others. Throws LS-506. */
function checkForm({ action, id, labelId, replaces, reason, authority, symbolDigest, printer }: LabelEvent): void {
  const makes = action === 'printed' || action === 'reprinted';
  const isDecision = action === 'reprinted' || action === 'voided';
  const holds =
    makes === (labelId === id) &&
    makes === (printer !== null) &&
    (replaces !== null) === (action === 'reprinted') &&
    (symbolDigest !== null) === (action !== 'voided');
  ensure(holds, 'LS-506', `the members of a label that was ${action}`, 'others');
  ensure(
    isDecision === (reason !== null) && isDecision === (authority !== null),
    'LB-113',
    isDecision ? 'a reason, and the person who decided' : 'no reason beside what is no decision',
    'another form',
  );
}

/** Throws LB-108 for a unit without a record to label, LB-115 for a label that does not say what the record says. */
function checkUnit({ action, record, serial, sku }: LabelEvent, unit: UnitRow | null): void {
  if (unit === null) throw new LineRefusal('LB-108', 'a unit of this line', 'a device nobody has begun');
  const head = `record ${unit.head_seq}, ${unit.head_digest.slice(0, 16)}…`;
  ensure(action === 'voided' || unit.state === 'passed', 'LB-108', 'a unit that passed', `one that is ${unit.state}`);
  ensure(
    record.seq === unit.head_seq && record.digest.sha256 === unit.head_digest,
    'LB-108',
    `the newest record, ${head}`,
    `record ${record.seq}, ${record.digest.sha256.slice(0, 16)}…`,
  );
  ensure(serial === unit.label_serial, 'LB-115', `serial ${unit.label_serial ?? ''}`, serial);
  ensure(sku === unit.sku, 'LB-115', `part number ${unit.sku}`, sku);
}

/** The event is the next one about the labels of its device, and about the one that counts. Throws LB-109, LB-110 or LB-114. */
function checkPlace({ predicate }: SiteRecord<LabelEvent>, events: readonly SiteRecordRow[]): void {
  const { action, labelId, replaces, labelWas, previous, copy } = predicate;
  const live = events.find(({ state }) => state === 'printed' || state === 'scanned');
  const made = events.filter(({ state }) => state !== 'done').length;
  if (action === 'printed') {
    ensure(live === undefined, 'LB-109', 'a unit without a label', `label ${live?.record_id ?? ''}, which counts`);
  } else {
    const named = replaces ?? labelId;
    ensure(live?.record_id === named, 'LB-110', `label ${live?.record_id ?? 'none'}, which counts`, `label ${named}`);
    ensure(labelWas === live.state, 'LB-114', `a label that was ${live.state}`, labelWas ?? 'none');
    ensure(
      action !== 'scanned' || labelWas === 'printed',
      'LB-114',
      'a label nobody has scanned back',
      'a second time',
    );
  }
  const last = events.at(-1)?.payload_digest ?? null;
  ensure(
    (previous?.sha256 ?? null) === last,
    'LB-114',
    `the label event after ${last?.slice(0, 16) ?? 'none'}`,
    `one after ${previous?.sha256.slice(0, 16) ?? 'none'}`,
  );
  const wanted = action === 'printed' || action === 'reprinted' ? made + 1 : made;
  ensure(copy === wanted, 'LB-114', `copy ${wanted}`, `copy ${copy}`);
}

/** Throws LB-113 unless the person who decided signed, and the rules of the line let people of that role decide. */
function checkAuthority({ action, authority }: LabelEvent, { signers: [, person], line }: SiteRecordSubmission): void {
  if (authority === null) return;
  const { reprintRoles, voidRoles } = line.rules.labels;
  const roles: readonly string[] = action === 'voided' ? voidRoles : reprintRoles;
  ensure(
    person?.owner === authority.id && person.role === authority.role && person.scope === line.rules.line,
    'LB-113',
    `a signature of ${authority.id} as ${authority.role} of ${line.rules.line}`,
    person === undefined ? 'none' : `one of ${person.owner} as ${person.role} of ${person.scope}`,
  );
  ensure(roles.includes(authority.role), 'LB-113', `a decision by a person of role ${roles.join(' or ')}`, person.role);
}
