// SPDX-License-Identifier: Apache-2.0
/** Approved builds of stations (spec/station-build.md, "Record"): proposed by one person, approved by another. */
import { stationBuild } from '@witnessmark/attestation';
import { defineSiteRecord, type SiteRecordRule } from './rule.ts';

export const STATION_BUILD_KIND = 'station-build';
/** An approver reads the difference before signing; what was measured longer ago is measured again. */
const MAX_APPROVING_MS = 7 * 24 * 3_600_000;

export const stationBuildRule = defineSiteRecord({
  definition: stationBuild,
  kind: STATION_BUILD_KIND,
  signatures: 2,
  maxDelayMs: MAX_APPROVING_MS,
  describe: ({ id, place, stations, approvedBy, proposedAt }) => ({
    id,
    state: 'approved',
    relatedId: null,
    station: stations.length === 1 ? (stations[0] as string) : null,
    line: place.line,
    actor: approvedBy.id,
    at: proposedAt,
  }),
});

export const STATION_BUILD_RULES: readonly SiteRecordRule<unknown>[] = [stationBuildRule];
