// SPDX-License-Identifier: Apache-2.0
/** A badge as the records name it, and as the views have it. */
import { encodeUtf8, sha256Hex } from '@witnessmark/core';
import type { EnrolledBadge } from '@witnessmark/api';
import type { SiteRecordRow, ViewReader } from '@witnessmark/store';
import { BADGE_KIND } from './site-records/badge-event.ts';

/** SHA-256 that stands for a badge of a line: records say which badge it was, and not what to print on another one. */
export function badgeDigest(line: string, badge: string): string {
  return sha256Hex(encodeUtf8(`witnessmark badge\n${line}\n${badge}`));
}

/** The enrolment in force, `enrolled` or `locked`; null for a badge that nobody has. */
export async function findBadge(digest: string, views: ViewReader): Promise<SiteRecordRow | null> {
  return (await views.siteRecordsAbout(digest)).findLast(isInForce) ?? null;
}

/** The newest, oldest first. */
export async function listBadges(views: ViewReader, limit: number): Promise<readonly EnrolledBadge[]> {
  const rows = (await views.recentSiteRecords(BADGE_KIND, Infinity)).filter(isInForce).slice(0, limit);
  return rows.toReversed().map(({ record_id: id, actor: person, subject_digest: badgeDigest, state, at }) => {
    return { id, person, badgeDigest, state: state === 'locked' ? 'locked' : 'enrolled', enrolledAt: at };
  });
}

function isInForce({ kind, state, related_id: relatedId }: SiteRecordRow): boolean {
  return kind === BADGE_KIND && relatedId === null && (state === 'enrolled' || state === 'locked');
}
