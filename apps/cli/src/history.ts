// SPDX-License-Identifier: Apache-2.0
/** The records of a unit as rows that people read. What they say is a claim until the verifier has judged the file. */
import {
  breakGlassClosing,
  breakGlassOpening,
  breakGlassReview,
  disposition,
  imageUnsealing,
  labelEvent,
  operatorSession,
  badgeEvent,
  sessionEnd,
  parseStatement,
  PREDICATE_TYPES,
  provisioningEvent,
  provisioningIntent,
  readPredicateType,
  refusal,
  stationBuild,
  stationStart,
  unitCheck,
  type PredicateDefinition,
} from '@witnessmark/attestation';
import type { LoggedEnvelope } from '@witnessmark/bundle';
import { WitnessmarkError, type Bytes } from '@witnessmark/core';
import { parseLogProof } from '@witnessmark/tlog';

export interface HistoryRow {
  /** RFC 3339, or null for a record that cannot be read. */
  readonly at: string | null;
  readonly where: string;
  readonly what: string;
  readonly grade: string | null;
  /** Its place in the log; null without a readable proof. */
  readonly entry: number | null;
}

type RowText = Omit<HistoryRow, 'entry'>;

export function toHistory(entries: readonly LoggedEnvelope[]): readonly HistoryRow[] {
  return entries.flatMap(({ envelope, proof }) => {
    const entry = readIndex(proof);
    return describeStatement(envelope.payload).map((row) => ({ ...row, entry }));
  });
}

/** One row for most records; an event has one for each thing that was done or observed. */
export function describeStatement(payload: Bytes): readonly RowText[] {
  try {
    return READERS[readPredicateType(payload)]?.(payload) ?? [unreadable('a record of an unknown kind')];
  } catch (error) {
    if (!(error instanceof WitnessmarkError)) throw error;
    return [unreadable('a record that cannot be read')];
  }
}

const READERS: Readonly<Record<string, (payload: Bytes) => readonly RowText[]>> = {
  [PREDICATE_TYPES.operatorSession]: reader(operatorSession, ({ session, operator, credential, station }) => [
    row(
      session.openedAt,
      `${station.id}  ${operator.id}`,
      `signed in by ${credential.kind} until ${session.expiresAt}`,
    ),
  ]),
  [PREDICATE_TYPES.sessionEnd]: reader(sessionEnd, ({ operator, station, reason, endedAt }) => [
    row(endedAt, `${station.id}  ${operator.id}`, `session ended: ${reason}`),
  ]),
  [PREDICATE_TYPES.badgeEvent]: reader(badgeEvent, ({ action, person, decidedBy, reason, at }) => [
    row(at, decidedBy.id, `badge of ${person}: ${action}, ${reason}`),
  ]),
  [PREDICATE_TYPES.imageUnsealing]: reader(imageUnsealing, ({ release, identity, station, operator, requestedAt }) => [
    row(
      requestedAt,
      `${station.id}  ${operator.id}`,
      `unsealed ${release.id} for ${identity.label?.serial ?? 'no label'}`,
    ),
  ]),
  [PREDICATE_TYPES.provisioningIntent]: reader(
    provisioningIntent,
    ({ event, release, station, operator, timing, attempt, identity }) => [
      row(
        timing.intendedAt,
        `${station.id}  ${operator.id}`,
        `${event.seq}. intent: ${release.id} on ${identity.label?.serial ?? 'no label'}, attempt ${attempt}`,
        'requested',
      ),
    ],
  ),
  [PREDICATE_TYPES.provisioningEvent]: reader(provisioningEvent, (event) => {
    const { timing, station, operator, components, security, boot } = event;
    const where = `${station.id}  ${operator.id}`;
    return [
      ...(timing.programmedAt === null ? [] : [row(timing.programmedAt, where, 'programmed', 'commanded')]),
      ...components.map(({ name, measurement }) =>
        row(
          timing.measuredAt ?? timing.signedAt,
          where,
          `content of ${name}: ${measurement.result} ${measurement.digest?.sha256.slice(0, 12) ?? ''}`.trimEnd(),
          measurement.grade,
        ),
      ),
      ...(boot === undefined
        ? []
        : [
            row(
              timing.measuredAt ?? timing.signedAt,
              where,
              `started on ${boot.model}, names ${boot.component}: ${boot.result} ${boot.digest?.sha256.slice(0, 12) ?? ''}`.trimEnd(),
              boot.grade,
            ),
          ]),
      row(timing.signedAt, where, `write protection ${security.writeProtection.state}`, security.writeProtection.grade),
      row(
        timing.signedAt,
        where,
        `${event.event.seq}. ${event.event.type}: ${event.outcome}${event.code === null ? '' : ` ${event.code}`}`,
      ),
    ];
  }),
  [PREDICATE_TYPES.labelEvent]: reader(
    labelEvent,
    ({ action, copy, reason, authority, printer, station, operator, madeAt }) => [
      row(
        madeAt,
        `${station.id}  ${authority?.id ?? operator.id}`,
        [
          `label ${action === 'scanned' ? 'scanned back' : action}, copy ${copy}`,
          ...(printer === null ? [] : [`on ${printer}`]),
          ...(reason === null ? [] : [`because ${reason}`]),
        ].join(', '),
      ),
    ],
  ),
  [PREDICATE_TYPES.unitCheck]: reader(unitCheck, (check) => {
    const { result, findings, authority, label, station, operator, checkedAt } = check;
    const lifted = authority === null ? '' : `, flag lifted by ${authority.id}`;
    const found = findings.map(({ code, expected, observed }) => `${code}: expected ${expected}; found ${observed}`);
    return [`checked under label ${label.serial}: ${result}${lifted}`, ...found].map((what) =>
      row(checkedAt, `${station.id}  ${operator.id}`, what, 'readBack'),
    );
  }),
  [PREDICATE_TYPES.refusal]: reader(refusal, ({ code, kind, station, operatorId, refusedAt, expected, observed }) => [
    row(
      refusedAt,
      `${station.id}  ${operatorId ?? '-'}`,
      `${kind.replace('_', ' ')} ${code}: expected ${expected}; found ${observed}`,
    ),
  ]),
  [PREDICATE_TYPES.disposition]: reader(disposition, ({ code, action, decidedBy, reason, decidedAt, station }) => [
    row(decidedAt, `${station.id}  ${decidedBy.id}`, `decided about ${code}: ${action}, because ${reason}`),
  ]),
  [PREDICATE_TYPES.stationBuild]: reader(stationBuild, (build) => {
    const { place, stations, version, proposedBy, approvedBy, reason, ticket, proposedAt } = build;
    const whom = `by ${proposedBy.id} and ${approvedBy.id}, because ${reason} (${ticket})`;
    const where = `${place.line}  ${proposedBy.id}, ${approvedBy.id}`;
    return [row(proposedAt, where, `build version ${version} approved for ${stations.join(', ')}, ${whom}`)];
  }),
  [PREDICATE_TYPES.stationStart]: reader(stationStart, ({ station, sequence, reason, build, quote, measuredAt }) => {
    const compared = build === null ? 'no approved build' : `build version ${build.version}`;
    const grade = quote === null ? 'measured' : 'attested';
    return [row(measuredAt, `${station.id}  -`, `start ${sequence}, measured: ${reason}, ${compared}`, grade)];
  }),
  [PREDICATE_TYPES.breakGlassOpening]: reader(
    breakGlassOpening,
    ({ place, scope, minutes, reason, ticket, requestedBy, confirmedBy, openedAt }) => [
      row(
        openedAt,
        `${place.station ?? place.line}  ${requestedBy.id}, ${confirmedBy.id}`,
        `broke the glass: ${scope.join(', ')} suspended for ${minutes} minutes, because ${reason} (${ticket})`,
      ),
    ],
  ),
  [PREDICATE_TYPES.breakGlassClosing]: reader(breakGlassClosing, ({ place, done, resealedBy, resealedAt }) => [
    row(resealedAt, `${place.station ?? place.line}  ${resealedBy.id}`, `resealed: ${done}`),
  ]),
  [PREDICATE_TYPES.breakGlassReview]: reader(
    breakGlassReview,
    ({ place, verdict, findings, reviewedBy, reviewedAt }) => [
      row(
        reviewedAt,
        `${place.station ?? place.line}  ${reviewedBy.id}`,
        `reviewed the break-glass, ${verdict}: ${findings}`,
      ),
    ],
  ),
};

function reader<Predicate>(
  definition: PredicateDefinition<Predicate>,
  describe: (predicate: Predicate) => readonly RowText[],
): (payload: Bytes) => readonly RowText[] {
  return (payload) => describe(parseStatement(definition, payload).predicate);
}

function row(at: string, where: string, what: string, grade: string | null = null): RowText {
  return { at, where, what, grade };
}

function unreadable(what: string): RowText {
  return { at: null, where: '', what, grade: null };
}

function readIndex(proof: string): number | null {
  try {
    return parseLogProof(proof).index;
  } catch (error) {
    if (error instanceof WitnessmarkError) return null;
    throw error;
  }
}
