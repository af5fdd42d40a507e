// SPDX-License-Identifier: Apache-2.0
/** From people to the root keys they hold, as the key registry has them. */
import { decodeBase64, parsePublicKey, RefusedError, type PublicKey } from '@witnessmark/core';
import type { KeyRegistry, RegisteredKey } from '@witnessmark/custody';
import type { ThresholdKeys } from '@witnessmark/trust';
import type { ActContext } from '../../act.ts';
import type { PersonRef } from '../../roles.ts';

export const ROOT_POLICY = 'trust-root';

type Asking = Pick<ActContext, 'person' | 'isRehearsal'>;

/** Throws CE-214 when somebody holds no root key that is in use, CE-217 for two, CE-218 for one made in a rehearsal. */
export function rootHolders(
  registry: KeyRegistry,
  context: Asking,
  { holders, threshold }: { readonly holders: readonly PersonRef[]; readonly threshold: number },
): ThresholdKeys {
  return {
    threshold,
    holders: holders.map((ref) => {
      const owner = context.person(ref);
      return { owner, publicKey: toPublicKey(activeKey(registry, context, ROOT_POLICY, owner)) };
    }),
  };
}

/** The one key of a service with this policy. Throws as {@link rootHolders}. */
export function servicePublicKey(registry: KeyRegistry, context: Asking, policy: string): PublicKey {
  return toPublicKey(activeKey(registry, context, policy, null));
}

/** The registered key of a holder that has this public key; throws CE-214 when there is none in use. */
export function demandHolderKey(registry: KeyRegistry, owner: string, publicKey: PublicKey): void {
  const found = registry.keys.find(({ keyid }) => keyid === publicKey.keyid);
  if (found?.holder !== owner || found.policy !== ROOT_POLICY || found.states.at(-1)?.state !== 'active') {
    throw new RefusedError('CE-214', `key ${publicKey.keyid} is not the root key ${owner} is registered with`);
  }
}

export function toPublicKey({ spki }: RegisteredKey): PublicKey {
  return parsePublicKey(decodeBase64(spki));
}

function activeKey(registry: KeyRegistry, context: Asking, policy: string, owner: string | null): RegisteredKey {
  const [key, second] = registry.keys.filter(
    (candidate) =>
      candidate.policy === policy &&
      (owner === null || candidate.holder === owner) &&
      candidate.states.at(-1)?.state === 'active',
  );
  const what = owner === null ? policy : `${policy} of ${owner}`;
  if (key === undefined) throw new RefusedError('CE-214', `no key ${what} is registered and active`);
  if (second !== undefined) throw new RefusedError('CE-217', `two keys ${what} are active`);
  if (key.rehearsal && !context.isRehearsal) throw new RefusedError('CE-218', `key ${what} was made in a rehearsal`);
  return key;
}
