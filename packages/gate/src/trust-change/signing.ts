// SPDX-License-Identifier: Apache-2.0
/** What a holder signs of a trust change, and who may. */
import type { TrustedKey } from '@witnessmark/attestation';
import { RefusedError } from '@witnessmark/core';
import type { Signer } from '@witnessmark/custody';
import {
  rootKeysOf,
  signStagedMetadata,
  type MetadataSignature,
  type RootKeys,
  type StagedMetadata,
  type ThresholdKeys,
} from '@witnessmark/trust';
import { wrongSignature } from '../decision.ts';
import { GATE_LIMITS } from '../limits.ts';
import type { Judge } from '../status.ts';
import type { InspectedChange } from './inspection.ts';
import type { ChangeTally } from './tally.ts';

export interface TrustSignature {
  readonly changeId: string;
  /** The holder's key as an approver, old or new. */
  readonly signer: Signer;
  /** The holder's root and targets keys, where they are other ones than `signer`. */
  readonly rootSigner?: Signer;
  readonly targetsSigner?: Signer;
  readonly meaning: string;
  readonly ticket: string;
  /** The first characters of the change's digest, as the holder read them. */
  readonly typedDigestPrefix: string;
}

/** Throws PL-101, PL-102, PL-120 or PL-109. */
export function checkHolder(
  { changeId, change, digest }: InspectedChange,
  approvals: ChangeTally['approvals'],
  { owner, token }: TrustedKey,
  typed: string,
): void {
  if (owner === change.proposedBy.id)
    throw new RefusedError('PL-101', `${owner} proposed ${changeId} and cannot sign it`);
  const earlier = approvals.find(({ key }) => key.owner === owner);
  if (earlier !== undefined) throw new RefusedError('PL-102', `${owner} signed at ${earlier.predicate.approvedAt}`);
  const lent = approvals.find(({ key }) => token !== null && key.token?.serial === token.serial);
  if (lent !== undefined) {
    throw new RefusedError('PL-120', `the card with serial ${token?.serial ?? ''} signed for ${lent.key.owner}`);
  }
  if (typed.length < GATE_LIMITS.minDigestPrefix || !digest.startsWith(typed)) {
    throw new RefusedError('PL-109', `the digest of ${changeId} begins with ${digest.slice(0, 4)}`);
  }
}

/** Both documents, each with the holder's key for it; throws PL-105 when the holder has none. */
export async function signMetadataOf(
  { root, targets }: InspectedChange,
  { signer, rootSigner = signer, targetsSigner = signer }: TrustSignature,
  { workspace: { author } }: Judge,
): Promise<{ rootSignature: MetadataSignature | null; targetsSignature: MetadataSignature | null }> {
  const both = [author.rootKeys, ...(root === null ? [] : [rootKeysOf(root)])];
  const signIfHeld = async (
    staged: StagedMetadata,
    key: Signer,
    role: (keys: RootKeys) => ThresholdKeys,
    isSignature: (signature: MetadataSignature) => boolean,
  ): Promise<MetadataSignature | null> => {
    const isHeld = both.some((keys) =>
      role(keys).holders.some(({ publicKey }) => publicKey.keyid === key.publicKey.keyid),
    );
    if (!isHeld) return null;
    const signature = await signStagedMetadata(staged, key);
    if (!isSignature(signature)) throw wrongSignature(key);
    return signature;
  };
  const rootSignature =
    root === null
      ? null
      : await signIfHeld(
          root,
          rootSigner,
          (keys) => keys.root,
          (signature) => author.isRootSignature(root, signature),
        );
  const targetsSignature = await signIfHeld(
    targets,
    targetsSigner,
    (keys) => keys.targets,
    (signature) =>
      root === null
        ? author.isTargetsSignature(targets, signature)
        : author.isTargetsSignatureUnder(root, targets, signature),
  );
  if (rootSignature === null && targetsSignature === null) {
    throw new RefusedError('PL-105', `key ${signer.publicKey.keyid.slice(0, 8)} signs neither root nor targets`);
  }
  return { rootSignature, targetsSignature };
}
