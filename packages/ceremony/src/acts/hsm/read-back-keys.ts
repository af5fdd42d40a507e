// SPDX-License-Identifier: Apache-2.0
/** Reads every attribute of the keys of a token back and compares it with their policies; a key nobody named is refused. */
import { demandKeys, keyPolicy, type CheckedKey, type TokenIdentity } from '@witnessmark/custody';
import { z } from 'zod';
import { defineAct, RESULT_LIMITS, type ActResult, type AnyAct } from '../../act.ts';
import { toCeremonyKey, toResult } from '../results.ts';
import { hsmPolicy, hsmToken, personRef } from '../shapes.ts';
import { hsmTokenRef, withHsmToken } from '../tokens.ts';
import type { ActPorts } from '../ports.ts';

const parameters = z.strictObject({
  ...hsmToken,
  policies: z.array(hsmPolicy).min(1).max(RESULT_LIMITS.keys),
  /** Keys of the token that another step reads back. */
  besides: z.array(hsmPolicy).max(16),
  pinBy: personRef,
});

export function readBackKeysAct(ports: ActPorts): AnyAct {
  return defineAct<z.infer<typeof parameters>>({
    kind: 'read-back-keys',
    parameters,
    isIrreversible: false,
    plan: (context) => {
      const { label, serial } = hsmTokenRef(context, context.parameters);
      const names = [...context.parameters.policies, ...context.parameters.besides].join(', ');
      return Promise.resolve({
        lines: [`read the keys of token "${label}" (serial ${serial}) back`, `there must be exactly: ${names}`],
      });
    },
    // Looking again costs nothing, and needs a PIN that may not be asked for here.
    inspect: () => Promise.resolve({ state: 'notDone' }),
    perform: (context) =>
      withHsmToken(ports, context, (token) => {
        const { policies, besides } = context.parameters;
        const checked = demandKeys(token, [...policies, ...besides].map(keyPolicy));
        return toReadBack(
          token.identity,
          checked.filter(({ policy }) => policies.includes(policy.name)),
        );
      }),
  });
}

function toReadBack(token: TokenIdentity, checked: readonly CheckedKey[]): ActResult {
  const keys = checked.map(({ policy, publicKey, attributes, grade }) =>
    toCeremonyKey({
      name: policy.name,
      change: 'made',
      holder: policy.holder,
      publicKey,
      token,
      attributes,
      grade,
    }),
  );
  const digests = Object.fromEntries(checked.map(({ policy, publicKey }) => [policy.name, publicKey.keyid]));
  return toResult({ 'keys as their policy says': `${keys.length}`, 'token serial': token.serial }, { digests, keys });
}
