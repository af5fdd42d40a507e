// SPDX-License-Identifier: Apache-2.0
/** What publishing the first root and a later one have in common. */
import { join } from 'node:path';
import {
  decodeHex,
  equalBytes,
  formatJson,
  parseStrictJson,
  RefusedError,
  type Bytes,
  type JsonValue,
  type PublicKey,
} from '@witnessmark/core';
import { findKey, keyPolicy, type Pkcs11Key, type Pkcs11Token } from '@witnessmark/custody';
import { readFile, TRUST_LIMITS, type KeyHolder, type StagedMetadata } from '@witnessmark/trust';
import type { ActPorts } from '../ports.ts';
import { readSignatures, type HolderSignatures, type Staged } from './staged-files.ts';

export interface CollectedSignatures {
  readonly holder: KeyHolder;
  readonly signatures: HolderSignatures;
}

/** Of the holders named, in their order; those who have not signed are left out. */
export async function collectSignatures(
  { work }: Pick<ActPorts, 'work'>,
  holders: readonly KeyHolder[],
  staged: Staged,
): Promise<CollectedSignatures[]> {
  const collected: CollectedSignatures[] = [];
  for (const holder of holders) {
    const signatures = await readSignatures(work, holder.publicKey, staged);
    if (signatures !== null) collected.push({ holder, signatures });
  }
  return collected;
}

/** Throws CE-214 when the key is another one than the staged metadata names. */
export function findServiceKey(token: Pkcs11Token, policyName: string, expected: PublicKey): Pkcs11Key {
  const { label, id } = keyPolicy(policyName);
  const key = findKey(token, { label, id: decodeHex(id) });
  if (key.publicKey.keyid !== expected.keyid) {
    throw new RefusedError('CE-214', `key ${policyName} on the token is ${key.publicKey.keyid}, not ${expected.keyid}`);
  }
  return key;
}

/** A root file of the repository, or null. */
export function readRootFile({ repository }: Pick<ActPorts, 'repository'>, version: number): Promise<Bytes | null> {
  const path = join(repository.directory, 'metadata', `${version}.root.json`);
  return readFile(repository.files, path, TRUST_LIMITS.maxMetadataBytes.root);
}

/** Whether a root file is the staged root with its signatures. */
export function isStagedRoot(file: Bytes, { document }: StagedMetadata): boolean {
  return equalBytes(signedPart(file), signedPart(document));
}

function signedPart(metadata: Bytes): Bytes {
  const value = parseStrictJson(metadata) as { readonly signed?: JsonValue };
  return formatJson(value.signed ?? null);
}
