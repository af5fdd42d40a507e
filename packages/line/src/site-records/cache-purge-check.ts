// SPDX-License-Identifier: Apache-2.0
/** A station reports the purges of its own cache. */
import type { CachePurge } from '@witnessmark/attestation';
import { checkStation } from './by-station.ts';
import { cachePurgeRule } from './cache-purge.ts';
import { defineCheck, type CheckedRule, type SiteRecordCheck } from './check.ts';

const checkPurge: SiteRecordCheck<CachePurge> = ({ predicate }, submission) => {
  checkStation(predicate.station, submission);
};

export const CACHE_PURGE_CHECKS: readonly CheckedRule[] = [defineCheck(cachePurgeRule, checkPurge)];
