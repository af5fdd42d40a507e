// SPDX-License-Identifier: Apache-2.0
/**
 * Badges (spec/operator-session.md, "Badges"). The row of an enrolment is the badge: `enrolled`, `locked` or `revoked`. The
 * views' constraint gives one badge to one person.
 */
import { badgeEvent, type BadgeEvent } from '@witnessmark/attestation';
import { defineSiteRecord, type SiteRecordRule } from './rule.ts';

export const BADGE_KIND = 'badge-event';

/** Which state an action goes on from, and which one it leads to. */
export const BADGE_MOVES = {
  lock: { from: ['enrolled'], to: 'locked' },
  unlock: { from: ['locked'], to: 'enrolled' },
  revoke: { from: ['enrolled', 'locked'], to: 'revoked' },
} as const satisfies Partial<Record<BadgeEvent['action'], { from: readonly string[]; to: string }>>;

export const badgeRule = defineSiteRecord({
  definition: badgeEvent,
  kind: BADGE_KIND,
  describe: ({ id, action, enrolmentId, line, person, at }) => ({
    id,
    state: action === 'enrol' ? 'enrolled' : action,
    relatedId: enrolmentId,
    station: null,
    line,
    actor: person,
    at,
  }),
  transitions: ({ predicate }) => {
    const { action, enrolmentId } = predicate;
    if (action === 'enrol' || enrolmentId === null) return [];
    const { from, to } = BADGE_MOVES[action];
    return [
      {
        op: 'update',
        table: 'site_record',
        key: { record_id: enrolmentId },
        expect: { kind: BADGE_KIND, actor: predicate.person, ...(from.length === 1 && { state: from[0] }) },
        set: { state: to },
      },
    ];
  },
});

export const BADGE_EVENT_RULES: readonly SiteRecordRule<unknown>[] = [badgeRule];
