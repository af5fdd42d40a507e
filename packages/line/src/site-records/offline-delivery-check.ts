// SPDX-License-Identifier: Apache-2.0
/** A delivery goes on where the spool ends. What is missing before it is named, and so is what its station lost. */
import type { OfflineDelivery } from '@witnessmark/attestation';
import { ensure } from '../error.ts';
import { checkBeginning, nameOf } from '../offline/spool-rules.ts';
import { checkStation } from './by-station.ts';
import { defineCheck, type CheckedRule, type SiteRecordCheck } from './check.ts';
import { offlineDeliveryRule } from './offline-delivery.ts';

const checkDelivery: SiteRecordCheck<OfflineDelivery> = async ({ predicate }, submission) => {
  const { station, firstSeq, lastSeq, previousDigest, allowanceDigest, clock } = predicate;
  const { slot, ...place } = station;
  checkStation(place, submission);
  ensure(lastSeq >= firstSeq, 'LS-506', `a delivery from record ${firstSeq} on`, `one until ${lastSeq}`);
  ensure(clock.verdict !== 'INSANE', 'LS-301', 'a clock that is not INSANE', clock.verdict);
  const owner = { id: place.id, slot };
  const row = await submission.line.views.spool(nameOf(owner));
  checkBeginning({ allowanceDigest, seq: firstSeq, previousDigest }, owner, row);
};

export const OFFLINE_DELIVERY_CHECKS: readonly CheckedRule[] = [defineCheck(offlineDeliveryRule, checkDelivery)];
