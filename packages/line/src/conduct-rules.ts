// SPDX-License-Identifier: Apache-2.0
/**
 * How a station conducts itself (spec/station-conduct.md): units that fail one after the other, units that are tried again,
 * and the units it proves itself with. Pure, as all admission is.
 */
import { formatInstant, type Instant } from '@witnessmark/core';
import type { EventRow, RefusalRow, SiteRecordRow, ViewReader } from '@witnessmark/store';
import { ensure, LineRefusal } from './error.ts';
import type { GoldenBook, KnownCheck } from './golden-book.ts';
import type { LineRules } from './rules.ts';
import { GOLDEN_UNIT_KIND } from './site-records/golden.ts';

/** How a station has fared lately. */
export interface StationConduct {
  /** Units in a row that failed there, the newest first; none from before its last LS-601. */
  readonly failures: readonly Failure[];
  /** The newest of each place and kind. */
  readonly goldenChecks: readonly KnownCheck[];
}

/** What is known of a device beside its unit. */
export interface DevicePast {
  /** Intents for it at this station. */
  readonly attemptsHere: number;
  /** Whether the device, or the label, is one of a golden or known-bad unit, in use or retired. */
  readonly testUnit: 'device' | 'label' | null;
}

interface Failure {
  readonly code: string;
  /** Null for one that did not name itself. */
  readonly deviceId: string | null;
  readonly slot: number | null;
}

export async function gatherConduct(
  station: string,
  { views, rules, golden }: { readonly views: ViewReader; readonly rules: LineRules; readonly golden: GoldenBook },
): Promise<StationConduct> {
  return {
    failures: await findFailures(station, rules.maxFailuresInRow, views),
    goldenChecks: golden.of(station),
  };
}

export async function gatherPast(
  claim: { readonly station: string; readonly deviceId: string; readonly labelSerial: string | null },
  { views }: { readonly views: ViewReader },
): Promise<DevicePast> {
  const { station, deviceId, labelSerial } = claim;
  return {
    attemptsHere: countAttempts(await views.chain(deviceId), station),
    testUnit: await findTestUnit(deviceId, labelSerial, views),
  };
}

/**
 * LS-601: as many different units in a row have failed as the rules allow. Its refusal is itself the record from which
 * counting begins anew once a supervisor has let the station go on.
 */
export function checkFailures(
  { failures }: StationConduct,
  { rules, station }: { readonly rules: LineRules; readonly station: string },
): void {
  if (rules.maxFailuresInRow === 0 || failures.length < rules.maxFailuresInRow) return;
  throw new LineRefusal(
    'LS-601',
    `fewer than ${rules.maxFailuresInRow} failed units in a row at ${station}`,
    failures.map(({ code, slot }) => (slot === null ? code : `${code} in slot ${slot}`)).join(', '),
  );
}

/** LS-613 while the last check of any unit failed; LS-612 where the rules ask for checks that are missing or too old. */
export function checkGolden(
  { goldenChecks }: StationConduct,
  { rules, slot, now }: { readonly rules: LineRules; readonly slot: number | null; readonly now: Instant },
): void {
  const { goldenCheck } = rules;
  const here = goldenCheck.perSlot ? goldenChecks.filter((check) => check.slot === slot) : goldenChecks;
  const failed = here.find(({ isAsExpected }) => !isAsExpected);
  if (failed !== undefined) {
    throw new LineRefusal('LS-613', `a ${failed.kind} unit that does as expected`, describe(failed));
  }
  for (const kind of goldenCheck.kinds) {
    const newest = Math.max(...here.filter((check) => check.kind === kind).map(({ checkedAt }) => checkedAt));
    ensure(
      now - newest <= goldenCheck.maxAgeMs,
      'LS-612',
      `a check with the ${kind} unit within ${goldenCheck.maxAgeMs / 60_000} minutes`,
      newest === -Infinity ? 'none' : `one of ${formatInstant(newest)}`,
    );
  }
}

/** LS-610: units that a station proves itself with are never product. */
export function checkProduct({ testUnit }: DevicePast): void {
  ensure(testUnit === null, 'LS-610', 'a unit that may be shipped', `the ${testUnit ?? ''} of a registered test unit`);
}

/** LS-607, LS-608: a further attempt has a reason, and not all of them are made at one station. */
export function checkRetest(
  { attemptsHere }: DevicePast,
  claim: { readonly attempt: number; readonly retestReason: string | null },
  { rules, station }: { readonly rules: LineRules; readonly station: string },
): void {
  const { retest } = rules;
  if (claim.attempt === 1) return;
  ensure(!retest.needsReason || claim.retestReason !== null, 'LS-607', `a reason for attempt ${claim.attempt}`, 'none');
  ensure(
    attemptsHere < retest.maxAttemptsPerStation,
    'LS-608',
    `at most ${retest.maxAttemptsPerStation} attempts at ${station}`,
    `${attemptsHere}`,
  );
}

function describe({ kind, slot, checkedAt }: KnownCheck): string {
  const where = slot === null ? '' : ` in slot ${slot}`;
  return `the ${kind} unit did otherwise${where} at ${formatInstant(checkedAt)}`;
}

/** The trailing run of failures; a unit on hold is neither, and a unit that failed twice is one unit. */
async function findFailures(station: string, max: number, views: ViewReader): Promise<readonly Failure[]> {
  if (max === 0) return [];
  const since = (await views.latestFailureStop(station))?.log_index ?? -1;
  const failures: Failure[] = [];
  for (const ending of await readEndings(station, since, max, views)) {
    if (ending.passed) break;
    if (!ending.failed) continue;
    const isKnown = failures.some(({ deviceId }) => deviceId !== null && deviceId === ending.deviceId);
    if (!isKnown) failures.push(ending);
    if (failures.length === max) break;
  }
  return failures;
}

interface Ending extends Failure {
  readonly index: number;
  readonly passed: boolean;
  readonly failed: boolean;
}

/** Newest first. Enough of them that units which failed more than once, or are on hold, do not hide a run. */
async function readEndings(station: string, since: number, max: number, views: ViewReader): Promise<readonly Ending[]> {
  const limit = 4 * max;
  const events = await views.recentEndings(station, since, limit);
  const refusals = await views.recentUnitFails(station, since, limit);
  return [...events.map(toEnding), ...refusals.map(toRefusedEnding)].sort((left, right) => right.index - left.index);
}

function toEnding({ outcome, code, device_id: deviceId, slot, log_index: index }: EventRow): Ending {
  const failed = outcome === 'FAILED' && code?.startsWith('UF-') === true;
  return { index, passed: outcome === 'SUCCEEDED', failed, code: code ?? '', deviceId, slot };
}

function toRefusedEnding({ code, device_id: deviceId, slot, log_index: index }: RefusalRow): Ending {
  return { index, passed: false, failed: true, code, deviceId, slot };
}

function countAttempts(chain: readonly EventRow[], station: string): number {
  return chain.filter((link) => link.kind === 'intent' && link.station === station).length;
}

async function findTestUnit(
  deviceId: string,
  labelSerial: string | null,
  views: ViewReader,
): Promise<DevicePast['testUnit']> {
  const isRegistered = (rows: readonly SiteRecordRow[]): boolean => rows.some(({ kind }) => kind === GOLDEN_UNIT_KIND);
  if (isRegistered(await views.siteRecordsAbout(deviceId))) return 'device';
  if (labelSerial === null) return null;
  return isRegistered(await views.siteRecordsRelatedTo(labelSerial)) ? 'label' : null;
}
