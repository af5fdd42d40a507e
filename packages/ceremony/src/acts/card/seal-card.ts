// SPDX-License-Identifier: Apache-2.0
/**
 * Ends the administration of a card: its management key becomes a random value that nobody keeps, so that no key of it is
 * ever replaced. The card can still be used, unblocked, and reset to nothing.
 */
import { encodeHex } from '@witnessmark/core';
import { z } from 'zod';
import { defineAct, type ActResult, type AnyAct } from '../../act.ts';
import { toResult } from '../results.ts';
import { equipmentName } from '../shapes.ts';
import { findCard } from '../tokens.ts';
import type { ActPorts } from '../ports.ts';

const parameters = z.strictObject({ equipment: equipmentName });
const MANAGEMENT_KEY_BYTES = 24;

export function sealCardAct(ports: ActPorts): AnyAct {
  return defineAct<z.infer<typeof parameters>>({
    kind: 'seal-card',
    parameters,
    isIrreversible: true,
    plan: async (context) => {
      const card = await findCard(ports, context, context.parameters.equipment);
      return {
        lines: [
          `replace the management key of card ${card.serial} by a random one that nobody keeps`,
          'no key and no certificate on it can be changed afterwards; a reset erases them',
        ],
        confirmation: { what: 'the last four digits of the serial on the card', characters: card.serial.slice(-4) },
      };
    },
    inspect: async (context) => {
      const card = await findCard(ports, context, context.parameters.equipment);
      const { managementKeyIsFactory } = await ports.pivTool.metadata(card);
      return managementKeyIsFactory ? { state: 'notDone' } : { state: 'done', result: toSealed(card.serial) };
    },
    perform: async (context) => {
      const card = await findCard(ports, context, context.parameters.equipment);
      const key = ports.randomBytes(MANAGEMENT_KEY_BYTES);
      await ports.pivTool.setManagementKey(card, encodeHex(key));
      key.fill(0);
      return toSealed(card.serial);
    },
  });
}

function toSealed(serial: string): ActResult {
  return toResult({ 'card serial': serial, 'management key': 'random, kept by nobody' });
}
