// SPDX-License-Identifier: Apache-2.0
/**
 * The next trusted root, as a pure function of the present one and of what changes: whoever has both makes the same bytes.
 * Nothing is taken out of it, because old evidence needs the keys that signed it; a key ends by revocation.
 */
import type { HolderUse, TrustedRoot, TrustedRootKey, TrustRepositoryKeys } from '@witnessmark/attestation';
import {
  decodeBase64,
  encodeBase64,
  formatInstant,
  parsePublicKey,
  type Instant,
  type PublicKey,
} from '@witnessmark/core';
import type { RootKeys } from '@witnessmark/trust';
import { GATE_LIMITS } from '../limits.ts';
import type { VettedEnrolment } from './enrolment.ts';

export interface TrustedRootStep {
  readonly enrolments: readonly VettedEnrolment[];
  readonly revocations: TrustedRoot['revocations'];
  /** The root's keys after the change, the key of the effectivity role, and every root there has been by then. */
  readonly rootKeys: RootKeys;
  readonly effectivityKey: PublicKey;
  readonly roots: TrustRepositoryKeys['roots'];
  /** When the change was proposed: enrolled keys are good from then on. */
  readonly at: Instant;
}

type Holder = TrustRepositoryKeys['holders'][number];

export function nextTrustedRoot(current: TrustedRoot, step: TrustedRootStep): TrustedRoot {
  const { enrolments, revocations, roots, at } = step;
  return {
    ...current,
    version: current.version + 1,
    keys: [...current.keys, ...enrolments.flatMap((enrolment) => toRoleKey(enrolment, at))],
    revocations: [...current.revocations, ...revocations],
    repository: { roots: [...roots], holders: [...listHolders(current, step)] },
  };
}

/** Who holds a key, by key id, as far as a trusted root says; keys that sign statements and keys of the repository alike. */
export function holdersOf({ keys, repository }: TrustedRoot): ReadonlyMap<string, string> {
  const owners = new Map(keys.map(({ publicKey, owner }) => [toKeyid(publicKey), owner]));
  for (const { keyid, owner } of repository?.holders ?? []) owners.set(keyid, owner);
  return owners;
}

function toRoleKey({ claims, key }: VettedEnrolment, at: Instant): readonly TrustedRootKey[] {
  const { role, owner, scope, token } = claims;
  if (role === null) return [];
  return [
    {
      role,
      publicKey: encodeBase64(key.spki),
      owner,
      scope: scope ?? owner,
      ...keepingOf(claims),
      ...(token !== null && { token }),
      validFrom: formatInstant(at),
      validUntil: formatInstant(at + GATE_LIMITS.keyLifetimeMs),
    },
  ];
}

/** The keys of the repository after the change, each with its holder and everything it signs. */
function listHolders(current: TrustedRoot, step: TrustedRootStep): readonly Holder[] {
  const { rootKeys, effectivityKey } = step;
  const uses = new Map<string, HolderUse[]>();
  const add = (use: HolderUse, keyids: readonly string[]): void => {
    for (const keyid of keyids) uses.set(keyid, [...(uses.get(keyid) ?? []), use]);
  };
  for (const role of ['root', 'targets'] as const) {
    add(
      role,
      rootKeys[role].holders.map(({ publicKey }) => publicKey.keyid),
    );
  }
  add('online', [rootKeys.online.keyid]);
  add('effectivity', [effectivityKey.keyid]);
  return [...uses].map(([keyid, all]) => ({ ...describeHolder(keyid, current, step.enrolments), uses: all }));
}

function describeHolder(
  keyid: string,
  current: TrustedRoot,
  enrolments: readonly VettedEnrolment[],
): Omit<Holder, 'uses'> {
  const enrolled = enrolments.find(({ key }) => key.keyid === keyid);
  if (enrolled !== undefined) return { keyid, owner: enrolled.claims.owner, ...keepingOf(enrolled.claims) };
  const known = current.repository?.holders.find((holder) => holder.keyid === keyid);
  if (known !== undefined) return known;
  const signs = current.keys.find(({ publicKey }) => toKeyid(publicKey) === keyid);
  if (signs !== undefined) {
    const { owner, custody, custodyGrade, rehearsal } = signs;
    return { keyid, owner, custody, ...(custodyGrade && { custodyGrade }), ...(rehearsal && { rehearsal }) };
  }
  // Made before holders were written down: nothing good can be said of how it is kept.
  return { keyid, owner: `holder of ${keyid.slice(0, 8)}`, custody: 'software' };
}

function keepingOf({
  custody,
  custodyGrade,
  rehearsal,
}: VettedEnrolment['claims']): Pick<TrustedRootKey, 'custody' | 'custodyGrade' | 'rehearsal'> {
  return { custody, custodyGrade, ...(rehearsal && { rehearsal }) };
}

function toKeyid(publicKey: string): string {
  return parsePublicKey(decodeBase64(publicKey)).keyid;
}
