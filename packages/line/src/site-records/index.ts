// SPDX-License-Identifier: Apache-2.0
/** The kinds of site records a line logs, by predicate type. */
import { BREAK_GLASS_RULES } from './break-glass.ts';
import { IMAGE_UNSEALING_RULES } from './image-unsealing.ts';
import { MEDIA_TRANSFER_RULES } from './media-transfer.ts';
import type { SiteRecordRule } from './rule.ts';

const RULES: readonly SiteRecordRule<unknown>[] = [
  ...BREAK_GLASS_RULES,
  ...IMAGE_UNSEALING_RULES,
  ...MEDIA_TRANSFER_RULES,
];

const BY_TYPE: ReadonlyMap<string, SiteRecordRule<unknown>> = new Map(
  RULES.map((rule) => [rule.definition.predicateType, rule]),
);

export function findSiteRecordRule(predicateType: string): SiteRecordRule<unknown> | undefined {
  return BY_TYPE.get(predicateType);
}
