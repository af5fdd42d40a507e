// SPDX-License-Identifier: Apache-2.0
/** What a station may make while this line does not answer (spec/offline-allowance.md). Made by the line alone. */
import { offlineAllowance } from '@witnessmark/attestation';
import { projectAllowance } from '../offline/spool-projection.ts';
import { defineSiteRecord, type SiteRecordRule } from './rule.ts';

export const ALLOWANCE_KIND = 'offline-allowance';

export const offlineAllowanceRule = defineSiteRecord({
  definition: offlineAllowance,
  kind: ALLOWANCE_KIND,
  work: 'new',
  describe: ({ id, station, operatorId, issuedAt }) => ({
    id,
    state: 'given',
    relatedId: null,
    station: station.id,
    line: station.line,
    actor: operatorId,
    at: issuedAt,
  }),
  transitions: ({ predicate, digest }, index) => [projectAllowance(index, predicate, digest)],
});

export const OFFLINE_ALLOWANCE_RULES: readonly SiteRecordRule<unknown>[] = [offlineAllowanceRule];
