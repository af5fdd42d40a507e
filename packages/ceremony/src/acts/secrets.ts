// SPDX-License-Identifier: Apache-2.0
/** Asking people for PINs. A PIN is asked for once in a step, by the person it belongs to, and kept no longer. */
import { RefusedError } from '@witnessmark/core';
import { FACTORY_PIN, FACTORY_PUK, type PinSource, type PinTries } from '@witnessmark/custody';
import type { ActContext } from '../act.ts';
import type { PersonRef } from '../roles.ts';

type Asking = Pick<ActContext, 'prompts'>;

/** Lengths in bytes. */
export interface SecretRule {
  readonly min: number;
  readonly max: number;
}

export const HSM_PIN: SecretRule = { min: 8, max: 64 };
/** NIST SP 800-73-4 part 2 section 2.4.3: six to eight; a PUK has eight. */
export const CARD_PIN: SecretRule = { min: 6, max: 8 };
export const CARD_PUK: SecretRule = { min: 8, max: 8 };

const FACTORY_VALUES: ReadonlySet<string> = new Set([FACTORY_PIN, FACTORY_PUK]);
const TRIES: Readonly<Record<PinTries, string>> = {
  unknown: '',
  fewerThanAll: ', fewer tries than at the start are left',
  last: ', ONE TRY IS LEFT',
  none: ', no try is left',
};

/** For one step: a card that wants its PIN for each signature gets it without asking anew. */
export function pinOf({ prompts }: Asking, from: PersonRef, id: string): PinSource {
  let typed: string | undefined;
  return async ({ found, tries }) => {
    const text = `PIN of token "${found.label}" (serial ${found.serial})${TRIES[tries]}`;
    typed ??= await prompts.secret({ from, id, text });
    return typed;
  };
}

/**
 * Asks twice for a PIN that is to be set. Throws CE-206 when the two differ, CE-205 for one that would protect nothing;
 * `others` are secrets it must differ from.
 */
export async function newSecret(
  { prompts }: Asking,
  asked: { readonly from: PersonRef; readonly id: string; readonly what: string; readonly others: readonly string[] },
  rule: SecretRule,
): Promise<string> {
  const { from, id, what } = asked;
  const size = rule.min === rule.max ? `${rule.min}` : `${rule.min} to ${rule.max}`;
  const typed = await prompts.secret({ from, id, text: `new ${what}, ${size} characters` });
  checkNewSecret(typed, asked, rule);
  if ((await prompts.secret({ from, id: `${id}-again`, text: `new ${what}, again` })) !== typed) {
    throw new RefusedError('CE-206', `the two entries of the ${what} differ`);
  }
  return typed;
}

function checkNewSecret(
  typed: string,
  { what, others }: { what: string; others: readonly string[] },
  rule: SecretRule,
): void {
  const refuse = (why: string): RefusedError => new RefusedError('CE-205', `the new ${what} ${why}`);
  const length = Buffer.byteLength(typed);
  if (length < rule.min || length > rule.max) throw refuse(`must have ${rule.min} to ${rule.max} characters`);
  if (!/^[\x21-\x7e]+$/.test(typed)) throw refuse('must be printable characters without spaces');
  if (FACTORY_VALUES.has(typed)) throw refuse('is one that cards leave the factory with');
  if (new Set(typed).size === 1) throw refuse('is one character repeated');
  if (others.includes(typed)) throw refuse('is equal to another one of this token');
}

/** Throws CE-204 when one person stands for both references. */
export function demandTwoPeople(context: Pick<ActContext, 'person'>, first: PersonRef, second: PersonRef): void {
  const [one, other] = [context.person(first), context.person(second)];
  if (one === other) throw new RefusedError('CE-204', `${one} stands for ${first} and for ${second}`);
}
