// SPDX-License-Identifier: Apache-2.0
/** The end of a session (spec/operator-session.md): once, and for good. */
import { sessionEnd } from '@witnessmark/attestation';
import { defineSiteRecord, type SiteRecordRule } from './rule.ts';

export const sessionEndRule = defineSiteRecord({
  definition: sessionEnd,
  kind: 'session-end',
  describe: ({ id, sessionId, station, operator, reason, endedAt }) => ({
    id,
    state: reason,
    relatedId: sessionId,
    station: station.id,
    line: station.line,
    actor: operator.id,
    at: endedAt,
  }),
  transitions: ({ predicate }) => [
    {
      op: 'update',
      table: 'operator_session',
      key: { session_id: predicate.sessionId },
      expect: { payload_digest: predicate.sessionDigest.sha256, state: 'open' },
      set: { state: 'ended' },
    },
  ],
});

export const SESSION_END_RULES: readonly SiteRecordRule<unknown>[] = [sessionEndRule];
