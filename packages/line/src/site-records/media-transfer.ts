// SPDX-License-Identifier: Apache-2.0
/** Media that were brought in at the line, or refused there (spec/media-transfer.md). What is taken out is logged by the office. */
import { mediaTransfer } from '@witnessmark/attestation';
import { defineSiteRecord, type SiteRecordRule } from './rule.ts';

/** Reading a full medium takes its time; the record says when it began. */
const MAX_READING_MS = 30 * 60_000;

export const mediaTransferRule = defineSiteRecord({
  definition: mediaTransfer,
  kind: 'media-transfer',
  maxDelayMs: MAX_READING_MS,
  describe: ({ transferId, site, person, result, transferredAt }) => ({
    id: transferId,
    state: result,
    relatedId: null,
    station: null,
    line: site.line,
    actor: person.id,
    at: transferredAt,
  }),
});

export const MEDIA_TRANSFER_RULES: readonly SiteRecordRule<unknown>[] = [mediaTransferRule];
