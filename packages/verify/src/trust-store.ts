// SPDX-License-Identifier: Apache-2.0
/** The trusted root, decoded and indexed once. Every key the verifier ever uses comes out of here. */
import type { Instant } from '@witnessmark/core';
import {
  isValidAt,
  toTrustedKeys,
  toTrustedNoteKeys,
  type KeyRole,
  type TrustedKey,
  type TrustedNoteKey,
  type TrustedRoot,
} from '@witnessmark/attestation';

export interface TrustStore {
  readonly name: string;
  readonly version: number;
  readonly keys: ReadonlyMap<string, TrustedKey>;
  readonly logs: readonly TrustedNoteKey[];
  readonly witnesses: readonly TrustedNoteKey[];
  /** By version of the trust repository's root: how many holders release anything under it, at the least. */
  readonly rootThresholds: ReadonlyMap<number, number>;
}

/** Throws what the decoders throw for a degenerate, misspelt or repeated key. */
export function toTrustStore(root: TrustedRoot): TrustStore {
  return {
    name: root.name,
    version: root.version,
    keys: new Map(toTrustedKeys(root).map((trusted) => [trusted.key.keyid, trusted])),
    logs: toTrustedNoteKeys(root, 'logs'),
    witnesses: toTrustedNoteKeys(root, 'witnesses'),
    rootThresholds: new Map(
      (root.repository?.roots ?? []).map(({ version, rootThreshold, targetsThreshold }) => [
        version,
        Math.min(rootThreshold, targetsThreshold),
      ]),
    ),
  };
}

/** Whose signature is needed, and when it had to be valid. */
export interface NeededSigner {
  readonly role: KeyRole;
  /** Whoever it was when undefined. */
  readonly owner: string | undefined;
  readonly scope: string | undefined;
  readonly at: Instant;
}

/** The signer that fits; `expired` when one fits in everything but time. */
export function findSigner(
  signers: readonly TrustedKey[],
  needed: NeededSigner,
): { readonly signer: TrustedKey } | { readonly missing: 'absent' | 'expired' } {
  const fitting = signers.filter(
    ({ role, owner, scope }) =>
      role === needed.role &&
      (needed.owner === undefined || owner === needed.owner) &&
      (needed.scope === undefined || scope === needed.scope),
  );
  const signer = fitting.find((key) => isValidAt(key, needed.at));
  if (signer !== undefined) return { signer };
  return { missing: fitting.length > 0 ? 'expired' : 'absent' };
}
