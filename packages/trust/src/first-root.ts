// SPDX-License-Identifier: Apache-2.0
/**
 * The first root and targets for holders who sign one after the other, each where the card is: staged once, signed by
 * every holder over the same bytes, and written by {@link createRepository} when enough have signed. A later root is
 * staged by `TrustAuthor.stageRoot` and signed in the same way.
 */
import type { Metadata, Root, Targets } from '@tufjs/models';
import { decodeHex, equalBytes, isSignedBy, RefusedError, type Instant, type PublicKey } from '@witnessmark/core';
import { DEFAULT_LIFETIMES, type Lifetimes } from './lifetimes.ts';
import { buildRoot, buildTargets, type RootKeys } from './metadata-builder.ts';
import {
  toStagedMetadata,
  type MetadataSignature,
  type MetadataSigner,
  type StagedMetadata,
} from './staged-metadata.ts';
import type { TargetInfo } from './target-content.ts';
import { toTufKey } from './tuf-key.ts';

export interface FirstRootOptions {
  readonly keys: Pick<RootKeys, 'root' | 'targets'>;
  readonly online: PublicKey;
  readonly effectivity: PublicKey;
  readonly targets: Iterable<TargetInfo>;
  readonly lifetimes?: Lifetimes;
  readonly now: Instant;
}

/** Version 1 of root and targets; the same options give the same bytes. Throws TR-110, PL-102 or PL-111. */
export function buildFirstRoot(options: FirstRootOptions): { root: Metadata<Root>; targets: Metadata<Targets> } {
  const { keys, online, effectivity, targets, now, lifetimes = DEFAULT_LIFETIMES } = options;
  return {
    root: buildRoot({ ...keys, online }, 1, now + lifetimes.root),
    targets: buildTargets(targets, effectivity, 1, now + lifetimes.targets),
  };
}

/** What every holder signs. Throws as {@link buildFirstRoot}. */
export function stageFirstRoot(options: FirstRootOptions): { root: StagedMetadata; targets: StagedMetadata } {
  const { root, targets } = buildFirstRoot(options);
  return { root: toStagedMetadata('root', root), targets: toStagedMetadata('targets', targets) };
}

/** Whether the holder of this key made the signature over exactly the staged bytes. */
export function isStagedSignature(
  publicKey: PublicKey,
  staged: StagedMetadata,
  { keyid, sig }: MetadataSignature,
): boolean {
  if (keyid !== toTufKey(publicKey).keyID || !/^(?:[0-9a-f]{2}){1,128}$/.test(sig)) return false;
  return isSignedBy(publicKey, staged.signedBytes, decodeHex(sig));
}

/** A holder who has signed already: gives the signature for the bytes it is over, and TR-104 for any others. */
export function collectedSigner(
  publicKey: PublicKey,
  collected: readonly { readonly staged: StagedMetadata; readonly signature: MetadataSignature }[],
): MetadataSigner {
  return {
    publicKey,
    sign: (message) => {
      const found = collected.find(
        ({ staged, signature }) =>
          equalBytes(staged.signedBytes, message) && isStagedSignature(publicKey, staged, signature),
      );
      return found === undefined
        ? Promise.reject(
            new RefusedError('TR-104', `no signature of ${publicKey.keyid} over these bytes was collected`),
          )
        : Promise.resolve(decodeHex(found.signature.sig));
    },
  };
}
