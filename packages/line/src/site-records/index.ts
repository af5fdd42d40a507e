// SPDX-License-Identifier: Apache-2.0
/** The kinds of site records a line logs, by predicate type. */
import { BADGE_EVENT_RULES } from './badge-event.ts';
import { BREAK_GLASS_RULES } from './break-glass.ts';
import { CACHE_PURGE_RULES } from './cache-purge.ts';
import { GOLDEN_RULES } from './golden.ts';
import { IMAGE_UNSEALING_RULES } from './image-unsealing.ts';
import { LABEL_EVENT_RULES } from './label-event.ts';
import { MEDIA_TRANSFER_RULES } from './media-transfer.ts';
import { OFFLINE_ALLOWANCE_RULES } from './offline-allowance.ts';
import { OFFLINE_DELIVERY_RULES } from './offline-delivery.ts';
import type { SiteRecordRule } from './rule.ts';
import { SESSION_END_RULES } from './session-end.ts';
import { STATION_BUILD_RULES } from './station-build.ts';
import { STATION_IDENTITY_RULES } from './station-identity.ts';
import { STATION_START_RULES } from './station-start.ts';
import { UNIT_CHECK_RULES } from './unit-check.ts';

const RULES: readonly SiteRecordRule<unknown>[] = [
  ...BADGE_EVENT_RULES,
  ...BREAK_GLASS_RULES,
  ...GOLDEN_RULES,
  ...CACHE_PURGE_RULES,
  ...IMAGE_UNSEALING_RULES,
  ...LABEL_EVENT_RULES,
  ...MEDIA_TRANSFER_RULES,
  ...OFFLINE_ALLOWANCE_RULES,
  ...OFFLINE_DELIVERY_RULES,
  ...SESSION_END_RULES,
  ...STATION_BUILD_RULES,
  ...STATION_IDENTITY_RULES,
  ...STATION_START_RULES,
  ...UNIT_CHECK_RULES,
];

const BY_TYPE: ReadonlyMap<string, SiteRecordRule<unknown>> = new Map(
  RULES.map((rule) => [rule.definition.predicateType, rule]),
);

export function findSiteRecordRule(predicateType: string): SiteRecordRule<unknown> | undefined {
  return BY_TYPE.get(predicateType);
}
