// SPDX-License-Identifier: Apache-2.0
/** From the names in a script to tokens: HSM tokens by label and serial, cards by the serial printed on them. */
import { RefusedError } from '@witnessmark/core';
import {
  lookAtToken,
  openToken,
  type InsertedCard,
  type Pkcs11Module,
  type Pkcs11Token,
  type TokenRef,
} from '@witnessmark/custody';
import type { ActContext } from '../act.ts';
import type { PersonRef } from '../roles.ts';
import { factOf } from './results.ts';
import { pinOf } from './secrets.ts';
import type { ActPorts } from './ports.ts';

export const TOKEN_SERIAL = 'token serial';

export interface HsmTokenName {
  readonly equipment: string;
  readonly initialisedIn?: string | undefined;
}

type Naming = Pick<ActContext, 'equipment' | 'result'>;

export function hsmTokenRef(context: Naming, { equipment, initialisedIn }: HsmTokenName): TokenRef {
  const { label, serial } = context.equipment(equipment);
  const found = initialisedIn === undefined ? null : factOf(context.result(initialisedIn), TOKEN_SERIAL);
  return { label, serial: found ?? serial };
}

/** Runs `work` with the module of the HSMs, and closes it. */
export async function withHsmModule<T>(
  ports: Pick<ActPorts, 'openHsmModule'>,
  work: (module: Pkcs11Module) => T | Promise<T>,
): Promise<T> {
  const module = await ports.openHsmModule();
  try {
    return await work(module);
  } finally {
    module.close();
  }
}

/** With a login: for making, using and destroying keys. */
export async function withHsmToken<T>(
  ports: Pick<ActPorts, 'openHsmModule'>,
  context: ActContext<HsmTokenName & { readonly pinBy: PersonRef }>,
  work: (token: Pkcs11Token) => T | Promise<T>,
): Promise<T> {
  const ref = hsmTokenRef(context, context.parameters);
  const pin = pinOf(context, context.parameters.pinBy, 'pin');
  return withHsmModule(ports, async (module) => {
    return closing(await openToken(module, ref, { pin, readWrite: true, sessions: 1 }), work);
  });
}

/** Without a login: public objects only, and no PIN is asked for. */
export async function lookAtHsmToken<T>(
  ports: Pick<ActPorts, 'openHsmModule'>,
  context: Naming & { readonly parameters: HsmTokenName },
  work: (token: Pkcs11Token) => T,
): Promise<T> {
  const ref = hsmTokenRef(context, context.parameters);
  return withHsmModule(ports, async (module) => closing(await lookAtToken(module, ref), work));
}

/** The card with the printed serial of this equipment, wherever it is inserted. Throws CE-208 or CE-209. */
export function findCard(
  { pivTool }: Pick<ActPorts, 'pivTool'>,
  context: Pick<ActContext, 'equipment'>,
  equipment: string,
): Promise<InsertedCard> {
  return pivTool.findCard(context.equipment(equipment).serial);
}

/** The card as a token, with a login; the PIN is asked for once the printed serial has been found. */
export async function withCardToken<T>(
  ports: Pick<ActPorts, 'openCardModule' | 'pivTool'>,
  context: ActContext,
  card: { readonly equipment: string; readonly holder: PersonRef },
  work: (token: Pkcs11Token) => Promise<T>,
): Promise<T> {
  const { reader, serial } = await findCard(ports, context, card.equipment);
  const module = await ports.openCardModule();
  try {
    const found = module.tokens().find(({ identity }) => isSlotOf(identity.slot, reader));
    if (found === undefined)
      throw new RefusedError('CU-102', `card ${serial} is in ${reader}, and shows no token there`);
    const pin = pinOf(context, card.holder, 'pin');
    const onWaiting = (): void => {
      context.prompts.notice(`touch card ${serial} now`);
    };
    return await closing(await openToken(module, found.identity, { pin, sessions: 1, onWaiting }), work);
  } finally {
    module.close();
  }
}

async function closing<T>(token: Pkcs11Token, work: (token: Pkcs11Token) => T | Promise<T>): Promise<T> {
  try {
    return await work(token);
  } finally {
    token.close();
  }
}

/** A slot description has at most 64 bytes; readers may have longer names. */
function isSlotOf(slot: string, reader: string): boolean {
  return slot === reader || (slot.length >= 60 && reader.startsWith(slot));
}
