// SPDX-License-Identifier: Apache-2.0
/**
 * A station bringing in what it made while this line did not answer (spec/offline-spool.md). Logged before what it announces,
 * and only while the station's clock agrees with the line's: so it bounds every time in what follows.
 */
import { offlineDelivery } from '@witnessmark/attestation';
import { defineSiteRecord, type SiteRecordRule } from './rule.ts';

export const DELIVERY_KIND = 'offline-delivery';

export const offlineDeliveryRule = defineSiteRecord({
  definition: offlineDelivery,
  kind: DELIVERY_KIND,
  describe: ({ id, station, allowanceDigest, deliveredAt }) => ({
    id,
    state: 'announced',
    relatedId: allowanceDigest.sha256,
    station: station.id,
    line: station.line,
    actor: station.id,
    at: deliveredAt,
  }),
});

export const OFFLINE_DELIVERY_RULES: readonly SiteRecordRule<unknown>[] = [offlineDeliveryRule];
