// SPDX-License-Identifier: Apache-2.0
/** A27: a threshold counts people, so nobody holds two keys of one kind that are in use. */
import { RefusedError } from '@witnessmark/core';
import type { ActContext } from '../../act.ts';
import type { PersonRef } from '../../roles.ts';
import type { ActPorts } from '../ports.ts';

/** Throws CE-217. */
export async function demandOneKey(
  { registry }: Pick<ActPorts, 'registry'>,
  context: ActContext<{ readonly policy: string; readonly holder: PersonRef }>,
): Promise<void> {
  const holder = context.person(context.parameters.holder);
  const { policy } = context.parameters;
  const other = (await registry.read()).keys.find(
    (key) => key.policy === policy && key.holder === holder && key.states.at(-1)?.state === 'active',
  );
  if (other !== undefined) throw new RefusedError('CE-217', `${holder} holds ${policy} key ${other.keyid} already`);
}
