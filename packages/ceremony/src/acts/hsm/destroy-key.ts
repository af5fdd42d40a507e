// SPDX-License-Identifier: Apache-2.0
/**
 * Destroys a service key in its HSM: the key the registry names and no other, after its use has ended, and looks afterwards
 * whether anything of it is left. The token comes first and the registry second; what a crash leaves in between is finished.
 */
import { decodeHex, formatInstant, parsePublicKey, decodeBase64, RefusedError, type Bytes } from '@witnessmark/core';
import {
  changeKeyState,
  countKeyObjects,
  destroyKey,
  findPublicKey,
  findRegisteredKey,
  keyPolicy,
  type Pkcs11Token,
  type RegisteredKey,
} from '@witnessmark/custody';
import { z } from 'zod';
import { defineAct, type ActContext, type ActResult, type AnyAct } from '../../act.ts';
import { toCeremonyKey, toResult } from '../results.ts';
import { hsmToken, inputName, personRef } from '../shapes.ts';
import { lookAtHsmToken, withHsmToken } from '../tokens.ts';
import type { ActPorts } from '../ports.ts';

const parameters = z.strictObject({
  ...hsmToken,
  /** The input that holds the key id. */
  key: inputName,
  reason: inputName,
  pinBy: personRef,
});

type Parameters = z.infer<typeof parameters>;
const ENDED: ReadonlySet<string> = new Set(['deactivated', 'compromised']);

export function destroyKeyAct(ports: ActPorts): AnyAct {
  return defineAct<Parameters>({
    kind: 'destroy-key',
    parameters,
    isIrreversible: true,
    plan: async (context) => {
      const key = await registered(ports, context);
      const state = key.states.at(-1)?.state ?? '';
      if (!ENDED.has(state)) throw new RefusedError('CE-213', `key ${key.keyid} is ${state}`);
      return lookAtHsmToken(ports, context, (token) => {
        demandSameKey(token, key);
        const { label, serial } = token.identity;
        return {
          lines: [
            `destroy key ${key.policy} in token "${label}" (serial ${serial})`,
            `key id ${key.keyid}`,
            `holder ${key.holder}, custodians ${key.custodians.join(', ')}`,
            `made ${key.states[0]?.at ?? ''}, ${state} since ${key.states.at(-1)?.at ?? ''}`,
            `${key.uses} signatures are accounted for, and there will be no other`,
          ],
          confirmation: { what: 'the first four characters of the key id', characters: key.keyid.slice(0, 4) },
        };
      });
    },
    inspect: async (context) => {
      const key = await registered(ports, context);
      return lookAtHsmToken(ports, context, (token) => {
        if (countKeyObjects(token, refOf(key)) > 0) return { state: 'notDone' };
        // Gone from the token; without its entry it is finished by doing the step again, which finds nothing to destroy.
        return key.states.at(-1)?.state === 'destroyed'
          ? { state: 'done', result: toDestroyed(key, 'all') }
          : { state: 'notDone' };
      });
    },
    perform: async (context) => {
      const key = await registered(ports, context);
      const count = await withHsmToken(ports, context, (token) => {
        demandSameKey(token, key);
        const destroyed = destroyKey(token, refOf(key));
        const left = countKeyObjects(token, refOf(key));
        if (left > 0) throw new RefusedError('CE-214', `${left} objects of key ${key.keyid} are still on the token`);
        return destroyed;
      });
      const at = formatInstant(context.clock.now());
      const reason = context.input(context.parameters.reason);
      const change = { state: 'destroyed' as const, at, by: context.ceremonyId, reason };
      const changed = await ports.registry.change((registry) => changeKeyState(registry, key.keyid, change));
      return toDestroyed(findRegisteredKey(changed, key.keyid), `${count}`);
    },
  });
}

async function registered(ports: ActPorts, context: ActContext<Parameters>): Promise<RegisteredKey> {
  return findRegisteredKey(await ports.registry.read(), context.input(context.parameters.key));
}

function refOf({ policy }: RegisteredKey): { readonly label: string; readonly id: Bytes } {
  const { label, id } = keyPolicy(policy);
  return { label, id: decodeHex(id) };
}

/** An absent key is none to object to: an interrupted destruction looks like that. Throws CE-214. */
function demandSameKey(token: Pkcs11Token, key: RegisteredKey): void {
  const found = findPublicKey(token, refOf(key));
  const expected = parsePublicKey(decodeBase64(key.spki)).keyid;
  if (found !== null && found.keyid !== expected) {
    throw new RefusedError('CE-214', `the token holds key ${found.keyid} by this name, registered is ${expected}`);
  }
}

function toDestroyed(key: RegisteredKey, objects: string): ActResult {
  const publicKey = parsePublicKey(decodeBase64(key.spki));
  const { policy, holder, token, attestation, uses, keyid } = key;
  const report = { name: policy, change: 'destroyed' as const, holder, publicKey, token, grade: attestation.grade };
  return toResult(
    { key: policy, 'objects destroyed': objects, 'left on the token': '0', 'signatures accounted for': `${uses}` },
    { digests: { 'key id': keyid }, keys: [toCeremonyKey(report)] },
  );
}
