// SPDX-License-Identifier: Apache-2.0
/** Makes a token in an empty slot of an HSM, under the security officer's PIN. */
import { demandFreeLabel, findEmptySlot, initialiseToken, type TokenIdentity } from '@witnessmark/custody';
import { z } from 'zod';
import { defineAct, type ActResult, type AnyAct } from '../../act.ts';
import { toResult } from '../results.ts';
import { HSM_PIN, newSecret } from '../secrets.ts';
import { equipmentName, personRef } from '../shapes.ts';
import { TOKEN_SERIAL, withHsmModule } from '../tokens.ts';
import type { ActPorts } from '../ports.ts';

const parameters = z.strictObject({ equipment: equipmentName, securityOfficer: personRef });

export function initialiseTokenAct(ports: ActPorts): AnyAct {
  return defineAct<z.infer<typeof parameters>>({
    kind: 'initialise-token',
    parameters,
    isIrreversible: true,
    plan: (context) =>
      withHsmModule(ports, (module) => {
        const { label, serial } = context.equipment(context.parameters.equipment);
        demandFreeLabel(module, label);
        const { identity } = findEmptySlot(module, serial);
        return {
          lines: [
            `make token "${label}" on HSM ${serial}`,
            `in the empty slot "${identity.slot}" (${identity.model}, firmware ${identity.firmware})`,
            'whatever the slot held is gone afterwards',
          ],
          confirmation: { what: `the last four characters of the serial on the HSM`, characters: serial.slice(-4) },
        };
      }),
    inspect: (context) =>
      withHsmModule(ports, (module) => {
        const { label } = context.equipment(context.parameters.equipment);
        const found = module.tokens().filter(({ identity }) => identity.label === label);
        if (found.length > 1) return { state: 'unknown', detail: `two tokens are called "${label}"` };
        const [token] = found;
        return token === undefined ? { state: 'notDone' } : { state: 'done', result: toTokenResult(token.identity) };
      }),
    perform: async (context) => {
      const { equipment, securityOfficer } = context.parameters;
      const asked = { from: securityOfficer, id: 'so-pin', what: 'security officer PIN', others: [] };
      const pin = await newSecret(context, asked, HSM_PIN);
      return withHsmModule(ports, (module) =>
        toTokenResult(initialiseToken(module, context.equipment(equipment), pin)),
      );
    },
  });
}

function toTokenResult({ label, serial, manufacturer, model, firmware }: TokenIdentity): ActResult {
  return toResult({ 'token label': label, [TOKEN_SERIAL]: serial, manufacturer, model, firmware });
}
