// SPDX-License-Identifier: Apache-2.0
/** The key in a card's slot, as its vendor's chain describes it. */
import { X509Certificate } from 'node:crypto';
import { RefusedError, type Bytes, type Instant, type PublicKey } from '@witnessmark/core';
import { verifyPivAttestation, type AttestedPivKey, type InsertedCard, type PivPolicy } from '@witnessmark/custody';
import { publicKeyOf } from '@witnessmark/x509';
import type { ActPorts } from '../ports.ts';

export interface AttestedCard {
  readonly attested: AttestedPivKey;
  /** Leaf first. */
  readonly certificates: readonly Bytes[];
}

/** Throws CU-131 to CU-134, or CE-208 when the card attests nothing. */
export async function attestedKey(
  { pivTool, pivRoots }: Pick<ActPorts, 'pivTool' | 'pivRoots'>,
  card: InsertedCard,
  policy: PivPolicy,
  time: Instant,
): Promise<AttestedCard> {
  const attestation = await pivTool.attest(card, policy.slot);
  if (attestation === null) {
    throw new RefusedError('CE-208', `card ${card.serial} attests no key in slot ${policy.slot}`);
  }
  const { leaf, intermediates } = attestation;
  const attested = verifyPivAttestation(attestation, {
    roots: pivRoots,
    time,
    publicKey: keyOfLeaf(leaf),
    serial: Number(card.serial),
    policy,
  });
  return { attested, certificates: [leaf, ...intermediates] };
}

/** The leaf is what names the key here; what binds it is checked by whoever expects a certain one. */
function keyOfLeaf(leaf: Bytes): PublicKey {
  try {
    return publicKeyOf(new X509Certificate(leaf));
  } catch (cause) {
    throw new RefusedError('CU-131', 'the attestation is not about a P-256 key', { cause });
  }
}
