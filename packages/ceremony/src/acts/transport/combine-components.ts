// SPDX-License-Identifier: Apache-2.0
/**
 * Brings a transport key in under split knowledge: each custodian types one component, unseen by the others; each is
 * checked before it counts; the token puts them together. A crash leaves nothing to take over: components are in the
 * session of a token, which ends with it, and all of them are entered again.
 */
import { decodeHex, formatInstant, RefusedError, type Instant } from '@witnessmark/core';
import {
  addSecretKey,
  ComponentCombiner,
  parseCheckValue,
  parseComponent,
  secretKeyId,
  toTokenFacts,
  TRANSPORT_KEY,
  type RegisteredSecretKey,
  type TokenIdentity,
} from '@witnessmark/custody';
import { z } from 'zod';
import { defineAct, type ActContext, type ActResult, type AnyAct } from '../../act.ts';
import { toCeremonyKey, toResult } from '../results.ts';
import { hsmToken, inputName, personRef } from '../shapes.ts';
import { hsmTokenRef, lookAtHsmToken, withHsmToken } from '../tokens.ts';
import type { ActPorts } from '../ports.ts';
import type { PersonRef } from '../../roles.ts';

const parameters = z.strictObject({
  ...hsmToken,
  pinBy: personRef,
  /** In the order of the components; each with the input that holds the check value of his form. */
  components: z
    .array(z.strictObject({ custodian: personRef, checkValue: inputName }))
    .min(2)
    .max(3),
  /** The input that holds the check value of the whole key. */
  checkValue: inputName,
});

type Parameters = z.infer<typeof parameters>;
/** Sixty-four digits are mistyped easily; three times is not a mistake any more. */
const MAX_ENTRIES = 3;
const HOLDER = 'the line, in its transport token';
/** In the words of PKCS#11, for whoever compares with what the token shows. */
const ORIGIN = { CKA_LOCAL: false, CKA_NEVER_EXTRACTABLE: false, CKA_EXTRACTABLE: false, origin: 'broughtIn' };

export function combineComponentsAct(ports: ActPorts): AnyAct {
  return defineAct<Parameters>({
    kind: 'combine-components',
    parameters,
    isIrreversible: false,
    plan: async (context) => {
      const custodians = demandDifferentPeople(context);
      const expected = expectedValues(context);
      const { label, serial } = hsmTokenRef(context, context.parameters);
      await lookAtHsmToken(ports, context, () => undefined);
      return {
        lines: [
          `bring transport key "${TRANSPORT_KEY.label}" into token "${label}" (serial ${serial})`,
          ...custodians.map(
            (id, index) => `component ${index + 1}: ${id}, check value ${expected.components[index] ?? ''}`,
          ),
          `check value of the key: ${expected.key}`,
          'combined inside the token with CKM_AES_CBC_ENCRYPT_DATA, in this order',
        ],
      };
    },
    inspect: async (context) => {
      const token = await lookAtHsmToken(ports, context, ({ identity }) => identity);
      const { secretKeys = [] } = await ports.registry.read();
      const keyid = secretKeyId(describeKey(context, token));
      const found = secretKeys.find((key) => key.keyid === keyid);
      return found === undefined ? { state: 'notDone' } : { state: 'done', result: toCombined(found) };
    },
    perform: async (context) => {
      const custodians = demandDifferentPeople(context);
      const token = await withHsmToken(ports, context, async (opened) => {
        const expected = expectedValues(context);
        const ref = { label: TRANSPORT_KEY.label, id: decodeHex(TRANSPORT_KEY.id) };
        await demandUnregistered(ports, opened.identity);
        const { attributes } = TRANSPORT_KEY;
        const key = { ref, attributes, checkValue: expected.key, components: custodians.length };
        const combiner = new ComponentCombiner(opened, key);
        try {
          for (const [index, { custodian }] of context.parameters.components.entries()) {
            await enterComponent(context, combiner, { custodian, index, checkValue: expected.components[index] ?? '' });
          }
        } finally {
          combiner.close();
        }
        return opened.identity;
      });
      const entry = toEntry(context, custodians, token, context.clock.now());
      await ports.registry.change((registry) => addSecretKey(registry, entry));
      return toCombined(entry);
    },
  });
}

/** Asks until the component has its check value, three times at most. */
async function enterComponent(
  context: ActContext<Parameters>,
  combiner: ComponentCombiner,
  asked: { readonly custodian: PersonRef; readonly index: number; readonly checkValue: string },
): Promise<void> {
  const what = `component ${asked.index + 1}`;
  for (let entry = 1; ; entry += 1) {
    const id = `component-${asked.index + 1}`;
    const text = `${what}, check value ${asked.checkValue}: 64 hexadecimal digits`;
    const typed = await context.prompts.secret({ from: asked.custodian, id, text });
    try {
      combiner.add(parseComponent(typed, what), asked.checkValue);
      context.prompts.notice(`${what} has its check value`);
      return;
    } catch (error) {
      const isMistyped = error instanceof RefusedError && (error.code === 'CE-221' || error.code === 'CE-222');
      if (!isMistyped || entry === MAX_ENTRIES) throw error;
      context.prompts.notice(`${what} was not accepted, and nothing of it was kept; read the form again`);
    }
  }
}

/** A27: throws CE-226 when one person would enter two components, or the PIN of the token as well. */
function demandDifferentPeople(context: ActContext<Parameters>): readonly string[] {
  const { components, pinBy } = context.parameters;
  const custodians = components.map(({ custodian }) => context.person(custodian));
  const double = [...custodians, context.person(pinBy)].find((id, index, all) => all.indexOf(id) !== index);
  if (double !== undefined) throw new RefusedError('CE-226', `${double} would enter two of the secrets of this step`);
  return custodians;
}

function expectedValues(context: ActContext<Parameters>): {
  readonly components: readonly string[];
  readonly key: string;
} {
  const { components, checkValue } = context.parameters;
  return {
    components: components.map((part, index) =>
      parseCheckValue(context.input(part.checkValue), `component ${index + 1}`),
    ),
    key: parseCheckValue(context.input(checkValue), 'the key'),
  };
}

/** A key of this name that is in the registry is never written over. Throws CE-203. */
async function demandUnregistered({ registry }: ActPorts, token: TokenIdentity): Promise<void> {
  const { secretKeys = [] } = await registry.read();
  const found = secretKeys.find(
    (key) =>
      key.token.serial === token.serial &&
      key.token.keyLabel === TRANSPORT_KEY.label &&
      key.states.at(-1)?.state !== 'destroyed',
  );
  if (found !== undefined) throw new RefusedError('CE-203', `the token holds transport key ${found.keyid} already`);
}

function describeKey(context: ActContext<Parameters>, token: TokenIdentity) {
  const { label: keyLabel, algorithm } = TRANSPORT_KEY;
  return { algorithm, checkValue: expectedValues(context).key, token: { ...toTokenFacts(token), keyLabel } };
}

function toEntry(
  context: ActContext<Parameters>,
  custodians: readonly string[],
  identity: TokenIdentity,
  now: Instant,
): RegisteredSecretKey {
  const key = describeKey(context, identity);
  const change = { at: formatInstant(now), by: context.ceremonyId, reason: `step ${context.stepId}` };
  return {
    keyid: secretKeyId(key),
    policy: TRANSPORT_KEY.name,
    ...key,
    origin: 'broughtIn',
    components: custodians.length,
    holder: HOLDER,
    custodians,
    ceremony: context.ceremonyId,
    rehearsal: context.isRehearsal,
    states: [
      { state: 'preActivation', ...change },
      { state: 'active', ...change },
    ],
  };
}

function toCombined({
  keyid,
  policy,
  checkValue,
  components,
  custodians,
  token,
  holder,
}: RegisteredSecretKey): ActResult {
  const { keyLabel, ...facts } = token;
  const report = { name: policy, change: 'made' as const, holder, publicKey: null, token: facts, checkValue };
  const key = toCeremonyKey({ ...report, attributes: ORIGIN, grade: 'selfReported' });
  return toResult(
    {
      key: keyLabel,
      'check value': checkValue,
      components: `${components}, entered by ${custodians.join(', ')}`,
      origin: 'brought in: copies may exist where the components were',
    },
    { digests: { 'key id': keyid }, keys: [key] },
  );
}
