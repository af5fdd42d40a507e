// SPDX-License-Identifier: Apache-2.0
/**
 * Enrols the key of a card: its holder proves that the card has it, its vendor that it was born there, and the registry
 * that nobody had it before. Only then it has a purpose.
 */
import { decodeHex, encodeBase64, formatInstant, type Bytes, type Instant } from '@witnessmark/core';
import {
  enrolmentChallenge,
  findKey,
  keyPolicy,
  toTokenFacts,
  vetEnrolment,
  type KeyPolicy,
  type PivPolicy,
  type RegisteredKey,
  type TokenIdentity,
} from '@witnessmark/custody';
import { z } from 'zod';
import { defineAct, type ActContext, type ActResult, type AnyAct } from '../../act.ts';
import { toCeremonyKey, toResult } from '../results.ts';
import { cardPolicy, days, equipmentName, personRef } from '../shapes.ts';
import { findCard, TOKEN_SERIAL, withCardToken } from '../tokens.ts';
import { addDays, type ActPorts } from '../ports.ts';
import { addActiveKey } from '../registry/register-key.ts';
import { attestedKey, type AttestedCard } from './attested-key.ts';
import { demandOneKey } from './one-key.ts';

const parameters = z.strictObject({
  equipment: equipmentName,
  policy: cardPolicy,
  holder: personRef,
  originatorDays: days,
});

type Parameters = z.infer<typeof parameters>;
const NONCE_BYTES = 32;

export function enrolCardKeyAct(ports: ActPorts): AnyAct {
  return defineAct<Parameters>({
    kind: 'enrol-card-key',
    parameters,
    isIrreversible: false,
    plan: async (context) => {
      const { policy, holder } = context.parameters;
      const { attested } = await attest(ports, context);
      await demandOneKey(ports, context);
      return {
        lines: [
          `enrol card ${attested.serial} for ${policy}, holder ${context.person(holder)}`,
          `key id ${attested.publicKey.keyid}`,
          `the vendor attests: made in slot ${attested.slot}, PIN ${attested.pinPolicy}, touch ${attested.touchPolicy}`,
          'the holder signs a challenge: PIN, then touch the card',
        ],
      };
    },
    inspect: async (context) => {
      const { attested } = await attest(ports, context);
      const found = (await ports.registry.read()).keys.find(({ keyid }) => keyid === attested.publicKey.keyid);
      if (found === undefined) return { state: 'notDone' };
      return found.ceremony === context.ceremonyId
        ? { state: 'done', result: toEnrolled(found, context) }
        : { state: 'unknown', detail: 'the registry has this key from another ceremony' };
    },
    perform: async (context) => {
      await demandOneKey(ports, context);
      const card = await attest(ports, context);
      const { policy } = pivPolicyOf(context.parameters);
      const holder = context.person(context.parameters.holder);
      const { publicKey, grade } = card.attested;
      const nonce = ports.randomBytes(NONCE_BYTES);
      const challenge = { spki: publicKey.spki, policy, holder, nonce };
      const signed = await signOnCard(ports, context, policy, enrolmentChallenge(challenge));
      const now = context.clock.now();
      const changed = await ports.registry.change((registry) => {
        vetEnrolment(registry, { ...challenge, signature: signed.signature, grade });
        const entry = toEntry(context, card, signed.token, now);
        return addActiveKey(registry, entry, now, `step ${context.stepId} of ${context.ceremonyId}`);
      });
      return toEnrolled(changed.keys.find(({ keyid }) => keyid === publicKey.keyid) as RegisteredKey, context);
    },
  });
}

async function attest(ports: ActPorts, context: ActContext<Parameters>): Promise<AttestedCard> {
  const card = await findCard(ports, context, context.parameters.equipment);
  return attestedKey(ports, card, pivPolicyOf(context.parameters).piv, context.clock.now());
}

async function signOnCard(
  ports: ActPorts,
  context: ActContext<Parameters>,
  { label, id }: KeyPolicy,
  challenge: Bytes,
): Promise<{ readonly signature: Bytes; readonly token: TokenIdentity }> {
  return withCardToken(ports, context, context.parameters, async (token) => {
    const key = findKey(token, { label, id: decodeHex(id) });
    return { signature: await key.sign(challenge), token: token.identity };
  });
}

function toEntry(
  context: ActContext<Parameters>,
  { attested, certificates }: AttestedCard,
  token: TokenIdentity,
  now: Instant,
): RegisteredKey {
  const { holder, policy, originatorDays } = context.parameters;
  const { publicKey, grade } = attested;
  return {
    keyid: publicKey.keyid,
    spki: encodeBase64(publicKey.spki),
    policy,
    holder: context.person(holder),
    custodians: [context.person(holder)],
    token: toTokenFacts(token),
    attestation: { grade, certificates: certificates.map(encodeBase64) },
    ceremony: context.ceremonyId,
    rehearsal: context.isRehearsal,
    originatorFrom: formatInstant(now),
    originatorUntil: formatInstant(addDays(now, originatorDays)),
    recipientUntil: null,
    states: [],
    // The challenge was one.
    uses: 1,
  };
}

function toEnrolled(key: RegisteredKey, context: ActContext<Parameters>): ActResult {
  const { keyid, spki, policy, holder, token, attestation } = key;
  return toResult(
    {
      key: policy,
      holder,
      'card serial': context.equipment(context.parameters.equipment).serial,
      [TOKEN_SERIAL]: token?.serial ?? '',
      custody: attestation.grade,
      'may sign until': key.originatorUntil,
      ...(key.rehearsal ? { rehearsal: 'yes' } : {}),
    },
    {
      digests: { 'key id': keyid },
      keys: [
        {
          ...toCeremonyKey({ name: policy, change: 'made', holder, publicKey: null, token, grade: attestation.grade }),
          spki,
          certificates: attestation.certificates,
        },
      ],
    },
  );
}

function pivPolicyOf({ policy: name }: Parameters): { policy: KeyPolicy; piv: PivPolicy } {
  const policy = keyPolicy(name);
  if (policy.piv === null) throw new TypeError(`${name} is not made on a card`);
  return { policy, piv: policy.piv };
}
