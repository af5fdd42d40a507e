// SPDX-License-Identifier: Apache-2.0
/** How a token is named: by label and serial together. Slot numbers change; they name nothing. */

export interface TokenRef {
  readonly label: string;
  readonly serial: string;
}

export interface TokenIdentity extends TokenRef {
  readonly manufacturer: string;
  readonly model: string;
  readonly firmware: string;
  /** The reader or slot it was found in, for people. */
  readonly slot: string;
}

export function isToken(ref: TokenRef, found: TokenRef): boolean {
  return ref.label === found.label && ref.serial === found.serial;
}

/** As people read it: `"service-hsm" (serial 1f2e)`. */
export function formatToken(token: TokenRef): string {
  return `"${token.label}" (serial ${token.serial})`;
}
