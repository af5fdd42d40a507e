// SPDX-License-Identifier: Apache-2.0
/**
 * Makes a service key in an HSM from its key policy. One key, one step: after a crash the public key on the token, which
 * anybody can see, says whether it was made; its attributes are read back by a step of their own.
 */
import { decodeHex, RefusedError, type PublicKey } from '@witnessmark/core';
import {
  countKeyObjects,
  findPublicKey,
  generateKey,
  keyPolicy,
  type KeyPolicy,
  type Pkcs11Token,
} from '@witnessmark/custody';
import { z } from 'zod';
import { defineAct, type ActResult, type AnyAct } from '../../act.ts';
import { toCeremonyKey, toResult } from '../results.ts';
import { hsmPolicy, hsmToken, personRef } from '../shapes.ts';
import { lookAtHsmToken, withHsmToken } from '../tokens.ts';
import type { ActPorts } from '../ports.ts';

const parameters = z.strictObject({ ...hsmToken, policy: hsmPolicy, pinBy: personRef });

export function generateKeyAct(ports: ActPorts): AnyAct {
  return defineAct<z.infer<typeof parameters>>({
    kind: 'generate-key',
    parameters,
    isIrreversible: true,
    plan: (context) =>
      lookAtHsmToken(ports, context, (token) => {
        const policy = keyPolicy(context.parameters.policy);
        demandAbsent(token, policy);
        const { label, serial } = token.identity;
        return {
          lines: [
            `make key "${policy.label}" (id ${policy.id}, ${policy.scheme}) in token "${label}" (serial ${serial})`,
            'it never leaves the token, not even for those who made it',
          ],
          confirmation: { what: 'the last four characters of the serial of the token', characters: serial.slice(-4) },
        };
      }),
    inspect: (context) =>
      lookAtHsmToken(ports, context, (token) => {
        const policy = keyPolicy(context.parameters.policy);
        const publicKey = findPublicKey(token, refOf(policy));
        return publicKey === null
          ? { state: 'notDone' }
          : { state: 'done', result: toKeyResult(token, policy, publicKey) };
      }),
    perform: (context) =>
      withHsmToken(ports, context, (token) => {
        const policy = keyPolicy(context.parameters.policy);
        demandAbsent(token, policy);
        return toKeyResult(token, policy, generateKey(token, policy).publicKey);
      }),
  });
}

/** Throws CE-203; with a login also for a private key whose public key was taken away. */
function demandAbsent(token: Pkcs11Token, policy: KeyPolicy): void {
  const found = countKeyObjects(token, refOf(policy));
  if (found > 0)
    throw new RefusedError('CE-203', `${found} objects are called "${policy.label}" (id ${policy.id}) already`);
}

function refOf({ label, id }: KeyPolicy): { readonly label: string; readonly id: Uint8Array } {
  return { label, id: decodeHex(id) };
}

function toKeyResult(token: Pkcs11Token, policy: KeyPolicy, publicKey: PublicKey): ActResult {
  const { identity } = token;
  const { name, holder } = policy;
  const key = toCeremonyKey({ name, change: 'made', holder, publicKey, token: identity, grade: 'selfReported' });
  return toResult(
    { key: policy.label, 'token label': identity.label, 'token serial': identity.serial },
    { digests: { 'key id': publicKey.keyid }, keys: [key] },
  );
}
