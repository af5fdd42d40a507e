// SPDX-License-Identifier: Apache-2.0
/** Time enters as a value: whoever decides reads the clock once and passes the instant on. */
import { CoreError } from './error.ts';

/** Milliseconds since 1970-01-01T00:00:00Z. */
export type Instant = number;

export interface Clock {
  now(): Instant;
  /** Milliseconds since an arbitrary start; never goes back while the process lives. */
  monotonic(): number;
}

const RFC3339_UTC = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?Z$/;
const DAYS_IN_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const DAYS_IN_400_YEARS = 146_097;
/** From 1 March of the year 0 to 1 January 1970. */
const DAYS_BEFORE_EPOCH = 719_468;
const MS_PER_DAY = 86_400_000;

/** The instants RFC 3339 can write: the years 0000 to 9999. */
const MIN_INSTANT = -62_167_219_200_000;
const MAX_INSTANT = 253_402_300_799_999;

/** RFC 3339 in UTC with milliseconds and `Z`. Throws `TypeError` for what that cannot express. */
export function formatInstant(instant: Instant): string {
  if (!Number.isInteger(instant) || instant < MIN_INSTANT || instant > MAX_INSTANT) {
    throw new TypeError('an instant is a whole number of milliseconds in the years 0000 to 9999');
  }
  return new Date(instant).toISOString();
}

/** Reads RFC 3339 in UTC (`Z`, at most milliseconds); throws `ERR_TIME_FORMAT`. */
export function parseInstant(text: string): Instant {
  const instant = RFC3339_UTC.test(text) ? toInstant(text) : undefined;
  if (instant === undefined) throw new CoreError('ERR_TIME_FORMAT', 'the text is not an RFC 3339 time in UTC');
  return instant;
}

/**
 * The text fits the pattern. Every record carries several times, and `Date` takes five times as long; it would also roll
 * 30 February over to March. Undefined for a day or an hour that no calendar has; a leap second is none (as in ECMAScript).
 */
function toInstant(text: string): Instant | undefined {
  const year = Number(text.slice(0, 4));
  const month = digitsAt(text, 5);
  const day = digitsAt(text, 8);
  const hour = digitsAt(text, 11);
  const minute = digitsAt(text, 14);
  const second = digitsAt(text, 17);
  if (day < 1 || day > daysIn(year, month) || hour > 23 || minute > 59 || second > 59) return undefined;
  // 19 characters to the second, then a point and up to three digits, then Z.
  const millisecond = text.length > 20 ? Number(text.slice(20, -1).padEnd(3, '0')) : 0;
  return daysSinceEpoch(year, month, day) * MS_PER_DAY + ((hour * 60 + minute) * 60 + second) * 1_000 + millisecond;
}

function digitsAt(text: string, at: number): number {
  return (text.charCodeAt(at) - 0x30) * 10 + text.charCodeAt(at + 1) - 0x30;
}

/** 0 for a month there is not. */
function daysIn(year: number, month: number): number {
  const isLeapYear = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return month === 2 && isLeapYear ? 29 : (DAYS_IN_MONTH[month - 1] ?? 0);
}

/** Proleptic Gregorian calendar, counted in years that begin in March, so that a leap day is the last one. */
function daysSinceEpoch(year: number, month: number, day: number): number {
  const yearFromMarch = month <= 2 ? year - 1 : year;
  const monthFromMarch = month <= 2 ? month + 9 : month - 3;
  const dayOfYear = Math.floor((153 * monthFromMarch + 2) / 5) + day - 1;
  const era = Math.floor(yearFromMarch / 400);
  const yearOfEra = yearFromMarch - era * 400;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * DAYS_IN_400_YEARS + dayOfEra - DAYS_BEFORE_EPOCH;
}
