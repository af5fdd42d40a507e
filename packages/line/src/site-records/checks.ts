// SPDX-License-Identifier: Apache-2.0
/** What must hold before a site record is logged: the same for all kinds first, then the check of its kind. */
import { parseInstant } from '@witnessmark/core';
import { ensure, LineRefusal } from '../error.ts';
import { BADGE_EVENT_CHECKS } from './badge-event-check.ts';
import { BREAK_GLASS_CHECKS } from './break-glass-checks.ts';
import { CACHE_PURGE_CHECKS } from './cache-purge-check.ts';
import type { SiteRecordCheck, SiteRecordSubmission } from './check.ts';
import { GOLDEN_CHECKS } from './golden-checks.ts';
import { IMAGE_UNSEALING_CHECKS } from './image-unsealing-check.ts';
import { LABEL_EVENT_CHECKS } from './label-event-check.ts';
import { MEDIA_TRANSFER_CHECKS } from './media-transfer-check.ts';
import { OFFLINE_ALLOWANCE_CHECKS } from './offline-allowance-check.ts';
import { OFFLINE_DELIVERY_CHECKS } from './offline-delivery-check.ts';
import type { SiteRecord, SiteRecordRule } from './rule.ts';
import { SESSION_END_CHECKS } from './session-end-check.ts';
import { STATION_BUILD_CHECKS } from './station-build-check.ts';
import { STATION_IDENTITY_CHECKS } from './station-identity-check.ts';
import { STATION_START_CHECKS } from './station-start-check.ts';
import { UNIT_CHECK_CHECKS } from './unit-check-check.ts';

const CHECKS: ReadonlyMap<SiteRecordRule<unknown>, SiteRecordCheck<unknown>> = new Map([
  ...BADGE_EVENT_CHECKS,
  ...BREAK_GLASS_CHECKS,
  ...GOLDEN_CHECKS,
  ...CACHE_PURGE_CHECKS,
  ...IMAGE_UNSEALING_CHECKS,
  ...LABEL_EVENT_CHECKS,
  ...MEDIA_TRANSFER_CHECKS,
  ...OFFLINE_ALLOWANCE_CHECKS,
  ...OFFLINE_DELIVERY_CHECKS,
  ...SESSION_END_CHECKS,
  ...STATION_BUILD_CHECKS,
  ...STATION_IDENTITY_CHECKS,
  ...STATION_START_CHECKS,
  ...UNIT_CHECK_CHECKS,
]);

/** What holds for records of every kind, then the rule's own check. Throws LS-301, LS-502 or what the rule throws. */
export async function checkSiteRecord(
  rule: SiteRecordRule<unknown>,
  record: SiteRecord<unknown>,
  submission: SiteRecordSubmission,
): Promise<void> {
  const { now, signers, line } = submission;
  const { rules } = line;
  const { line: named, at } = rule.describe(record.predicate);
  const { signatures = 1 } = rule;
  const wanted = typeof signatures === 'number' ? signatures : signatures(record.predicate);
  ensure(named === rules.line, 'LS-502', `a record of ${rules.line}`, `one of ${named}`);
  ensure(signers.length === wanted, 'LS-502', `${wanted} signatures, of different keys`, `${signers.length}`);
  const madeAt = parseInstant(at);
  const maxDelayMs = Math.max(rule.maxDelayMs ?? 0, rules.maxClockOffsetMs);
  if (madeAt > now + rules.maxClockOffsetMs || madeAt < now - maxDelayMs) {
    throw new LineRefusal('LS-301', `a record made within ${maxDelayMs} ms`, at);
  }
  await checkOf(rule)(record, submission);
}

/** A kind that nobody checks is not logged. */
function checkOf(rule: SiteRecordRule<unknown>): SiteRecordCheck<unknown> {
  const check = CHECKS.get(rule);
  if (check === undefined) throw new TypeError(`there is no check for ${rule.kind}`);
  return check;
}
