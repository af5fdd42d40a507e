// SPDX-License-Identifier: Apache-2.0
/** Applies the rules for each kind of statement to what the line knows, before it countersigns. */
import { parseInstant, type Instant } from '@witnessmark/core';
import type { TrustedKey } from '@witnessmark/attestation';
import type { Attachments } from '@witnessmark/api';
import { admit } from './admission.ts';
import { findBadge } from './badges.ts';
import { checkDisposition, type Matter } from './disposition-rules.ts';
import { findDispositionRule } from './dispositions.ts';
import { ensure } from './error.ts';
import { checkEvent, checkLink } from './event-rules.ts';
import { gatherFacts } from './facts.ts';
import { checkIntent, checkPermit, openPermit, toClaim } from './intent-rules.ts';
import type { LineContext } from './line-context.ts';
import { checkSpooled, checkSpooledIntent, checkSpooledLink } from './offline/spooled-checks.ts';
import type { ProjectionLimits } from './projection/unit.ts';
import type { ReleaseInForce } from './release-book.ts';
import { toWorkKind } from './records.ts';
import { checkStationRefusal } from './refusal-rules.ts';
import { checkSessionOpening } from './session-rules.ts';
import { checkSiteRecord } from './site-records/checks.ts';
import { OPENING_KIND } from './site-records/break-glass.ts';
import { placeOf } from './station-place.ts';
import type {
  LoggableStatement,
  ReadDisposition,
  ReadEvent,
  ReadIntent,
  ReadRefusal,
  ReadSession,
} from './statements.ts';

export interface Submission {
  readonly signer: TrustedKey;
  /** Who signed besides; only records that several people sign have any. */
  readonly cosigners: readonly TrustedKey[];
  readonly attachments: Attachments;
  readonly now: Instant;
}

/** Throws a `RefusedError` when the statement may not be logged; returns the limits its view changes are subject to. */
export async function checkStatement(
  statement: LoggableStatement,
  submission: Submission,
  context: LineContext,
): Promise<ProjectionLimits> {
  const { signer, now } = submission;
  const { rules } = context;
  context.checkRoom(toWorkKind(statement));
  if (statement.kind !== 'siteRecord') requireOneSigner(submission);
  switch (statement.kind) {
    case 'session':
      checkSessionOpening(statement, await gatherSessionContext(statement, submission, context));
      return {};
    case 'intent':
      context.keys().requireStation(signer);
      return checkIntentStatement(statement, submission, context);
    case 'event':
      context.keys().requireStation(signer);
      await checkEventStatement(statement, submission, context);
      return {};
    case 'refusal':
      context.keys().requireStation(signer);
      checkStationRefusal(statement, { now, rules, signer });
      await checkSpoolOfRefusal(statement, context);
      await checkMarkOfRefusal(statement, context);
      return {};
    case 'disposition':
      checkDisposition(statement, { now, rules, signer, matter: await findMatter(statement, context) });
      return {};
    case 'siteRecord': {
      const signers = [signer, ...submission.cosigners] as const;
      const { attachments } = submission;
      await checkSiteRecord(statement.rule, statement, { now, signers, attachments, line: context });
      return {};
    }
  }
}

function requireOneSigner({ cosigners }: Submission): void {
  ensure(cosigners.length === 0, 'LS-502', 'one signature, by the maker', `${cosigners.length + 1}`);
}

async function gatherSessionContext(
  { predicate }: ReadSession,
  { signer, now }: Submission,
  { rules, views, keys, challenges }: LineContext,
): Promise<Parameters<typeof checkSessionOpening>[1]> {
  const { operator, credential, station } = predicate;
  const badge = credential.kind === 'badge-pin' ? await findBadge(credential.badgeDigest.sha256, views) : null;
  return {
    now,
    rules,
    signer,
    isStationEnrolled: keys().isStation(station.id, now),
    otherRoles: keys().rolesApart(operator.id, now),
    badgeHolder: badge?.state === 'enrolled' ? badge.actor : null,
    challenges,
  };
}

async function checkIntentStatement(
  intent: ReadIntent,
  { signer, attachments, now }: Submission,
  context: LineContext,
): Promise<ProjectionLimits> {
  const { offline } = intent.predicate;
  if (offline !== undefined) {
    // What was made was made, in a session that may have ended since.
    return { ...toLimits(await checkSpooledIntent(intent, offline, { signer, now }, context)), demandsSession: false };
  }
  const place = placeOf(signer, context.rules);
  const granted = openPermit(
    attachments.permit,
    intent.predicate.permitDigest.sha256,
    context.keys().evidenceKeys(now),
  );
  const claim = toClaim(intent);
  const grant = admit(claim, await gatherFacts(claim, { station: signer.owner, now }, context));
  checkIntent(intent.predicate, grant, place);
  checkPermit(granted, intent.predicate, place, now);
  return toLimits(grant.inForce);
}

function toLimits({ rule: { maxUnits } }: ReleaseInForce): ProjectionLimits {
  return { demandsSession: true, ...(maxUnits !== null && { maxUnits }) };
}

async function checkEventStatement(event: ReadEvent, submission: Submission, context: LineContext): Promise<void> {
  const { rules, views, records } = context;
  const { offline, station, timing } = event.predicate;
  const place = placeOf(submission.signer, rules);
  if (offline !== undefined) await checkSpooled(offline, station, context);
  // A time in the future is no reason to lose a record: it is after its delivery, and the verifier says so.
  const now = offline === undefined ? submission.now : Math.max(submission.now, parseInstant(timing.signedAt));
  const unit = (await views.unit(event.predicate.identity.deviceId)) ?? null;
  if (offline === undefined) checkLink(event, place, unit);
  else checkSpooledLink(() => checkLink(event, place, unit));
  const index = unit?.open_intent_index ?? null;
  const intent = index === null ? null : await records.readStatement(index);
  checkEvent(event, { now, rules, place, unit, intent: intent?.kind === 'intent' ? intent : null });
}

/** What only the line can say is not said by a station. */
async function checkSpoolOfRefusal({ predicate }: ReadRefusal, context: LineContext): Promise<void> {
  const { offline, refusedPlace, station } = predicate;
  ensure(refusedPlace === undefined, 'LS-506', 'a refusal by a station', 'one that accounts for a spooled statement');
  if (offline !== undefined) await checkSpooled(offline, station, context);
}

/** A refusal may come late, so its mark may be that of any opening here; it suspends nothing, so none is demanded. */
async function checkMarkOfRefusal({ predicate }: ReadRefusal, { views, rules }: LineContext): Promise<void> {
  const mark = predicate.environment.breakGlass;
  if (mark === null) return;
  const row = await views.siteRecordByDigest(mark);
  ensure(
    row?.kind === OPENING_KIND && row.line === rules.line && [null, predicate.station.id].includes(row.station),
    'BG-105',
    `an opening for ${predicate.station.id}`,
    'a mark of none',
  );
}

/** What a decision names: a refusal that holds its station, or the last event of a unit on hold. */
async function findMatter({ predicate }: ReadDisposition, { views, records }: LineContext): Promise<Matter | null> {
  const { refusalId, code } = predicate;
  if (findDispositionRule(code)?.about === 'hold') {
    const row = await views.event(refusalId);
    const unit = row === undefined ? undefined : await views.unit(row.device_id);
    return row === undefined || unit === undefined ? null : { about: 'hold', row, unit };
  }
  const row = await views.refusal(refusalId);
  const statement = row === undefined ? null : await records.readStatement(row.log_index);
  if (row === undefined || statement?.kind !== 'refusal') return null;
  const unit = row.device_id === null ? undefined : await views.unit(row.device_id);
  return { about: 'stop', row, refusal: statement.predicate, unit: unit ?? null };
}
