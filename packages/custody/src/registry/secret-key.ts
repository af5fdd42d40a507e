// SPDX-License-Identifier: Apache-2.0
/**
 * Secret keys in the key registry. They have no public half, so what people recognise them by is a check value, and their
 * id follows from where they are and what they are called. A secret key that was combined from components says so.
 */
import { encodeUtf8, RefusedError, sha256Hex, type JsonValue } from '@witnessmark/core';
import { Fields } from '../strict-fields.ts';
import { CHECK_VALUE_BYTES } from '../split-knowledge/component.ts';
import { appendState, parseStateChange, type KeyStateChange } from './key-state.ts';
import { parseTokenFacts, type TokenFacts } from './token-facts.ts';

export interface RegisteredSecretKey {
  readonly keyid: string;
  /** Name of its policy. */
  readonly policy: string;
  readonly algorithm: 'aes-256';
  /** AES-CMAC over a block of zeros, first three bytes, hexadecimal. */
  readonly checkValue: string;
  /** What its attributes say: a copy may exist wherever the components were. */
  readonly origin: 'broughtIn';
  readonly components: number;
  readonly holder: string;
  /** Who entered a component, in their order. */
  readonly custodians: readonly string[];
  readonly token: TokenFacts & { readonly keyLabel: string };
  readonly ceremony: string;
  readonly rehearsal: boolean;
  readonly states: readonly KeyStateChange[];
}

const ID_DOMAIN = 'witnessmark secret key v1\n';
const MAX_COMPONENTS = 8;
const MAX_STATES = 100;
const CHECK_VALUE = new RegExp(`^[0-9a-f]{${2 * CHECK_VALUE_BYTES}}$`);

/** SHA-256 over algorithm, token, label and check value, each on a line of its own. */
export function secretKeyId(key: Pick<RegisteredSecretKey, 'algorithm' | 'checkValue' | 'token'>): string {
  const { token, algorithm, checkValue } = key;
  const lines = [algorithm, token.label, token.serial, token.keyLabel, checkValue];
  return sha256Hex(encodeUtf8(ID_DOMAIN + lines.map((line) => `${line}\n`).join('')));
}

/** What holds of every entry; throws CU-141 or CU-148. */
export function checkSecretKey(key: RegisteredSecretKey): RegisteredSecretKey {
  if (secretKeyId(key) !== key.keyid) throw malformed(`secret key ${key.keyid} has another id than it should`);
  if (key.components < 2 || new Set(key.custodians).size !== key.components) {
    throw malformed(`secret key ${key.keyid} has not one custodian for each component`);
  }
  if (key.states.reduce(appendState, []).length === 0) throw malformed(`secret key ${key.keyid} has no state`);
  return key;
}

export function parseSecretKey(value: JsonValue, index: number): RegisteredSecretKey {
  const fields = new Fields(value, `secretKeys[${index}]`, malformed);
  const key: RegisteredSecretKey = {
    keyid: fields.sha256('keyid'),
    policy: fields.text('policy', 128),
    algorithm: fields.oneOf('algorithm', ['aes-256']),
    checkValue: fields.matching('checkValue', CHECK_VALUE, 'six hexadecimal digits'),
    origin: fields.oneOf('origin', ['broughtIn']),
    components: fields.counter('components'),
    holder: fields.text('holder', 128),
    custodians: fields
      .array('custodians', MAX_COMPONENTS)
      .map((name) => new Fields({ name }, 'custodians', malformed).text('name', 128)),
    token: parseSecretToken(fields.object('token')),
    ceremony: fields.text('ceremony', 128),
    rehearsal: fields.flag('rehearsal'),
    states: fields.array('states', MAX_STATES).map((state, at) => parseStateChange(state, `states[${at}]`, malformed)),
  };
  fields.end();
  return key;
}

function parseSecretToken(fields: Fields): RegisteredSecretKey['token'] {
  const keyLabel = fields.text('keyLabel', 64);
  return { ...parseTokenFacts(fields), keyLabel };
}

function malformed(detail: string): RefusedError {
  return new RefusedError('CU-148', detail);
}
