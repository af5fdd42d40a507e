// SPDX-License-Identifier: Apache-2.0
/** Starts of stations (spec/station-start.md): one chain for each station key; the views let no two name one predecessor. */
import { stationStart } from '@witnessmark/attestation';
import { defineSiteRecord, type SiteRecordRule } from './rule.ts';

export const STATION_START_KIND = 'station-start';
/** The station may have been cut off from the line after it signed. */
const MAX_DELIVERY_MS = 10 * 60_000;

export const stationStartRule = defineSiteRecord({
  definition: stationStart,
  kind: STATION_START_KIND,
  maxDelayMs: MAX_DELIVERY_MS,
  describe: ({ id, keyDigest, previous, station, reason, measuredAt }) => ({
    id,
    state: reason,
    relatedId: previous?.digest.sha256 ?? firstLink(keyDigest.sha256),
    station: station.id,
    line: station.line,
    actor: station.id,
    at: measuredAt,
  }),
});

export const STATION_START_RULES: readonly SiteRecordRule<unknown>[] = [stationStartRule];

/** What the first start of a key names in place of a predecessor. */
export function firstLink(keyDigest: string): string {
  return `first/${keyDigest}`;
}
