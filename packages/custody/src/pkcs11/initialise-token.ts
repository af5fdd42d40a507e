// SPDX-License-Identifier: Apache-2.0
/**
 * Making a token out of an empty slot, and giving it a user PIN (PKCS#11 v2.40 section 5.5): for ceremonies only. What is
 * on a token that is in use is never touched.
 */
import { RefusedError } from '@witnessmark/core';
import { checkPin } from '../pin.ts';
import { formatToken, type TokenIdentity, type TokenRef } from '../token-identity.ts';
import { CKF_RW_SESSION, CKF_SERIAL_SESSION, CKF_USER_PIN_INITIALIZED, CKU_SO, type Handle } from './cryptoki.ts';
import { toRefusal } from './refusal.ts';
import type { FoundToken, Pkcs11Module } from './module.ts';

/** A label has 32 bytes, padded with spaces. */
const MAX_LABEL_BYTES = 32;

/** Whether the token has been given a user PIN. Throws CU-102 or CU-104. */
export function hasUserPin(module: Pkcs11Module, ref: TokenRef): boolean {
  return (module.findToken(ref).flags & CKF_USER_PIN_INITIALIZED) !== 0;
}

/**
 * Makes a token in the first empty slot whose hardware serial is `serial`; a module that gives no serial before, as
 * SoftHSM, takes any. Throws CE-201 when a token has this label, CE-202 when there is no empty slot, CU-111 or CU-112.
 */
export function initialiseToken(
  module: Pkcs11Module,
  { label, serial }: TokenRef,
  securityOfficerPin: string,
): TokenIdentity {
  checkPin(securityOfficerPin, 'the security officer PIN');
  if (label.length === 0 || Buffer.byteLength(label) > MAX_LABEL_BYTES) {
    throw new TypeError(`a token label has 1 to ${MAX_LABEL_BYTES} bytes`);
  }
  demandFreeLabel(module, label);
  const { slot } = findEmptySlot(module, serial);
  try {
    module.cryptoki.C_InitToken(slot, securityOfficerPin, label);
  } catch (error) {
    throw toRefusal(error, `initialising token "${label}"`);
  }
  const made = module.tokens().filter(({ identity }) => identity.label === label);
  const [token] = made;
  if (token === undefined || made.length > 1) {
    throw new RefusedError('CU-104', `after its initialisation, ${made.length} tokens have the label "${label}"`);
  }
  return token.identity;
}

/** The slot `initialiseToken` would take. Throws CE-202. */
export function findEmptySlot(module: Pkcs11Module, serial: string): FoundToken {
  const empty = module.emptySlots();
  const found = empty.find(({ identity }) => identity.serial === '' || identity.serial === serial);
  if (found !== undefined) return found;
  const serials = empty.map(({ identity }) => identity.serial).join(', ');
  throw new RefusedError(
    'CE-202',
    `no empty slot for serial ${serial}; empty are ${serials === '' ? 'none' : serials}`,
  );
}

/** Throws CE-201 when a token has this label. */
export function demandFreeLabel(module: Pkcs11Module, label: string): void {
  const taken = module.tokens().find(({ identity }) => identity.label === label);
  if (taken !== undefined) throw new RefusedError('CE-201', `token ${formatToken(taken.identity)} is there already`);
}

/** Throws CU-102 or CU-104 for another token, CU-105 for a wrong security officer PIN, CU-111 or CU-112. */
export function setUserPin(
  module: Pkcs11Module,
  ref: TokenRef,
  pins: { readonly securityOfficer: string; readonly user: string },
): void {
  checkPin(pins.securityOfficer, 'the security officer PIN');
  checkPin(pins.user, 'the user PIN');
  const { cryptoki } = module;
  const { slot } = module.findToken(ref);
  const doing = `giving token ${formatToken(ref)} a user PIN`;
  let session: Handle | null = null;
  try {
    session = cryptoki.C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION);
    cryptoki.C_Login(session, CKU_SO, pins.securityOfficer);
    cryptoki.C_InitPIN(session, pins.user);
  } catch (error) {
    throw toRefusal(error, doing);
  } finally {
    if (session !== null) closeQuietly(module, session);
  }
}

/** Ends the login as well, when it was the only session. */
function closeQuietly(module: Pkcs11Module, session: Handle): void {
  try {
    module.cryptoki.C_CloseSession(session);
  } catch {
    // The token is gone, and its sessions with it.
  }
}
