// SPDX-License-Identifier: Apache-2.0
/**
 * Reading the reports of `chronyc -c` (chrony 4, client.c): comma-separated, without a heading, numbers in seconds. The
 * text comes from a daemon that talks to the network: every field is checked, and what is not needed is not kept.
 */
import type { SourceAuthentication, SourceReading, SourceState, TimeReading } from './time-reading.ts';

export const CHRONY_REPORT_LIMITS = {
  /** Far more than the sources of one station. */
  characters: 64 * 1024,
  sources: 64,
} as const;

export interface ChronyReports {
  readonly tracking: string;
  readonly sources: string;
  readonly sourcestats: string;
  /** Null when the daemon does not tell us: it answers this on its Unix socket only. */
  readonly authdata: string | null;
}

const TRACKING_FIELDS = 14;
const SOURCES_FIELDS = 10;
const SOURCESTATS_FIELDS = 8;
const AUTHDATA_FIELDS = 10;
const NAME = /^[A-Za-z0-9.:_%-]{1,128}$/;
const DECIMAL = /^-?\d{1,15}(?:\.\d{1,12})?$/;
const OCTAL = /^[0-7]{1,3}$/;
const NEVER = 0xffff_ffff;
const UNSYNCHRONISED_STRATUM = 16;
const SYNCHRONISED = ['Normal', 'Insert second', 'Delete second'];

const STATES: ReadonlyMap<string, SourceState> = new Map([
  ['*', 'selected'],
  ['+', 'combined'],
  ['-', 'spare'],
  ['?', 'unusable'],
  ['~', 'too variable'],
  ['x', 'falseticker'],
]);
const MODES = ['^', '=', '#'];
const AUTHENTICATION: ReadonlyMap<string, SourceAuthentication> = new Map([
  ['NTS', 'nts'],
  ['SK', 'symmetric key'],
  ['-', 'none'],
]);

/** Returns null for anything chronyc does not write. */
export function parseChronyReports(reports: ChronyReports): TimeReading | null {
  const tracking = rows(reports.tracking, TRACKING_FIELDS);
  const sources = rows(reports.sources, SOURCES_FIELDS);
  const statistics = rows(reports.sourcestats, SOURCESTATS_FIELDS);
  const authentication =
    reports.authdata === null ? new Map<string, SourceAuthentication>() : parseAuthdata(reports.authdata);
  if (tracking?.length !== 1 || sources === null || statistics === null || authentication === null) return null;
  const samples = parseSamples(statistics);
  const readings = sources.map((fields) => parseSource(fields, samples, authentication));
  if (readings.some((reading) => reading === null)) return null;
  return parseTracking(tracking[0] as string[], readings as SourceReading[]);
}

function parseTracking(fields: readonly string[], sources: readonly SourceReading[]): TimeReading | null {
  const stratum = decimal(fields[2]);
  // Positive when the clock is slow.
  const correction = decimal(fields[4]);
  const rootDelay = decimal(fields[10]);
  const rootDispersion = decimal(fields[11]);
  const leap = fields[13];
  if (stratum === null || correction === null || rootDelay === null || rootDispersion === null) return null;
  if (rootDelay < 0 || rootDispersion < 0) return null;
  const claimsSynchronised = SYNCHRONISED.includes(leap ?? '');
  if (!claimsSynchronised && leap !== 'Not synchronised') return null;
  return {
    claimsSynchronised,
    stratum: claimsSynchronised && stratum < UNSYNCHRONISED_STRATUM ? stratum : null,
    offsetMs: toMs(-correction),
    rootDelayMs: toMs(rootDelay),
    rootDispersionMs: toMs(rootDispersion),
    sources,
  };
}

function parseSource(
  fields: readonly string[],
  samples: ReadonlyMap<string, number>,
  authentication: ReadonlyMap<string, SourceAuthentication>,
): SourceReading | null {
  const [mode = '', sign = '', name = '', , , reach = ''] = fields;
  const state = STATES.get(sign);
  const stratum = decimal(fields[3]);
  const age = decimal(fields[6]);
  const offset = decimal(fields[7]);
  if (state === undefined || stratum === null || age === null || offset === null) return null;
  if (!MODES.includes(mode) || !NAME.test(name) || !OCTAL.test(reach) || age < 0) return null;
  const answered = Number.parseInt(reach, 8);
  if (answered > 0xff) return null;
  return {
    name,
    state,
    stratum,
    reach: answered,
    lastSampleAgeMs: age === NEVER || samples.get(name) === undefined ? null : toMs(age),
    offsetMs: toMs(offset),
    samples: samples.get(name) ?? 0,
    authentication: authentication.get(name) ?? null,
  };
}

/** Sources that were never measured have a row of zeroes, and reference clocks one as any other source. */
function parseSamples(statistics: readonly (readonly string[])[]): ReadonlyMap<string, number> {
  const samples = new Map<string, number>();
  for (const fields of statistics) {
    const [name = ''] = fields;
    const count = decimal(fields[1]);
    if (count !== null && count > 0) samples.set(name, count);
  }
  return samples;
}

/** NTS counts once there are keys and cookies: until then nothing was authenticated. */
function parseAuthdata(text: string): ReadonlyMap<string, SourceAuthentication> | null {
  const found = rows(text, AUTHDATA_FIELDS);
  if (found === null) return null;
  const authentication = new Map<string, SourceAuthentication>();
  for (const fields of found) {
    const [name = '', mode = ''] = fields;
    const known = AUTHENTICATION.get(mode);
    const keyBits = decimal(fields[4]);
    if (known === undefined || keyBits === null) return null;
    authentication.set(name, known === 'nts' && keyBits === 0 ? 'none' : known);
  }
  return authentication;
}

function rows(text: string, fields: number): string[][] | null {
  if (text.length > CHRONY_REPORT_LIMITS.characters) return null;
  const found = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(','));
  const isWhole = found.length <= CHRONY_REPORT_LIMITS.sources && found.every((row) => row.length === fields);
  return isWhole ? found : null;
}

function decimal(text: string | undefined): number | null {
  return text !== undefined && DECIMAL.test(text) ? Number(text) : null;
}

/** Whole nanoseconds, so that no digit is invented. */
function toMs(seconds: number): number {
  return Math.round(seconds * 1e9) / 1e6;
}
