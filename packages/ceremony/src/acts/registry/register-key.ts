// SPDX-License-Identifier: Apache-2.0
/** Enters a service key that an earlier step made into the key registry: holder, custodians, token, period. */
import { decodeBase64, formatInstant, parsePublicKey, RefusedError, type Instant } from '@witnessmark/core';
import { addKey, changeKeyState, type KeyRegistry, type RegisteredKey } from '@witnessmark/custody';
import { z } from 'zod';
import { defineAct, type ActContext, type ActResult, type AnyAct, type CeremonyKey } from '../../act.ts';
import { toResult } from '../results.ts';
import { days, personRef, stepName } from '../shapes.ts';
import { addDays, type ActPorts } from '../ports.ts';

const parameters = z.strictObject({
  madeIn: stepName,
  custodians: z.array(personRef).min(1).max(4),
  /** For how long it may sign. */
  originatorDays: days,
});

type Parameters = z.infer<typeof parameters>;

export function registerKeyAct(ports: ActPorts): AnyAct {
  return defineAct<Parameters>({
    kind: 'register-key',
    parameters,
    isIrreversible: false,
    plan: (context) => {
      const { name, keyid } = madeKey(context);
      const custodians = context.parameters.custodians.map((ref) => context.person(ref)).join(', ');
      return Promise.resolve({
        lines: [
          `enter key ${name} into the key registry, active for ${context.parameters.originatorDays} days`,
          `key id ${keyid}`,
          `custodians: ${custodians}`,
          ...(context.isRehearsal ? ['marked as made in a rehearsal: no production policy takes it'] : []),
        ],
      });
    },
    inspect: async (context) => {
      const { keyid } = madeKey(context);
      const found = (await ports.registry.read()).keys.find((key) => key.keyid === keyid);
      if (found === undefined) return { state: 'notDone' };
      return found.ceremony === context.ceremonyId
        ? { state: 'done', result: toEntryResult(found) }
        : { state: 'unknown', detail: `the registry has key ${keyid} from another ceremony` };
    },
    perform: async (context) => {
      const { key, keyid } = madeKey(context);
      const now = context.clock.now();
      const changed = await ports.registry.change((registry) =>
        addActiveKey(registry, toEntry(context, key, now), now, `step ${context.stepId} of ${context.ceremonyId}`),
      );
      return toEntryResult(changed.keys.find((entry) => entry.keyid === keyid) as RegisteredKey);
    },
  });
}

/** Both states at once: a key that was made and vetted in a ceremony may be used after it. */
export function addActiveKey(registry: KeyRegistry, key: RegisteredKey, at: Instant, reason: string): KeyRegistry {
  const change = { at: formatInstant(at), by: key.ceremony ?? key.holder, reason };
  const added = addKey(registry, { ...key, states: [{ state: 'preActivation', ...change }] });
  return changeKeyState(added, key.keyid, { state: 'active', ...change });
}

function toEntryResult({ keyid, policy, holder, originatorUntil, states, rehearsal }: RegisteredKey): ActResult {
  return toResult(
    {
      key: policy,
      holder,
      state: states.at(-1)?.state ?? '',
      'may sign until': originatorUntil,
      ...(rehearsal ? { rehearsal: 'yes' } : {}),
    },
    { digests: { 'key id': keyid } },
  );
}

function toEntry(context: ActContext<Parameters>, key: CeremonyKey, now: Instant): RegisteredKey {
  const { custodians, originatorDays } = context.parameters;
  const spki = key.spki ?? '';
  return {
    keyid: parsePublicKey(decodeBase64(spki)).keyid,
    spki,
    policy: key.name,
    holder: key.holder,
    custodians: custodians.map((ref) => context.person(ref)),
    token: key.token,
    attestation: { grade: key.grade, certificates: key.certificates },
    ceremony: context.ceremonyId,
    rehearsal: context.isRehearsal,
    originatorFrom: formatInstant(now),
    originatorUntil: formatInstant(addDays(now, originatorDays)),
    recipientUntil: null,
    states: [],
    uses: 0,
  };
}

function madeKey(context: ActContext<Parameters>): { key: CeremonyKey; name: string; keyid: string } {
  const { madeIn } = context.parameters;
  const key = context.result(madeIn).keys.find(({ change, spki }) => change === 'made' && spki !== null);
  if (key === undefined) throw new RefusedError('CE-214', `step ${madeIn} made no key that could be registered`);
  return { key, name: key.name, keyid: parsePublicKey(decodeBase64(key.spki ?? '')).keyid };
}
