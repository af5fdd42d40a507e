// SPDX-License-Identifier: Apache-2.0
/** Applies the rules for each kind of statement to what the line knows, before it countersigns. */
import type { Instant } from '@witnessmark/core';
import type { TrustedKey } from '@witnessmark/attestation';
import type { Attachments } from '@witnessmark/api';
import { admit } from './admission.ts';
import { checkDisposition, type Matter } from './disposition-rules.ts';
import { findDispositionRule } from './dispositions.ts';
import { ensure } from './error.ts';
import { checkEvent, checkLink } from './event-rules.ts';
import { gatherFacts } from './facts.ts';
import { checkIntent, checkPermit, openPermit, toClaim } from './intent-rules.ts';
import type { LineContext } from './line-context.ts';
import type { ProjectionLimits } from './projection.ts';
import { toWorkKind } from './records.ts';
import { checkStationRefusal } from './refusal-rules.ts';
import { checkSessionOpening } from './session-rules.ts';
import { checkSiteRecord } from './site-records/checks.ts';
import { OPENING_KIND } from './site-records/break-glass.ts';
import type { LoggableStatement, ReadDisposition, ReadEvent, ReadIntent, ReadRefusal } from './statements.ts';

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
    case 'session': {
      const isStationEnrolled = context.keys().isStation(statement.predicate.station.id, now);
      checkSessionOpening(statement, { now, rules, signer, isStationEnrolled });
      return {};
    }
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

async function checkIntentStatement(
  intent: ReadIntent,
  { signer, attachments, now }: Submission,
  context: LineContext,
): Promise<ProjectionLimits> {
  const { rules } = context;
  const place = { id: signer.owner, line: rules.line, plant: rules.plant };
  const granted = openPermit(
    attachments.permit,
    intent.predicate.permitDigest.sha256,
    context.keys().evidenceKeys(now),
  );
  const claim = toClaim(intent);
  const grant = admit(claim, await gatherFacts(claim, { station: signer.owner, now, keys: context.keys() }, context));
  checkIntent(intent.predicate, grant, place);
  checkPermit(granted, intent.predicate, place, now);
  const { maxUnits } = grant.inForce.rule;
  return maxUnits === null ? {} : { maxUnits };
}

async function checkEventStatement(
  event: ReadEvent,
  { signer, now }: Submission,
  { rules, views, records }: LineContext,
): Promise<void> {
  const place = { id: signer.owner, line: rules.line, plant: rules.plant };
  const unit = (await views.unit(event.predicate.identity.deviceId)) ?? null;
  checkLink(event, place, unit);
  const index = unit?.open_intent_index ?? null;
  const intent = index === null ? null : await records.readStatement(index);
  checkEvent(event, { now, rules, place, unit, intent: intent?.kind === 'intent' ? intent : null });
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
