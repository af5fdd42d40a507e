// SPDX-License-Identifier: Apache-2.0
/** People at stations as they are: badges in other hands, sign-outs that are forgotten; and what the log may say of it (A5). */
import {
  formatInstant,
  hasCode,
  parseEnvelope,
  parseInstant,
  STATEMENT_PAYLOAD_TYPE,
  WitnessmarkError,
  type Instant,
} from '@witnessmark/core';
import {
  buildStatement,
  operatorSession,
  parseStatement,
  PREDICATE_TYPES,
  provisioningIntent,
  readPredicateType,
  sessionEnd,
  type OperatorSession,
} from '@witnessmark/attestation';
import { ApiError, type OpenSession } from '@witnessmark/api';
import { signEnvelope } from '@witnessmark/custody';
import type { LineRules } from '@witnessmark/line';
import type { Station } from '@witnessmark/station';
import { Crash } from '../crash/fault-plan.ts';
import type { SimFactory } from '../sim/sim-factory.ts';
import { LINE, STATIONS, type StationName } from '../sim/sim-people.ts';
import type { Site } from './people.ts';

const MINUTE_MS = 60_000;
/** A shift here takes minutes, so people come back often. */
export const SIGN_IN_RULES: LineRules['signIn'] = {
  credentials: ['software-key'],
  idleMinutes: 1,
  batchUnits: 2,
  maxWrongPins: 3,
  wrongPinsPerMinute: 10,
};
/** Sign-ins until one holds, or the person gives up and finds that nobody is signed in. */
const MAX_TRIES = 3;

/**
 * The station's own operator signs in, as people do: who stands in the way is signed out first. Somebody whose sign-in
 * failed goes on and finds that nobody is signed in.
 */
export async function signInAsOperator(factory: SimFactory, station: Station, name: StationName): Promise<void> {
  const operator = factory.people.operators[name];
  let elsewhere: string | null = null;
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    try {
      await station.signIn(await factory.sessionOf(operator, name, elsewhere));
      return;
    } catch (error) {
      if (error instanceof Crash || !(error instanceof WitnessmarkError)) throw error;
      if (hasCode(error, 'LS-513')) await signOutThere(factory, name);
      else if (hasCode(error, 'LS-514')) elsewhere = await findElsewhere(factory, operator.owner, name);
      else return;
    }
  }
}

/** Somebody tries to sign in where another person is, or where they are not; the line says exactly what stands in the way. */
export async function mixUpBadges({ factory, random, troubles }: Site): Promise<void> {
  if (!troubles.strikes('badgeMixUp') || factory.wire.line === null) return;
  const name = random.pick(STATIONS);
  const person = factory.people.operators[random.pick(STATIONS)];
  const expected = foresee(await factory.line.line.openSessions(), { name, person: person.owner }, factory.clock.now());
  const observed = await factory.wire.submit(await factory.sessionOf(person, name)).then(
    () => 'signed in',
    (error: unknown) => {
      if (error instanceof WitnessmarkError) return error.code;
      throw error;
    },
  );
  // What the line cannot store it need not answer rightly.
  if (observed === expected || observed === 'LS-302' || observed === 'ERR_API_UNREACHABLE') return;
  throw new Error(`A5: ${person.owner} at ${name} is ${observed}, and should be ${expected}`);
}

/** A5 in the log: at no entry two open sessions of a person or at a station, and no unit begun in one that was over. */
export async function judgeSignIns({ factory }: Pick<Site, 'factory'>): Promise<readonly string[]> {
  const violations: string[] = [];
  const open = new Map<string, SeenSession>();
  const { log } = factory.line;
  for (let index = 0; index < log.size; index += 1) {
    const { payload } = parseEnvelope(await log.readEntry(index));
    const violation = follow(open, payload);
    if (violation !== null) violations.push(`A5: entry ${index}: ${violation}`);
  }
  return violations;
}

interface SeenSession {
  readonly statement: OperatorSession;
  units: number;
  lastUsedAt: Instant;
}

function follow(open: Map<string, SeenSession>, payload: Uint8Array): string | null {
  switch (readPredicateType(payload)) {
    case PREDICATE_TYPES.operatorSession:
      return begin(open, parseStatement(operatorSession, payload).predicate);
    case PREDICATE_TYPES.sessionEnd: {
      const { sessionId } = parseStatement(sessionEnd, payload).predicate;
      return open.delete(sessionId) ? null : `session ${sessionId} ends, and was not open`;
    }
    case PREDICATE_TYPES.provisioningIntent: {
      const { operator, station, timing, offline } = parseStatement(provisioningIntent, payload).predicate;
      // What was made without the line is delivered after its session, too.
      return offline === undefined ? use(open, operator.id, station.id, parseInstant(timing.intendedAt)) : null;
    }
    default:
      return null;
  }
}

function begin(open: Map<string, SeenSession>, statement: OperatorSession): string | null {
  const { session, operator, station } = statement;
  const rival = [...open.values()].find(
    (other) => other.statement.operator.id === operator.id || other.statement.station.id === station.id,
  );
  open.set(session.id, { statement, units: 0, lastUsedAt: parseInstant(session.openedAt) });
  if (rival === undefined) return null;
  const { id } = rival.statement.operator;
  return `${operator.id} signs in at ${station.id} while ${id} is at ${rival.statement.station.id}`;
}

function use(open: Map<string, SeenSession>, operator: string, station: string, at: Instant): string | null {
  const session = [...open.values()].find(
    ({ statement }) => statement.operator.id === operator && statement.station.id === station,
  );
  if (session === undefined) return `a unit is begun by ${operator} at ${station}, who is not signed in there`;
  session.units += 1;
  session.lastUsedAt = Math.max(session.lastUsedAt, at);
  const { batchUnits } = session.statement.session;
  return session.units > batchUnits ? `${operator} begins more than ${batchUnits} units` : null;
}

function foresee(
  open: readonly OpenSession[],
  { name, person }: { readonly name: StationName; readonly person: string },
  now: Instant,
): 'signed in' | 'LS-513' | 'LS-514' {
  const standing = open.filter((session) => !isOver(session, now));
  if (standing.some(({ station, operator }) => station === name && operator !== person)) return 'LS-513';
  return standing.some(({ station, operator }) => operator === person && station !== name) ? 'LS-514' : 'signed in';
}

function isOver({ expiresAt, lastUsedAt, units }: OpenSession, now: Instant): boolean {
  const { idleMinutes, batchUnits } = SIGN_IN_RULES;
  return (
    now >= parseInstant(expiresAt) || now - parseInstant(lastUsedAt) > idleMinutes * MINUTE_MS || units >= batchUnits
  );
}

/** At the station, by whoever stands there. */
async function signOutThere({ wire, people, newId, clock }: SimFactory, name: StationName): Promise<void> {
  try {
    const left = (await wire.openSessions()).find(({ station }) => station === name);
    if (left === undefined) return;
    const sessionDigest = { sha256: left.digest };
    const payload = buildStatement(
      sessionEnd,
      { name: 'session', digest: sessionDigest },
      {
        id: newId(),
        sessionId: left.id,
        sessionDigest,
        operator: { id: left.operator },
        station: { id: name, line: LINE },
        reason: 'signedOut',
        endedAt: formatInstant(clock.now()),
      },
    );
    await wire.submit(await signEnvelope(STATEMENT_PAYLOAD_TYPE, payload, [people.stations[name].key]));
  } catch (error) {
    if (!(error instanceof WitnessmarkError)) throw error;
  }
}

async function findElsewhere({ wire }: SimFactory, operator: string, name: StationName): Promise<string | null> {
  try {
    const sessions = await wire.openSessions();
    return sessions.find((open) => open.operator === operator && open.station !== name)?.digest ?? null;
  } catch (error) {
    if (error instanceof ApiError) return null;
    throw error;
  }
}
