// SPDX-License-Identifier: Apache-2.0
/** Gives a token its user PIN: allowed by the security officer, chosen by somebody else. */
import { hasUserPin, setUserPin } from '@witnessmark/custody';
import { z } from 'zod';
import { defineAct, type ActResult, type AnyAct } from '../../act.ts';
import { toResult } from '../results.ts';
import { demandTwoPeople, HSM_PIN, newSecret } from '../secrets.ts';
import { hsmToken, personRef } from '../shapes.ts';
import { hsmTokenRef, withHsmModule } from '../tokens.ts';
import type { ActPorts } from '../ports.ts';

const parameters = z
  .strictObject({ ...hsmToken, securityOfficer: personRef, user: personRef })
  .refine(({ securityOfficer, user }) => securityOfficer !== user, 'one person for both PINs');

export function setUserPinAct(ports: ActPorts): AnyAct {
  return defineAct<z.infer<typeof parameters>>({
    kind: 'set-user-pin',
    parameters,
    isIrreversible: false,
    plan: (context) => {
      const { securityOfficer, user } = context.parameters;
      demandTwoPeople(context, securityOfficer, user);
      const { label, serial } = hsmTokenRef(context, context.parameters);
      const lines = [
        `${context.person(securityOfficer)} enters the security officer PIN of token "${label}" (serial ${serial})`,
        `${context.person(user)} chooses its user PIN, unseen by everybody else`,
      ];
      return Promise.resolve({ lines });
    },
    inspect: (context) =>
      withHsmModule(ports, (module) => {
        const ref = hsmTokenRef(context, context.parameters);
        return hasUserPin(module, ref)
          ? { state: 'done', result: toPinResult(context.person(context.parameters.user)) }
          : { state: 'notDone' };
      }),
    perform: async (context) => {
      const { securityOfficer, user } = context.parameters;
      demandTwoPeople(context, securityOfficer, user);
      const ref = hsmTokenRef(context, context.parameters);
      const text = `security officer PIN of token "${ref.label}" (serial ${ref.serial})`;
      const officerPin = await context.prompts.secret({ from: securityOfficer, id: 'so-pin', text });
      const asked = { from: user, id: 'user-pin', what: 'user PIN', others: [officerPin] };
      const userPin = await newSecret(context, asked, HSM_PIN);
      await withHsmModule(ports, (module) => {
        setUserPin(module, ref, { securityOfficer: officerPin, user: userPin });
      });
      return toPinResult(context.person(user));
    },
  });
}

function toPinResult(user: string): ActResult {
  return toResult({ 'user PIN': 'set', 'known to': user });
}
