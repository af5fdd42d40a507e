// SPDX-License-Identifier: Apache-2.0
/** Who may sign somebody out: the person themselves from anywhere, and anybody at the station where the session is. */
import type { SessionEnd } from '@witnessmark/attestation';
import { ensure, LineRefusal } from '../error.ts';
import { defineCheck, type CheckedRule, type SiteRecordCheck } from './check.ts';
import { sessionEndRule } from './session-end.ts';

const checkEnd: SiteRecordCheck<SessionEnd> = async ({ predicate, subject }, { signers: [signer], line }) => {
  const { sessionId, sessionDigest, operator, station, reason } = predicate;
  const { rules, views } = line;
  const isStation = signer.role === 'station' && signer.scope === rules.line && signer.owner === station.id;
  const isPerson = signer.role === 'operator' && signer.owner === operator.id;
  ensure(isStation || isPerson, 'LS-501', `${operator.id}, or ${station.id}`, `${signer.role} ${signer.owner}`);
  // How a session lapsed is for the line to say, by its own clock and count.
  ensure(reason === 'signedOut', 'LS-506', 'a sign-out', reason);
  ensure(
    subject === sessionDigest.sha256,
    'LS-506',
    'a statement about the session it ends',
    'one about something else',
  );
  const row = await views.session(sessionId);
  const isKnown =
    row?.payload_digest === sessionDigest.sha256 && row.operator === operator.id && row.station === station.id;
  if (!isKnown) throw new LineRefusal('LS-501', 'a session in the log', 'a session this line does not know');
  ensure(row.state === 'open', 'LS-515', 'a session that is open', 'one that has ended');
};

export const SESSION_END_CHECKS: readonly CheckedRule[] = [defineCheck(sessionEndRule, checkEnd)];
