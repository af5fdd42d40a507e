// SPDX-License-Identifier: Apache-2.0
/** Copies of released content that a station removed (spec/release-cache.md). */
import { cachePurge } from '@witnessmark/attestation';
import { defineSiteRecord, type SiteRecordRule } from './rule.ts';

/** A station that purged while the line did not answer says so when it does. */
const MAX_DELAY_MS = 7 * 24 * 3_600_000;

export const cachePurgeRule = defineSiteRecord({
  definition: cachePurge,
  kind: 'cache-purge',
  maxDelayMs: MAX_DELAY_MS,
  describe: ({ id, reason, station, purgedAt }) => ({
    id,
    state: reason,
    relatedId: null,
    station: station.id,
    line: station.line,
    actor: station.id,
    at: purgedAt,
  }),
});

export const CACHE_PURGE_RULES: readonly SiteRecordRule<unknown>[] = [cachePurgeRule];
