// SPDX-License-Identifier: Apache-2.0
/** Had a person taken responsibility for the station, with a key of their own, at that time? */
import { parseInstant } from '@witnessmark/core';
import { fail, list, pass, type Check, type Examination, type Finding } from '../check.ts';
import { describeRecord, recordsOf, type ChainRecord, type Logged } from '../evidence.ts';
import { findSigner } from '../trust-store.ts';

export const operatorSession: Check = {
  name: 'operator session',
  whyItMatters: 'without it nobody answers for the work',
  after: ['records'],
  run: checkSessions,
};

export const operatorCredential: Check = {
  name: 'operator credential',
  whyItMatters: 'a badge is easier to lend than a card with a key of its own',
  after: ['records'],
  run: ({ evidence, policy }) => {
    const sessions = recordsOf(evidence, 'session');
    const accepted = policy.signIn?.credentials;
    const weak = sessions.find(({ predicate }) => accepted?.includes(predicate.credential.kind) === false);
    if (weak === undefined) return pass(list(new Set(sessions.map(({ predicate }) => predicate.credential.kind))));
    return fail(
      'EV-315',
      `${describeRecord(weak)}: by ${weak.predicate.credential.kind}; the policy asks for ${accepted?.join(' or ') ?? ''}`,
    );
  },
};

function checkSessions({ evidence }: Examination): Finding {
  const sessions = new Map(recordsOf(evidence, 'session').map((session) => [session.payloadDigest, session]));
  const cited = new Set<string>();
  for (const session of sessions.values()) {
    const problem = judgeSession(session);
    if (problem !== undefined) return problem;
  }
  for (const record of evidence.chain) {
    const digest = record.predicate.operator.sessionDigest.sha256;
    const session = sessions.get(digest);
    if (session === undefined)
      return fail('EV-115', `the session that ${describeRecord(record)} names is not in the file`);
    const difference = findDifference(session, record);
    if (difference !== undefined) return fail('EV-115', `${describeRecord(record)}: ${difference}`);
    cited.add(digest);
  }
  const stray = [...sessions.values()].find(({ payloadDigest }) => !cited.has(payloadDigest));
  if (stray !== undefined) return fail('EV-115', `no record names ${describeRecord(stray)}`);
  const people = new Set([...sessions.values()].map(({ predicate }) => predicate.operator.id));
  return pass(`${list(people)}, signed in as themselves`);
}

/** Only their own key claims a person; for a badge, the line's, which says that it has checked it. */
function judgeSession(session: Logged<'session'>): Finding | undefined {
  const { operator, credential, station } = session.predicate;
  const isBadge = credential.kind === 'badge-pin';
  const needed = isBadge
    ? ({ role: 'evidence', owner: undefined, scope: station.line } as const)
    : ({ role: 'operator', owner: operator.id, scope: undefined } as const);
  const found = findSigner(session.signers, { ...needed, at: session.at });
  const whose = isBadge ? `${station.line}, which checked the badge` : operator.id;
  if ('missing' in found) {
    return found.missing === 'expired'
      ? fail('EV-103', `the operator key of ${whose} was not valid when the session was opened`)
      : fail('EV-115', `${describeRecord(session)} is not signed by a key of ${whose}`);
  }
  const { key, custody } = found.signer;
  if (operator.credentialKeyDigest.sha256 !== key.keyid || session.subject.digest.sha256 !== key.keyid) {
    return fail('EV-115', `${describeRecord(session)} is about another key than the one that signed it`);
  }
  if (!isBadge && (credential.kind === 'piv') !== (custody === 'hardware')) {
    return fail('EV-115', `${describeRecord(session)} says ${credential.kind}, and the key is kept in ${custody}`);
  }
  return undefined;
}

function findDifference(session: Logged<'session'>, record: ChainRecord): string | undefined {
  const { operator, station } = record.predicate;
  const opened = session.predicate;
  if (operator.id !== opened.operator.id || operator.role !== opened.operator.role)
    return 'another operator than its session';
  if (operator.credentialKeyDigest.sha256 !== opened.operator.credentialKeyDigest.sha256) {
    return 'another operator key than its session';
  }
  if (operator.credential !== opened.credential.kind) return 'another kind of sign-in than its session';
  if (station.id !== opened.station.id || station.line !== opened.station.line) {
    return `it was made at ${station.id}, the session is of ${opened.station.id}`;
  }
  if (session.entry > record.entry) return 'its session was logged after it';
  // An event may end after its session, if the work began in it.
  const beganAt = record.kind === 'intent' ? record.at : parseInstant(record.predicate.timing.startedAt);
  const { openedAt, expiresAt } = opened.session;
  if (record.at < parseInstant(openedAt) || beganAt >= parseInstant(expiresAt)) return 'its session was not open then';
  return undefined;
}
