// SPDX-License-Identifier: Apache-2.0
/** What must hold before a site record is logged: the same for all kinds first, then the check of its kind. */
import { parseInstant } from '@witnessmark/core';
import { ensure, LineRefusal } from '../error.ts';
import { BREAK_GLASS_CHECKS } from './break-glass-checks.ts';
import type { SiteRecordCheck, SiteRecordSubmission } from './check.ts';
import { IMAGE_UNSEALING_CHECKS } from './image-unsealing-check.ts';
import { MEDIA_TRANSFER_CHECKS } from './media-transfer-check.ts';
import type { SiteRecord, SiteRecordRule } from './rule.ts';

const CHECKS: ReadonlyMap<SiteRecordRule<unknown>, SiteRecordCheck<unknown>> = new Map([
  ...BREAK_GLASS_CHECKS,
  ...IMAGE_UNSEALING_CHECKS,
  ...MEDIA_TRANSFER_CHECKS,
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
  const wanted = rule.signatures ?? 1;
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
