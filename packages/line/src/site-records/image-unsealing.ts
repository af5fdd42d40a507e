// SPDX-License-Identifier: Apache-2.0
/** A station asking for the content keys of a sealed release, for one unit (spec/image-unsealing.md). */
import { decodeBase64, parsePublicKey, WitnessmarkError, type PublicKey } from '@witnessmark/core';
import { imageUnsealing, type ImageUnsealing } from '@witnessmark/attestation';
import { LineRefusal } from '../error.ts';
import { defineSiteRecord, type SiteRecordRule } from './rule.ts';

export const imageUnsealingRule = defineSiteRecord({
  definition: imageUnsealing,
  kind: 'image-unsealing',
  describe: ({ id, transactionId, station, operator, requestedAt }) => ({
    id,
    state: 'done',
    relatedId: transactionId,
    station: station.id,
    line: station.line,
    actor: operator.id,
    at: requestedAt,
  }),
});

export const IMAGE_UNSEALING_RULES: readonly SiteRecordRule<unknown>[] = [imageUnsealingRule];

/** Throws LS-506 for what is no P-256 key. */
export function readTransportKey({ transportKey }: Pick<ImageUnsealing, 'transportKey'>): PublicKey {
  try {
    const key = parsePublicKey(decodeBase64(transportKey));
    if (key.scheme !== 'ed25519') return key;
  } catch (error) {
    if (!(error instanceof WitnessmarkError)) throw error;
  }
  throw new LineRefusal('LS-506', 'a transport key on P-256', 'something else');
}
