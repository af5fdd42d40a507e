// SPDX-License-Identifier: Apache-2.0
/** A token as the key registry names it: without its slot, which changes. */
import type { TokenIdentity } from '../token-identity.ts';
import type { Fields } from '../strict-fields.ts';

export type TokenFacts = Omit<TokenIdentity, 'slot'>;

export function toTokenFacts({ label, serial, manufacturer, model, firmware }: TokenIdentity): TokenFacts {
  return { label, serial, manufacturer, model, firmware };
}

/** Reads the object to its end. */
export function parseTokenFacts(fields: Fields): TokenFacts {
  const token = {
    label: fields.text('label', 64),
    serial: fields.text('serial', 64),
    manufacturer: fields.text('manufacturer', 64),
    model: fields.text('model', 64),
    firmware: fields.text('firmware', 64),
  };
  fields.end();
  return token;
}
