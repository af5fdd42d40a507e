// SPDX-License-Identifier: Apache-2.0
/** Replaces PIN and PUK of a fresh card by secrets of two people: the holder's PIN, and a PUK that only unblocks it. */
import { RefusedError } from '@witnessmark/core';
import { FACTORY_PIN, FACTORY_PUK, type CardMetadata } from '@witnessmark/custody';
import { z } from 'zod';
import { defineAct, type ActContext, type ActResult, type AnyAct } from '../../act.ts';
import type { PersonRef } from '../../roles.ts';
import { toResult } from '../results.ts';
import { CARD_PIN, CARD_PUK, demandTwoPeople, newSecret } from '../secrets.ts';
import { equipmentName, personRef } from '../shapes.ts';
import { findCard } from '../tokens.ts';
import type { ActPorts } from '../ports.ts';

const parameters = z
  .strictObject({ equipment: equipmentName, holder: personRef, pukKeeper: personRef })
  .refine(({ holder, pukKeeper }) => holder !== pukKeeper, 'one person for PIN and PUK');

export function changeCardSecretsAct(ports: ActPorts): AnyAct {
  return defineAct<z.infer<typeof parameters>>({
    kind: 'change-card-secrets',
    parameters,
    isIrreversible: false,
    plan: async (context) => {
      const { equipment, holder, pukKeeper } = context.parameters;
      demandTwoPeople(context, holder, pukKeeper);
      const card = await findCard(ports, context, equipment);
      const { pin, puk, slot9c, managementKeyIsFactory } = await ports.pivTool.metadata(card);
      if (slot9c !== 'empty' || !managementKeyIsFactory) {
        throw new RefusedError('CE-207', `card ${card.serial}: slot 9c is ${slot9c}, the management key was changed`);
      }
      if (!pin.isFactory && !puk.isFactory) {
        throw new RefusedError('CE-207', `card ${card.serial} has neither the PIN nor the PUK of the factory`);
      }
      return {
        lines: [
          `card ${card.serial}, firmware ${card.firmware}`,
          `${context.person(holder)} chooses its PIN, unseen by everybody else`,
          `${context.person(pukKeeper)} chooses its PUK, which unblocks the card and signs nothing`,
        ],
      };
    },
    inspect: async (context) => {
      const card = await findCard(ports, context, context.parameters.equipment);
      const metadata = await ports.pivTool.metadata(card);
      return metadata.pin.isFactory || metadata.puk.isFactory
        ? { state: 'notDone' }
        : { state: 'done', result: toSecretsResult(card.serial, metadata) };
    },
    perform: async (context) => {
      const { equipment, holder, pukKeeper } = context.parameters;
      demandTwoPeople(context, holder, pukKeeper);
      const card = await findCard(ports, context, equipment);
      const before = await ports.pivTool.metadata(card);
      // After an interruption the holder has set a PIN already, and knows it; a PIN somebody else set is known to nobody here.
      const currentPin = await currentSecret(context, holder, 'pin', before.pin.isFactory ? FACTORY_PIN : null);
      const newPin = { from: holder, id: 'pin', what: `PIN of card ${card.serial}`, others: [] };
      const pin = await newSecret(context, newPin, CARD_PIN);
      await ports.pivTool.changePin(card, currentPin, pin);
      const currentPuk = await currentSecret(context, pukKeeper, 'puk', before.puk.isFactory ? FACTORY_PUK : null);
      const newPuk = { from: pukKeeper, id: 'puk', what: `PUK of card ${card.serial}`, others: [pin] };
      await ports.pivTool.changePuk(card, currentPuk, await newSecret(context, newPuk, CARD_PUK));
      const after = await ports.pivTool.metadata(card);
      if (after.pin.isFactory || after.puk.isFactory) {
        throw new RefusedError('CE-210', `card ${card.serial} still has the PIN or the PUK of the factory`);
      }
      return toSecretsResult(card.serial, after);
    },
  });
}

function currentSecret(
  { prompts }: Pick<ActContext, 'prompts'>,
  from: PersonRef,
  id: 'pin' | 'puk',
  factory: string | null,
): Promise<string> {
  if (factory !== null) return Promise.resolve(factory);
  return prompts.secret({ from, id: `current-${id}`, text: `${id.toUpperCase()} the card has now` });
}

function toSecretsResult(serial: string, { pin, puk }: CardMetadata): ActResult {
  return toResult({
    'card serial': serial,
    PIN: 'not of the factory',
    PUK: 'not of the factory',
    'PIN tries': `${pin.triesLeft}`,
    'PUK tries': `${puk.triesLeft}`,
  });
}
