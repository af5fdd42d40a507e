// SPDX-License-Identifier: Apache-2.0
/** The enrolment a station came with, and its end (spec/station-enrolment.md, spec/station-retirement.md). */
import { stationEnrolment, stationRetirement } from '@witnessmark/attestation';
import { defineSiteRecord, type SiteRecordRule } from './rule.ts';

export const STATION_ENROLMENT_KIND = 'station-enrolment';
export const STATION_RETIREMENT_KIND = 'station-retirement';

/** Between the request and the first connection people sign for the key. */
const MAX_WAY_MS = 30 * 24 * 3600 * 1000;

export const stationEnrolmentRule = defineSiteRecord({
  definition: stationEnrolment,
  kind: STATION_ENROLMENT_KIND,
  maxDelayMs: MAX_WAY_MS,
  describe: ({ enrolmentId, station, requestedAt }) => ({
    id: enrolmentId,
    state: 'enrolled',
    relatedId: null,
    station: station.id,
    line: station.line,
    actor: station.id,
    at: requestedAt,
  }),
});

export const stationRetirementRule = defineSiteRecord({
  definition: stationRetirement,
  kind: STATION_RETIREMENT_KIND,
  maxDelayMs: MAX_WAY_MS,
  describe: ({ retirementId, station, retiredBy, retiredAt }) => ({
    id: retirementId,
    state: 'retired',
    relatedId: null,
    station: station.id,
    line: station.line,
    actor: retiredBy.id,
    at: retiredAt,
  }),
});

export const STATION_IDENTITY_RULES: readonly SiteRecordRule<unknown>[] = [stationEnrolmentRule, stationRetirementRule];
