// SPDX-License-Identifier: Apache-2.0
/**
 * Makes the key of a card inside it, and has the card's vendor say so: the attestation is asked for at once and verified,
 * because what a driver says of a card's keys is its assumption.
 */
import { RefusedError } from '@witnessmark/core';
import { keyPolicy, type InsertedCard, type KeyPolicy, type PivPolicy } from '@witnessmark/custody';
import { z } from 'zod';
import { defineAct, type ActContext, type ActResult, type AnyAct } from '../../act.ts';
import { toCeremonyKey, toResult } from '../results.ts';
import { cardPolicy, equipmentName, personRef } from '../shapes.ts';
import { findCard } from '../tokens.ts';
import { attestedKey } from './attested-key.ts';
import { demandOneKey } from './one-key.ts';
import type { ActPorts } from '../ports.ts';

const parameters = z.strictObject({ equipment: equipmentName, policy: cardPolicy, holder: personRef });

type Parameters = z.infer<typeof parameters>;

export function generateCardKeyAct(ports: ActPorts): AnyAct {
  return defineAct<Parameters>({
    kind: 'generate-card-key',
    parameters,
    isIrreversible: true,
    plan: async (context) => {
      await demandOneKey(ports, context);
      const { policy, piv } = pivPolicyOf(context.parameters);
      const card = await findCard(ports, context, context.parameters.equipment);
      await demandFresh(ports, card);
      return {
        lines: [
          `make key ${policy.name} in slot ${piv.slot} of card ${card.serial}`,
          `PIN ${piv.pinPolicy}, touch ${piv.touchPolicy}, ${policy.scheme}`,
          `holder ${context.person(context.parameters.holder)}; the key never leaves the card`,
        ],
        confirmation: { what: 'the last four digits of the serial on the card', characters: card.serial.slice(-4) },
      };
    },
    inspect: async (context) => {
      const { piv } = pivPolicyOf(context.parameters);
      const card = await findCard(ports, context, context.parameters.equipment);
      const { slot9c } = await ports.pivTool.metadata(card);
      if (slot9c === 'empty') return { state: 'notDone' };
      if (slot9c === 'imported') return { state: 'unknown', detail: `the key in slot ${piv.slot} was not made there` };
      return { state: 'done', result: await toAttestedResult(ports, context, card) };
    },
    perform: async (context) => {
      const { piv } = pivPolicyOf(context.parameters);
      const card = await findCard(ports, context, context.parameters.equipment);
      await demandFresh(ports, card);
      const publicKey = await ports.pivTool.generateKey(card, piv);
      const result = await toAttestedResult(ports, context, card);
      if (result.digests[0]?.sha256 !== publicKey.keyid) {
        throw new RefusedError('CE-214', `card ${card.serial} attests another key than it made`);
      }
      return result;
    },
  });
}

/** Throws CE-203 when the slot is taken, CE-210 while a secret of the factory protects the card. */
async function demandFresh({ pivTool }: ActPorts, card: InsertedCard): Promise<void> {
  const { pin, puk, slot9c } = await pivTool.metadata(card);
  if (slot9c !== 'empty') throw new RefusedError('CE-203', `slot 9c of card ${card.serial} holds a key, ${slot9c}`);
  if (pin.isFactory || puk.isFactory) {
    throw new RefusedError('CE-210', `card ${card.serial} has the PIN or the PUK of the factory`);
  }
}

async function toAttestedResult(
  ports: ActPorts,
  context: ActContext<Parameters>,
  card: InsertedCard,
): Promise<ActResult> {
  const { policy, piv } = pivPolicyOf(context.parameters);
  const holder = context.person(context.parameters.holder);
  const { attested, certificates } = await attestedKey(ports, card, piv, context.clock.now());
  const { publicKey, grade, firmware, pinPolicy, touchPolicy } = attested;
  const token = { label: holder, serial: card.serial, manufacturer: 'PIV', model: 'PIV card', firmware };
  const attributes = { slot: piv.slot, pinPolicy, touchPolicy };
  const key = toCeremonyKey({
    name: policy.name,
    change: 'made',
    holder,
    publicKey,
    token,
    attributes,
    grade,
    certificates,
  });
  return toResult(
    { 'card serial': card.serial, slot: piv.slot, attestation: grade },
    { digests: { 'key id': publicKey.keyid }, keys: [key] },
  );
}

function pivPolicyOf({ policy: name }: Parameters): { policy: KeyPolicy; piv: PivPolicy } {
  const policy = keyPolicy(name);
  if (policy.piv === null) throw new TypeError(`${name} is not made on a card`);
  return { policy, piv: policy.piv };
}
