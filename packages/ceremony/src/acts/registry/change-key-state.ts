// SPDX-License-Identifier: Apache-2.0
/** Moves a registered key to another state: out of use, or compromised. The registry never forgets an earlier one. */
import { formatInstant, RefusedError } from '@witnessmark/core';
import { changeKeyState, findRegisteredKey, keyPolicy, type RegisteredKey } from '@witnessmark/custody';
import { z } from 'zod';
import { defineAct, type ActContext, type ActResult, type AnyAct } from '../../act.ts';
import { toResult } from '../results.ts';
import { inputName } from '../shapes.ts';
import type { ActPorts } from '../ports.ts';

const parameters = z.strictObject({
  /** The input that holds the key id. */
  key: inputName,
  /** `destroyed` is for keys of cards that were destroyed before the eyes of the witness. */
  state: z.enum(['suspended', 'deactivated', 'compromised', 'destroyed']),
  /** The input that holds the reason. */
  reason: inputName,
});

type Parameters = z.infer<typeof parameters>;

export function changeKeyStateAct(ports: ActPorts): AnyAct {
  return defineAct<Parameters>({
    kind: 'change-key-state',
    parameters,
    // An entry of the registry is never taken out again.
    isIrreversible: true,
    plan: async (context) => {
      const key = await registered(ports, context);
      demandNotInHsm(key, context.parameters);
      return {
        lines: [
          `key ${key.policy} of ${key.holder} becomes ${context.parameters.state}`,
          `key id ${key.keyid}`,
          `it is ${key.states.at(-1)?.state ?? ''} now, and made ${key.uses} signatures that are accounted for`,
        ],
        confirmation: { what: 'the first four characters of the key id', characters: key.keyid.slice(0, 4) },
      };
    },
    inspect: async (context) => {
      const key = await registered(ports, context);
      const isDone = key.states.some(
        ({ state, by }) => state === context.parameters.state && by === context.ceremonyId,
      );
      return isDone ? { state: 'done', result: toStateResult(key) } : { state: 'notDone' };
    },
    perform: async (context) => {
      const { state, reason } = context.parameters;
      demandNotInHsm(await registered(ports, context), context.parameters);
      const keyid = context.input(context.parameters.key);
      const at = formatInstant(context.clock.now());
      const change = { state, at, by: context.ceremonyId, reason: context.input(reason) };
      const changed = await ports.registry.change((registry) => changeKeyState(registry, keyid, change));
      return toStateResult(findRegisteredKey(changed, keyid));
    },
  });
}

async function registered(ports: ActPorts, context: ActContext<Parameters>): Promise<RegisteredKey> {
  return findRegisteredKey(await ports.registry.read(), context.input(context.parameters.key));
}

/** What a token holds can be looked at; what was on a card cannot, once the card is in pieces. Throws CE-227. */
function demandNotInHsm({ policy, keyid }: RegisteredKey, { state }: Parameters): void {
  if (state === 'destroyed' && keyPolicy(policy).token === 'hsm') {
    throw new RefusedError('CE-227', `key ${keyid} (${policy}) is destroyed in its token`);
  }
}

function toStateResult({ keyid, policy, holder, states, uses }: RegisteredKey): ActResult {
  const facts = { key: policy, holder, state: states.at(-1)?.state ?? '', 'signatures accounted for': `${uses}` };
  return toResult(facts, { digests: { 'key id': keyid } });
}
