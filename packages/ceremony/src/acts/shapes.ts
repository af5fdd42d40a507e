// SPDX-License-Identifier: Apache-2.0
/** The parameters acts share. */
import { KEY_POLICIES } from '@witnessmark/custody';
import { z } from 'zod';
import { name } from '../fields.ts';
import { PERSON_REF, type PersonRef } from '../roles.ts';

export const personRef = z.string().regex(PERSON_REF) as z.ZodType<PersonRef>;

/** A name in the script's `equipment`. */
export const equipmentName: z.ZodType<string> = name;

/** A name in the script's `inputs`. */
export const inputName: z.ZodType<string> = name;

/** A step of the same script. */
export const stepName: z.ZodType<string> = name;

/** An HSM token; its serial is the one the step found that made it, or else the one of the equipment. */
export const hsmToken = { equipment: equipmentName, initialisedIn: stepName.optional() };

/** Made for the HSM, by the name of its key policy. */
export const hsmPolicy: z.ZodType<string> = policyOn('hsm');
/** Made on a card. */
export const cardPolicy: z.ZodType<string> = policyOn('pivCard');

/** Ten years, in days. */
export const days: z.ZodType<number> = z.int().min(1).max(3653);

function policyOn(token: 'hsm' | 'pivCard'): z.ZodType<string> {
  return z.enum(KEY_POLICIES.filter((policy) => policy.token === token).map((policy) => policy.name));
}
