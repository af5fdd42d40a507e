// SPDX-License-Identifier: Apache-2.0
/**
 * Whether a device may be programmed here and now. Pure: what was looked up goes in, a grant or a `RefusedError` comes
 * out. The same rules judge the permit request and, later, the intent that uses the permit. Clock trouble is named before
 * anything that a wrong clock could cause.
 */
import {
  formatInstant,
  parseInstant,
  RefusedError,
  sha256Hex,
  WitnessmarkError,
  type Instant,
} from '@witnessmark/core';
import {
  deriveLabelSerial,
  isValidAt,
  parseLabelSerial,
  type ClockEvidence,
  type Environment,
  type Identity,
  type Permit,
  type PermitRequest,
  type TrustedKey,
} from '@witnessmark/attestation';
import type { OperatorSessionRow, RefusalRow, UnitRow } from '@witnessmark/store';
import type { BreakGlassInForce } from './break-glass-book.ts';
import {
  checkFailures,
  checkGolden,
  checkProduct,
  checkRetest,
  type DevicePast,
  type StationConduct,
} from './conduct-rules.ts';
import { ensure, LineRefusal } from './error.ts';
import type { ReleaseInForce } from './release-book.ts';
import type { LineRules } from './rules.ts';
import { batchLimit, idleLimitMs } from './sessions.ts';
import type { KnownStart } from './start-book.ts';

/** What a station asks for, taken from its signed statement. */
export interface Claim {
  /** The device the statement is about, as its subject says. */
  readonly subject: string;
  readonly identity: Identity;
  readonly product: PermitRequest['product'];
  readonly operator: PermitRequest['operator'];
  /** Which start of the station asks, null when it says nothing about that; absent where the permit has settled it. */
  readonly startDigest?: string | null;
  /** The place at a station that has several. */
  readonly slot?: number | undefined;
  /** Why a unit that failed is tried again. */
  readonly retestReason?: string | null | undefined;
  /** Null leaves the choice to the line. */
  readonly releaseId: string | null;
  readonly at: Instant;
  readonly clock: ClockEvidence;
  readonly environment: Environment;
}

/** What the line knows, read before the rules are applied. */
export interface AdmissionFacts {
  readonly now: Instant;
  readonly rules: LineRules;
  /** The owner of the key that signed; never what the statement claims. */
  readonly station: string;
  readonly openStop: RefusalRow | null;
  /** The newest logged start of the station; null when it was never measured. */
  readonly start: KnownStart | null;
  /** How the station has fared lately. */
  readonly conduct: StationConduct;
  readonly session: SessionFacts;
  readonly unit: UnitRow | null;
  /** What is known of the device beside that. */
  readonly past: DevicePast;
  /** The unit that carries the claimed label. */
  readonly labelOwner: UnitRow | null;
  /** A supervisor's decision about this device that still holds. */
  readonly decision: 'quarantined' | 'scrapped' | null;
  /** The release in force for the claimed product, or why there is none. */
  readonly release: ReleaseInForce | RefusedError;
  /** Units begun under that release on this line. */
  readonly unitsBegun: number;
  /** The highest release counter this line has seen for the product. */
  readonly counterFloor: number;
  /** Which rules two people have suspended here; null when all hold. */
  readonly breakGlass: BreakGlassInForce | null;
  /** Whether a break-glass is over and not reviewed yet. */
  readonly waitsForReview: boolean;
}

export interface SessionFacts {
  /** The logged session the statement names. */
  readonly row: OperatorSessionRow | null;
  /** The key that signed it, as enrolled now: the operator's, or the line's for a badge. */
  readonly key: TrustedKey | null;
}

export interface Grant {
  readonly inForce: ReleaseInForce;
  readonly labelSerial: string;
  readonly chain: Permit['chain'];
  readonly attempt: number;
}

const MIN_HARDWARE_ID_BYTES = 4;
const MAX_HARDWARE_ID_BYTES = 64;
const SPI_NOR_UID_BYTES = 8;
/** Digests of hardware identifiers no part has (spec/device-id.md): the line sees nothing else of an identifier. */
const PLACEHOLDER_UIDS: ReadonlySet<string> = new Set(placeholderDigests());

export function admit(claim: Claim, facts: AdmissionFacts): Grant {
  admitStation(claim, facts);
  checkDevice(claim, facts.unit);
  const labelSerial = checkLabel(claim, facts);
  checkProduct(facts.past);
  checkUnit(facts);
  const inForce = checkRelease(claim, facts);
  checkSeparation(claim, inForce);
  const attempt = nextAttempt(facts.unit, inForce);
  checkAttempts(facts, inForce);
  checkRetest(facts.past, { attempt, retestReason: claim.retestReason ?? null }, facts);
  checkQuota(attempt, inForce, facts.unitsBegun);
  return { inForce, labelSerial, chain: nextLink(facts.unit), attempt };
}

/** What has to hold whatever the device: clock, marks, stops, the instance of the station, its operator. */
export function admitStation(
  claim: Pick<Claim, 'at' | 'clock' | 'environment' | 'startDigest' | 'operator' | 'slot'>,
  facts: Omit<AdmissionFacts, 'past' | 'unit' | 'labelOwner' | 'decision' | 'unitsBegun'>,
): void {
  checkClock(claim.at, claim.clock, facts);
  checkBreakGlass(claim, facts);
  checkStop(facts);
  if (facts.breakGlass?.scope.has('openStop') !== true) checkFailures(facts.conduct, facts);
  checkStart(claim, facts);
  checkSession(claim.operator, facts);
  checkGolden(facts.conduct, { ...facts, slot: claim.slot ?? null });
}

/** LS-301: the station's clock and the line's must agree before any time is believed. */
function checkClock(
  at: Instant,
  clock: ClockEvidence,
  { now, rules, breakGlass }: Pick<AdmissionFacts, 'now' | 'rules' | 'breakGlass'>,
): void {
  const offsetMs = at - now;
  ensure(
    Math.abs(offsetMs) <= rules.maxClockOffsetMs,
    'LS-301',
    `a time within ${rules.maxClockOffsetMs} ms of ${formatInstant(now)}`,
    `${formatInstant(at)}, ${Math.abs(offsetMs)} ms ${offsetMs < 0 ? 'behind' : 'ahead'}`,
  );
  const isSuspended = clock.verdict === 'DEGRADED' && breakGlass?.scope.has('degradedClock') === true;
  ensure(
    isSuspended || rules.acceptClock.some((verdict) => verdict === clock.verdict),
    'LS-301',
    `a clock that is ${rules.acceptClock.join(' or ')}`,
    clock.verdict,
  );
}

/** BG-104, BG-105: a statement made under break-glass says so, and no other does. BG-108: its review may come first. */
function checkBreakGlass(
  { environment }: Pick<Claim, 'environment'>,
  { breakGlass, waitsForReview, rules }: Pick<AdmissionFacts, 'breakGlass' | 'waitsForReview' | 'rules'>,
): void {
  const mark = breakGlass?.digest ?? null;
  if (mark !== null) {
    ensure(environment.breakGlass !== null, 'BG-104', `the mark ${mark}`, 'none');
  }
  ensure(environment.breakGlass === mark, 'BG-105', mark ?? 'no break-glass mark', String(environment.breakGlass));
  ensure(
    !rules.breakGlass.permitsNeedReview || !waitsForReview,
    'BG-108',
    'a break-glass that was resealed and reviewed',
    'one that waits for it',
  );
}

/** LS-503: a stop at this station waits for a disposition. */
function checkStop({
  openStop,
  station,
  breakGlass,
}: Pick<AdmissionFacts, 'openStop' | 'station' | 'breakGlass'>): void {
  if (openStop === null || breakGlass?.scope.has('openStop') === true) return;
  throw new LineRefusal(
    'LS-503',
    `no open line stop at ${station}`,
    `${openStop.code} since ${openStop.at} (refusal ${openStop.refusal_id})`,
  );
}

/**
 * LS-408, LS-409: the station is the one whose start is the newest, not a copy of it, and was measured lately where the
 * rules ask for it. One that has been measured once goes on being measured.
 */
function checkStart(
  { startDigest }: Pick<Claim, 'startDigest'>,
  { start, station, rules, now }: Pick<AdmissionFacts, 'start' | 'station' | 'rules' | 'now'>,
): void {
  if (startDigest === undefined) return;
  const { measured, maxMeasurementAgeMs } = rules.stations;
  if (start === null) {
    const isLawful = measured === 'optional' && startDigest === null;
    ensure(isLawful, 'LS-408', `a logged start of ${station}`, startDigest ?? 'none');
    return;
  }
  const newest = `the start of ${station} at entry ${start.index}, ${start.digest.slice(0, 16)}…`;
  if (startDigest === null) throw new LineRefusal('LS-408', newest, 'none');
  ensure(startDigest === start.digest, 'LS-409', newest, `${startDigest.slice(0, 16)}…`);
  ensure(
    measured === 'optional' || now - start.measuredAt <= maxMeasurementAgeMs,
    'LS-408',
    `a measurement within ${maxMeasurementAgeMs} ms`,
    `one of ${formatInstant(start.measuredAt)}`,
  );
}

/** LS-501, LS-511, LS-512, LS-515, LS-519: a named person, signed in here and nowhere else, lately, with a credential that still counts. */
function checkSession(
  operator: Pick<PermitRequest['operator'], 'id' | 'credentialKeyDigest' | 'credential'>,
  { now, station, rules, session: { row, key } }: Pick<AdmissionFacts, 'now' | 'station' | 'rules' | 'session'>,
): void {
  if (row === null) throw new LineRefusal('LS-501', 'a session in the log', 'a session this line does not know');
  const holds = (condition: boolean, expected: string, observed: string): void => {
    ensure(condition, 'LS-501', expected, observed);
  };
  holds(row.station === station, `a session at ${station}`, `a session at ${row.station}`);
  holds(row.operator === operator.id, `the session of ${operator.id}`, `the session of ${row.operator}`);
  holds(
    row.credential_key_digest === operator.credentialKeyDigest.sha256 && row.credential === operator.credential,
    'the credential that opened the session',
    'another credential',
  );
  holds(now < parseInstant(row.expires_at), 'a session that runs', `one that ran out at ${row.expires_at}`);
  holds(
    key !== null && isValidAt(key, now) && isCredentialOf(key, row),
    `an enrolled credential of ${row.operator}`,
    'one that is not enrolled, ran out, or was revoked',
  );
  const { credentials } = rules.signIn;
  ensure(credentials.includes(row.credential), 'LS-519', credentials.join(' or '), row.credential);
  ensure(row.state === 'open', 'LS-515', 'a session that is open', 'one that has ended');
  const idleMs = idleLimitMs(row, rules);
  ensure(
    now - parseInstant(row.last_used_at) <= idleMs,
    'LS-511',
    `a pause of at most ${idleMs / 60_000} minutes`,
    `none of their work since ${row.last_used_at}`,
  );
  const units = batchLimit(row, rules);
  ensure(row.units < units, 'LS-512', `at most ${units} units in a session`, `${row.units} begun in it`);
}

/** A badge is vouched for by the line, everything else by the person's own key. */
function isCredentialOf({ role, owner, scope }: TrustedKey, row: OperatorSessionRow): boolean {
  if (row.credential === 'badge-pin') return role === 'evidence' && scope === row.line;
  return role === 'operator' && owner === row.operator;
}

/** LS-520: nobody makes units of a release they proposed, built or approved. */
function checkSeparation({ operator }: Pick<Claim, 'operator'>, { release }: ReleaseInForce): void {
  const { partakers, manifest } = release;
  ensure(
    !partakers.includes(operator.id),
    'LS-520',
    `an operator who had no part in ${manifest.releaseId}`,
    `${operator.id}, who had`,
  );
}

function checkDevice({ subject, identity }: Claim, unit: UnitRow | null): void {
  ensure(
    !PLACEHOLDER_UIDS.has(identity.hardwareUid.sha256),
    'UF-01',
    'a hardware identifier of a part',
    'a placeholder: every byte is equal',
  );
  ensure(subject === identity.deviceId, 'LS-506', `a statement about ${identity.deviceId}`, `one about ${subject}`);
  ensure(
    unit === null || unit.hardware_uid === identity.hardwareUid.sha256,
    'LS-506',
    'the hardware identifier this device id stands for',
    'another one',
  );
}

/** LS-101: label, device and product must belong together, from every side. Returns the unit's serial. */
function checkLabel({ identity, product }: Claim, { unit, labelOwner, release }: AdmissionFacts): string {
  const isAssigned = !(release instanceof RefusedError) && release.release.manifest.labelRule === 'assigned';
  const derived = deriveLabelSerial(product.sku, identity.deviceId);
  if (identity.label === null) {
    ensure(!isAssigned, 'LS-101', 'a scanned label, which this release assigns', 'none');
    ensure(identity.identityMatch === 'NOT_READ', 'LS-101', 'NOT_READ without a label', identity.identityMatch);
  } else {
    const { serial } = identity.label;
    if (!isAssigned) checkDerivedLabel(serial, derived, product.sku);
    ensure(identity.identityMatch === 'MATCH', 'LS-101', 'a label that matches', identity.identityMatch);
  }
  const serial = identity.label?.serial ?? derived;
  ensure(
    labelOwner === null || labelOwner.device_id === identity.deviceId,
    'LS-101',
    `label ${serial} on device ${labelOwner?.device_id ?? ''}`,
    `on device ${identity.deviceId}`,
  );
  ensure(
    (unit?.label_serial ?? serial) === serial,
    'LS-101',
    `label ${unit?.label_serial ?? ''} on this device`,
    serial,
  );
  return serial;
}

function checkDerivedLabel(serial: string, derived: string, sku: string): void {
  let labelSku: string;
  try {
    labelSku = parseLabelSerial(serial).sku;
  } catch (error) {
    if (!(error instanceof WitnessmarkError)) throw error;
    throw new LineRefusal('LS-101', `label ${derived}`, `${serial}, which is no serial`, error);
  }
  ensure(labelSku === sku, 'LS-101', `a label for ${sku}`, `a label for ${labelSku}`);
  ensure(serial === derived, 'LS-101', `label ${derived}`, serial);
}

function checkUnit({ unit, decision, station }: AdmissionFacts): void {
  const state = decision ?? unit?.state ?? 'open';
  ensure(state !== 'scrapped', 'LS-103', 'a unit that may be programmed', 'a scrapped unit');
  ensure(state !== 'quarantined', 'HD-02', 'a unit that may be programmed', 'a unit in quarantine');
  if (unit === null) return;
  const head = `event ${unit.head_seq}, ${unit.head_digest.slice(0, 16)}…`;
  ensure(state !== 'passed', 'LS-102', 'a unit that has not passed', `${unit.label_serial ?? ''} passed (${head})`);
  ensure(state !== 'held', 'HD-02', 'a unit that waits for nothing', `a unit on hold (${head})`);
  if (unit.open_transaction === null) return;
  ensure(
    unit.station === station,
    'LS-105',
    `no open intent for this device outside ${station}`,
    `transaction ${unit.open_transaction} at ${unit.station}`,
  );
  throw new LineRefusal('HD-02', 'no open intent for this device', `transaction ${unit.open_transaction} is open here`);
}

function checkRelease({ releaseId, product }: Claim, { release, counterFloor, rules }: AdmissionFacts): ReleaseInForce {
  if (release instanceof RefusedError) throw release;
  const { releaseId: inForce, releaseCounter } = release.release.manifest;
  ensure(
    releaseCounter >= counterFloor,
    'LS-204',
    `a release counter of at least ${counterFloor} for ${product.sku}`,
    `${releaseCounter} (${inForce})`,
  );
  ensure(releaseId === null || releaseId === inForce, 'LS-203', `release ${inForce}`, String(releaseId));
  const inClear = release.release.manifest.components.find(({ sealed }) => sealed === undefined);
  ensure(
    rules.sealing === 'optional' || inClear === undefined,
    'BX-204',
    'a release whose images are sealed',
    `${inForce}, whose ${inClear?.name ?? ''} is in clear`,
  );
  return release;
}

function checkAttempts({ unit, rules, breakGlass }: AdmissionFacts, { release }: ReleaseInForce): void {
  if (breakGlass?.scope.has('attemptLimit') === true) return;
  if (unit?.state !== 'failed' || unit.release_id !== release.manifest.releaseId) return;
  ensure(
    unit.attempts < rules.maxAttempts,
    'HD-03',
    `at most ${rules.maxAttempts} failed attempts`,
    `${unit.attempts} (event ${unit.head_seq}, ${unit.head_digest.slice(0, 16)}…)`,
  );
}

/** LS-206: a unit counts once per release; further attempts are not further units. */
function checkQuota(attempt: number, { rule }: ReleaseInForce, unitsBegun: number): void {
  if (attempt !== 1 || rule.maxUnits === null) return;
  ensure(unitsBegun < rule.maxUnits, 'LS-206', `at most ${rule.maxUnits} units (${rule.eco})`, `${unitsBegun} begun`);
}

function nextAttempt(unit: UnitRow | null, { release }: ReleaseInForce): number {
  return unit !== null && unit.release_id === release.manifest.releaseId ? unit.attempts + 1 : 1;
}

function nextLink(unit: UnitRow | null): Permit['chain'] {
  if (unit === null) return { nextSeq: 1, previousEventDigest: null };
  return { nextSeq: unit.head_seq + 1, previousEventDigest: { sha256: unit.head_digest } };
}

/** Of eight bytes, the usual length: every byte equal, or each one more than the one before. Of other lengths: 0x00 and 0xff. */
function* placeholderDigests(): Generator<string> {
  for (let length = MIN_HARDWARE_ID_BYTES; length <= MAX_HARDWARE_ID_BYTES; length += 1) {
    yield sha256Hex(new Uint8Array(length));
    yield sha256Hex(new Uint8Array(length).fill(0xff));
  }
  for (let first = 0; first <= 0xff; first += 1) {
    yield sha256Hex(new Uint8Array(SPI_NOR_UID_BYTES).fill(first));
    yield sha256Hex(Uint8Array.from({ length: SPI_NOR_UID_BYTES }, (_, index) => first + index));
  }
}
