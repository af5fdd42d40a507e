// SPDX-License-Identifier: Apache-2.0
/** What an author checks before a change becomes visible: signatures, versions, and that every new target has its bytes. */
import type { Metadata, Root, Targets } from '@tufjs/models';
import { decodeHex, isSignedBy, RefusedError } from '@witnessmark/core';
import { verifySignatures } from './metadata.ts';
import { listTargets, type Repository } from './repository.ts';
import {
  assembleRoot,
  assembleTargets,
  type MetadataSignature,
  type SignedMetadata,
  type StagedMetadata,
} from './staged-metadata.ts';
import type { TargetContent } from './target-content.ts';
import { toPublicKey } from './tuf-key.ts';

/** Whether a holder of the role in this root made the signature over the staged bytes. */
export function isSignatureOf(
  { keys, roles }: Root,
  role: StagedMetadata['role'],
  staged: StagedMetadata,
  { keyid, sig }: MetadataSignature,
): boolean {
  const key = keys[keyid];
  if (key === undefined || roles[role]?.keyIDs.includes(keyid) !== true) return false;
  return /^(?:[0-9a-f]{2})+$/.test(sig) && isSignedBy(toPublicKey(key), staged.signedBytes, decodeHex(sig));
}

/** Throws TR-106 unless enough old and enough new holders signed the next version. */
export function nextRoot(current: Repository, signed: SignedMetadata): Metadata<Root> {
  const root = assembleRoot(signed);
  if (root.signed.version !== current.root.signed.version + 1) {
    throw new RefusedError(
      'TR-106',
      `root version ${root.signed.version} does not follow ${current.root.signed.version}`,
    );
  }
  verifySignatures(current.root, 'root', root, 'TR-106');
  verifySignatures(root, 'root', root, 'TR-106');
  return root;
}

/** Throws TR-101 for a version that does not follow. */
export function nextTargets(current: Repository, signed: SignedMetadata): Metadata<Targets> {
  const targets = assembleTargets(signed);
  if (targets.signed.version !== current.targets.signed.version + 1) {
    throw new RefusedError(
      'TR-101',
      `targets version ${targets.signed.version} does not follow version ${current.targets.signed.version}, which is published`,
    );
  }
  return targets;
}

/** The contents that `next` lists and `current` does not; throws TR-107 when one of them was not given. */
export function selectContents(
  current: Repository,
  next: Repository,
  contents: readonly TargetContent[],
): readonly TargetContent[] {
  const known = listTargets(current);
  const added = [...listTargets(next).values()].filter((target) => known.get(target.path)?.sha256 !== target.sha256);
  return added.map((target) => {
    const content = contents.find((item) => item.path === target.path && item.sha256 === target.sha256);
    if (content === undefined) throw new RefusedError('TR-107', `${target.path} is to be listed but has no bytes`);
    return content;
  });
}
