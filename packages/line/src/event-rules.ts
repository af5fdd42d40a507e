// SPDX-License-Identifier: Apache-2.0
/** What must hold for the event that closes an intent: it is about the same thing, and "succeeded" is borne out by what was measured. */
import { isDeepStrictEqual } from 'node:util';
import { formatInstant, isReasonCode, parseInstant, type Instant } from '@witnessmark/core';
import {
  RECIPE_STEPS,
  toRecipeReference,
  type ProvisioningEvent,
  type ProvisioningIntent,
  type RecipeReference,
  type ReleaseManifest,
} from '@witnessmark/attestation';
import type { UnitRow } from '@witnessmark/store';
import { ensure, LineRefusal } from './error.ts';
import type { LineRules } from './rules.ts';
import { checkPlace, type StationPlace } from './station-place.ts';
import type { ReadEvent, ReadIntent } from './statements.ts';

type Recipe = ReleaseManifest['recipe'];

/** What may follow `program` and `measure`, each or not, in this order. */
const OPTIONAL_STEPS = RECIPE_STEPS.slice(2);
const RECIPES: readonly Recipe['steps'][] = OPTIONAL_STEPS.reduce<Recipe['steps'][]>(
  (recipes, step) => [...recipes, ...recipes.map((steps) => [...steps, step])],
  [['program', 'measure']],
);

interface EventContext {
  readonly now: Instant;
  readonly rules: LineRules;
  readonly place: StationPlace;
  readonly unit: UnitRow | null;
  /** The open intent of the unit, from the log; null when none is open. */
  readonly intent: ReadIntent | null;
}

/** Throws LS-106 or LS-105 unless the event is the next link of the unit's chain, written by the station that began. */
export function checkLink(event: ReadEvent, place: StationPlace, unit: UnitRow | null): void {
  const { seq, previousEventDigest, transactionId } = event.predicate.event;
  if (unit === null) throw new LineRefusal('LS-106', 'an intent for this device', 'a device without any');
  ensure(
    unit.open_transaction !== null,
    'LS-106',
    `an open intent for this device`,
    `none; event ${unit.head_seq} left it ${unit.state}`,
  );
  ensure(unit.station === place.id, 'LS-105', `the event of ${unit.station}, which began`, `one of ${place.id}`);
  ensure(
    unit.open_transaction === transactionId,
    'LS-106',
    `transaction ${unit.open_transaction}`,
    `transaction ${transactionId}`,
  );
  ensure(
    seq === unit.head_seq + 1 && previousEventDigest?.sha256 === unit.head_digest,
    'LS-106',
    `event ${unit.head_seq + 1} after ${unit.head_digest.slice(0, 16)}…`,
    `event ${seq} after ${previousEventDigest?.sha256.slice(0, 16) ?? 'none'}`,
  );
}

/**
 * Throws when the event contradicts itself (LS-506), its intent (LS-506, BG-104, BG-105), time (LS-301) or what it measured
 * (UF-03, UF-04).
 */
export function checkEvent(event: ReadEvent, context: EventContext): void {
  checkLink(event, context.place, context.unit);
  const { predicate } = event;
  checkPlace(predicate.station, context.place);
  if (context.intent === null) throw new LineRefusal('LS-106', 'an open intent in the log', 'none');
  checkSameTransaction(event, context.intent);
  checkTimes(predicate, context.intent.predicate, context);
  checkOutcome(predicate, context.intent.predicate);
  if (predicate.outcome === 'SUCCEEDED') checkSuccess(predicate);
}

function checkSameTransaction({ predicate, subject }: ReadEvent, intent: ReadIntent): void {
  const begun = intent.predicate;
  checkMark(begun.environment.breakGlass, predicate.environment.breakGlass);
  const pairs: readonly (readonly [string, unknown, unknown])[] = [
    ['subject', predicate.identity.deviceId, subject],
    ['intent', intent.digest, predicate.intentDigest.sha256],
    ['hardware identifier', begun.identity.hardwareUid, predicate.identity.hardwareUid],
    ['device', begun.identity.deviceId, predicate.identity.deviceId],
    ['label', begun.identity.label, predicate.identity.label],
    ['product', begun.product, predicate.product],
    ['release', begun.release, predicate.release],
    ['recipe', begun.recipe, predicate.recipe],
    ['components', begun.components, predicate.components.map(toIntended)],
    ['operator', begun.operator, predicate.operator],
    ['attempt', begun.attempt, predicate.attempt],
    ['start of the station', begun.station.startDigest, predicate.station.startDigest],
    // A mark may be added while a unit is worked on, never taken away.
    ['environment', predicate.environment, { ...begun.environment, simulated: predicate.environment.simulated }],
    ['mark of a simulated device', begun.environment.simulated && !predicate.environment.simulated, false],
  ];
  for (const [what, expected, found] of pairs) {
    ensure(isDeepStrictEqual(expected, found), 'LS-506', `the ${what} of the intent`, `another ${what}`);
  }
}

/**
 * What was begun under break-glass ends under its mark, however late; what was begun before it was opened had no rule
 * suspended, and ends without.
 */
function checkMark(begun: string | null, ended: string | null): void {
  if (begun === ended) return;
  const code = ended === null ? 'BG-104' : 'BG-105';
  throw new LineRefusal(code, `the mark of the intent: ${begun ?? 'none'}`, ended ?? 'none');
}

/** Late delivery is lawful, so an event may be old; it may not be older than its intent or from the future. */
function checkTimes(event: ProvisioningEvent, intent: ProvisioningIntent, { now, rules }: EventContext): void {
  const { startedAt, programmedAt, measuredAt, signedAt } = event.timing;
  const steps = [intent.timing.intendedAt, startedAt, programmedAt, measuredAt, signedAt].filter(
    (step) => step !== null,
  );
  const instants = steps.map(parseInstant);
  ensure(
    instants.every((instant, index) => index === 0 || instant >= (instants[index - 1] as Instant)),
    'LS-301',
    'times in the order intended, started, programmed, measured, signed',
    steps.join(', '),
  );
  ensure(
    parseInstant(signedAt) <= now + rules.maxClockOffsetMs,
    'LS-301',
    `a time not after ${formatInstant(now)}`,
    signedAt,
  );
}

function checkOutcome({ event, outcome, code }: ProvisioningEvent, intent: ProvisioningIntent): void {
  const type = outcome === 'INDETERMINATE' && event.type === 'hold' ? 'hold' : intent.event.type;
  ensure(event.type === type, 'LS-506', `an event of type ${type}`, event.type);
  if (outcome === 'SUCCEEDED') {
    ensure(code === null, 'LS-506', 'no code beside success', String(code));
  } else {
    ensure(code !== null && isReasonCode(code), 'LS-506', `a reason code for ${outcome}`, String(code));
  }
}

function checkSuccess(event: ProvisioningEvent): void {
  ensure(
    event.identity.identityMatch === 'MATCH' || event.identity.label === null,
    'LS-101',
    'a label that matches',
    event.identity.identityMatch,
  );
  const wrong = event.components.find(
    ({ image, measurement }) => measurement.result !== 'SUCCESS' || measurement.digest?.sha256 !== image.digest.sha256,
  );
  ensure(
    wrong === undefined,
    'UF-03',
    `${wrong?.name ?? ''} measured as ${wrong?.image.digest.sha256 ?? ''}`,
    `${wrong?.measurement.result ?? ''} ${wrong?.measurement.digest?.sha256 ?? 'without digest'}`,
  );
  const steps = findSteps(event.recipe);
  checkBoot(event, steps);
  ensure(
    !steps.includes('lock') || event.security.writeProtection.state === 'locked',
    'UF-04',
    'a lock that was read back, which the recipe demands',
    event.security.writeProtection.state,
  );
  ensure(
    !steps.includes('key') || event.keys.length > 0,
    'UF-05',
    'a key born in the device, which the recipe demands',
    'none',
  );
  ensure(
    !event.checks.some(({ result }) => result === 'FAIL'),
    'LS-506',
    'no failed check beside success',
    event.checks.flatMap(({ name, result }) => (result === 'FAIL' ? [name] : [])).join(', '),
  );
}

/** The firmware named the digest of the component the board starts from: the one at the lowest address. Throws UF-03. */
function checkBoot({ boot, components }: ProvisioningEvent, steps: Recipe['steps']): void {
  ensure(
    steps.includes('bootDigest') === (boot !== undefined),
    'LS-506',
    'a boot digest where the recipe demands one, and nowhere else',
    boot === undefined ? 'none' : 'one',
  );
  if (boot === undefined) return;
  const [first] = components.toSorted((left, right) => Number(left.slot) - Number(right.slot));
  ensure(
    boot.result === 'SUCCESS' && boot.component === first?.name && boot.digest?.sha256 === first.image.digest.sha256,
    'UF-03',
    `firmware that names ${first?.image.digest.sha256 ?? ''} of ${first?.name ?? ''}`,
    `${boot.result} ${boot.digest?.sha256 ?? 'without digest'} of ${boot.component}`,
  );
}

/**
 * The steps behind a recipe's digest. There are few allowed lists, so the digest alone names one, and closing a unit
 * does not depend on the trust repository, which may have run out meanwhile.
 */
function findSteps({ name, version, digest }: RecipeReference): Recipe['steps'] {
  const steps = RECIPES.find(
    (candidate) => toRecipeReference({ recipe: { name, version, steps: candidate } }).digest.sha256 === digest.sha256,
  );
  if (steps === undefined) throw new LineRefusal('LS-506', 'the digest of an allowed recipe', digest.sha256);
  return steps;
}

/** A component as the intent names it. */
function toIntended({ name, slot, image }: ProvisioningEvent['components'][number]): unknown {
  return { name, slot, image: { name: image.name, digest: image.digest, length: image.length } };
}
