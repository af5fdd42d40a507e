// SPDX-License-Identifier: Apache-2.0
/** The station's side of a sealed image: a key pair for one unit, in memory only, and the image it opens. */
import type { Bytes, PublicKey } from '@witnessmark/core';
import { generateSoftwareKeyAgreement } from '@witnessmark/custody';
import { openSealedImage } from './open.ts';
import { parseRecipient } from './sealed-image.ts';

export interface TransportKey {
  readonly publicKey: PublicKey;
  /** The image in an envelope, with the content key as a line wrapped it; whoever gets it wipes it. Throws BX-201 or BX-202. */
  open(envelope: Bytes, recipientInfo: Bytes): Promise<Bytes>;
}

export function newTransportKey(): TransportKey {
  const key = generateSoftwareKeyAgreement();
  return {
    publicKey: key.publicKey,
    open: async (envelope, recipientInfo) => openSealedImage(envelope, key, parseRecipient(recipientInfo)),
  };
}
