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

/** Where the day of the month stands in the text. */
const DAY_START = 8;
const DAY_END = 10;
const RFC3339_UTC = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?Z$/;

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
  const instant = RFC3339_UTC.test(text) ? Date.parse(text) : NaN;
  // Date.parse rolls 30 February and 24:00 over to another day.
  if (Number.isNaN(instant) || new Date(instant).getUTCDate() !== Number(text.slice(DAY_START, DAY_END))) {
    throw new CoreError('ERR_TIME_FORMAT', 'the text is not an RFC 3339 time in UTC');
  }
  return instant;
}
