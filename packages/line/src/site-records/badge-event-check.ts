// SPDX-License-Identifier: Apache-2.0
/** Who may give, unlock and take back badges, and in which order. */
import type { BadgeEvent } from '@witnessmark/attestation';
import { ensure } from '../error.ts';
import { findBadge } from '../badges.ts';
import { BADGE_MOVES, badgeRule } from './badge-event.ts';
import { defineCheck, type CheckedRule, type SiteRecordCheck } from './check.ts';

const checkBadge: SiteRecordCheck<BadgeEvent> = async ({ predicate, subject }, { now, signers: [signer], line }) => {
  const { action, person, badgeDigest, enrolmentId, pinRecordDigest, decidedBy } = predicate;
  const decide = (holds: boolean, expected: string, observed: string): void => {
    ensure(holds, 'LS-522', expected, observed);
  };
  decide(
    signer.role === 'supervisor' && signer.owner === decidedBy.id && decidedBy.role === 'supervisor',
    `a decision signed by ${decidedBy.id} as supervisor`,
    `one by ${signer.owner} as ${signer.role}`,
  );
  decide(signer.owner !== person, 'a decision by somebody else than the holder', person);
  // A lock is the answer to wrong PINs, which only the line counts.
  decide(action !== 'lock', 'an enrolment, an unlock or a revocation', action);
  decide(subject === badgeDigest.sha256, 'a statement about the badge', 'one about something else');
  const badge = await findBadge(badgeDigest.sha256, line.views);
  if (action === 'enrol') {
    decide(enrolmentId === null && pinRecordDigest !== null, 'an enrolment with a PIN record', 'another form');
    decide(badge === null, 'a badge that nobody has', `the badge of ${badge?.actor ?? ''}`);
    const other = line.keys().rolesApart(person, now)[0];
    ensure(other === undefined, 'LS-521', `${person} as operator alone`, `${person} is ${other ?? ''} too`);
    return;
  }
  if (action === 'lock') return;
  decide(pinRecordDigest === null, 'no PIN record', 'one');
  decide(badge !== null && badge.record_id === enrolmentId, 'the enrolment of this badge', enrolmentId ?? 'none');
  decide(badge?.actor === person, `a decision about ${badge?.actor ?? 'nobody'}`, person);
  const { from } = BADGE_MOVES[action];
  decide(
    from.some((state) => state === badge?.state),
    `a badge that is ${from.join(' or ')}`,
    badge?.state ?? '',
  );
};

export const BADGE_EVENT_CHECKS: readonly CheckedRule[] = [defineCheck(badgeRule, checkBadge)];
