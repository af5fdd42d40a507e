// SPDX-License-Identifier: Apache-2.0
/** What must hold at a station, whatever device lies there: its clock, its marks, no stop, and that it is the one that was measured. */
import { formatInstant, type Instant } from '@witnessmark/core';
import type { ClockEvidence } from '@witnessmark/attestation';
import type { Claim, StationFacts } from './claim.ts';
import { ensure, LineRefusal } from './error.ts';

/** LS-301: the station's clock and the line's must agree before any time is believed. */
export function checkClock(
  at: Instant,
  clock: ClockEvidence,
  { now, rules, breakGlass }: Pick<StationFacts, 'now' | 'rules' | 'breakGlass'>,
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
export function checkBreakGlass(
  { environment }: Pick<Claim, 'environment'>,
  { breakGlass, waitsForReview, rules }: Pick<StationFacts, 'breakGlass' | 'waitsForReview' | 'rules'>,
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
export function checkStop({
  openStop,
  station,
  breakGlass,
}: Pick<StationFacts, 'openStop' | 'station' | 'breakGlass'>): void {
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
export function checkStart(
  { startDigest }: Pick<Claim, 'startDigest'>,
  { start, station, rules, now }: Pick<StationFacts, 'start' | 'station' | 'rules' | 'now'>,
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
