// SPDX-License-Identifier: Apache-2.0
/**
 * A key from components that nobody has all of, put together inside the token (spec/split-knowledge.md). Each component is
 * in this process alone, for as long as it takes to hand it over; the key itself never is. Combining is
 * CKM_AES_CBC_ENCRYPT_DATA (PKCS#11 v2.40 section 2.15): the next key is the next component, encrypted with the key so
 * far. It is what SoftHSM 2.6.1 has; CKM_XOR_BASE_AND_DATA it has not, nor can pkcs11js pass its parameter.
 */
import { RefusedError } from '@witnessmark/core';
import {
  entriesOf,
  KEY_ATTRIBUTES,
  toGeneration,
  type AttributeTemplate,
  type KeyAttribute,
} from '../key-policy/attributes.ts';
import { destroyKey, type ExactKeyRef } from '../pkcs11/destroy.ts';
import { attributeValue, findObjects } from '../pkcs11/objects.ts';
import { toRefusal } from '../pkcs11/refusal.ts';
import { formatToken } from '../token-identity.ts';
import * as ck from '../pkcs11/cryptoki.ts';
import { CHECK_VALUE_BYTES, COMPONENT_BYTES } from './component.ts';
import type { Pkcs11Token } from '../pkcs11/token.ts';

const AES_BLOCK_BYTES = 16;
const MECHANISMS = [
  ['CKM_AES_CBC_ENCRYPT_DATA', ck.CKM_AES_CBC_ENCRYPT_DATA],
  ['CKM_AES_CMAC', ck.CKM_AES_CMAC],
] as const;

type Template = { readonly type: number; readonly value: number | boolean | string | Buffer }[];
const AES_KEY: Template = [
  { type: ck.CKA_CLASS, value: ck.CKO_SECRET_KEY },
  { type: ck.CKA_KEY_TYPE, value: ck.CKK_AES },
];
/** The one thing an object of the session may be used for. */
type SessionUse = typeof ck.CKA_DERIVE | typeof ck.CKA_SIGN;

export interface CombinedKey {
  readonly ref: ExactKeyRef;
  /** Exactly what every read-back must show. */
  readonly attributes: AttributeTemplate;
  readonly checkValue: string;
  readonly components: number;
}

/** Throws CE-224 when the token has not the mechanisms. */
function demandCombination(token: Pkcs11Token): void {
  const offered = token.mechanisms();
  const missing = MECHANISMS.filter(([, number]) => !offered.has(number)).map(([name]) => name);
  if (missing.length > 0) {
    throw new RefusedError('CE-224', `token ${formatToken(token.identity)} has not ${missing.join(' and ')}`);
  }
}

/** Takes components one after the other; all it keeps is a handle. The token must be `readWrite`. */
export class ComponentCombiner {
  readonly #token: Pkcs11Token;
  readonly #key: CombinedKey;
  readonly #checkValues = new Set<string>();
  #soFar: ck.Handle | null = null;
  #isMade = false;

  /** Throws CE-224. */
  constructor(token: Pkcs11Token, key: CombinedKey) {
    if (key.components < 2) throw new TypeError('split knowledge needs two components at least');
    demandCombination(token);
    this.#token = token;
    this.#key = key;
  }

  get isMade(): boolean {
    return this.#isMade;
  }

  /**
   * Hands over the next component, whose bytes are zero afterwards in any case. Throws CE-222 when it has not its check
   * value, CE-223 when it was entered before; after the last one CE-225 when the key has not its own, and then no key is
   * on the token.
   */
  add(component: Buffer, checkValue: string): void {
    if (component.length !== COMPONENT_BYTES || this.#isMade) throw new TypeError('there is no such component');
    try {
      const position = this.#checkValues.size + 1;
      this.#demandCheckValue(component, checkValue, position);
      if (this.#checkValues.has(checkValue))
        throw new RefusedError('CE-223', `component ${position} was entered before`);
      if (this.#soFar === null) this.#soFar = this.#load(component, ck.CKA_DERIVE);
      else if (position < this.#key.components) this.#advance(this.#soFar, component);
      else this.#finish(this.#soFar, component);
      this.#checkValues.add(checkValue);
    } finally {
      component.fill(0);
    }
  }

  /** Takes back what the session still holds. */
  close(): void {
    if (this.#soFar !== null) this.#drop(this.#soFar);
    this.#soFar = null;
  }

  #demandCheckValue(component: Buffer, expected: string, position: number): void {
    const probe = this.#load(component, ck.CKA_SIGN);
    try {
      if (this.#checkValueOf(probe) !== expected) {
        throw new RefusedError('CE-222', `component ${position} has not the check value ${expected}`);
      }
    } finally {
      this.#drop(probe);
    }
  }

  #advance(base: ck.Handle, component: Buffer): void {
    const next = this.#derive(base, component, sessionKey(ck.CKA_DERIVE));
    this.#drop(base);
    this.#soFar = next;
  }

  #finish(base: ck.Handle, component: Buffer): void {
    const { ref, attributes, checkValue } = this.#key;
    const probe = this.#derive(base, component, sessionKey(ck.CKA_SIGN));
    try {
      const found = this.#checkValueOf(probe);
      if (found !== checkValue) {
        throw new RefusedError('CE-225', `the key has the check value ${found}, expected is ${checkValue}`);
      }
    } finally {
      this.#drop(probe);
    }
    // What an interrupted ceremony left behind was the same key, or none anybody knows.
    destroyKey(this.#token, ref);
    this.#derive(base, component, tokenKey(ref, attributes));
    demandSecretKey(this.#token, ref, attributes);
    this.#isMade = true;
    this.close();
  }

  #load(component: Buffer, use: SessionUse): ck.Handle {
    return this.#call('taking a component', (cryptoki, session) =>
      cryptoki.C_CreateObject(session, [...sessionKey(use), { type: ck.CKA_VALUE, value: component }]),
    );
  }

  #derive(base: ck.Handle, component: Buffer, template: Template): ck.Handle {
    const parameter = { type: ck.CK_PARAMS_AES_CBC, iv: Buffer.alloc(AES_BLOCK_BYTES), data: component };
    const mechanism = { mechanism: ck.CKM_AES_CBC_ENCRYPT_DATA, parameter };
    return this.#call('combining components', (cryptoki, session) =>
      cryptoki.C_DeriveKey(session, mechanism, base, [{ type: ck.CKA_VALUE_LEN, value: COMPONENT_BYTES }, ...template]),
    );
  }

  #checkValueOf(key: ck.Handle): string {
    return this.#call('reading a check value', (cryptoki, session) => {
      cryptoki.C_SignInit(session, { mechanism: ck.CKM_AES_CMAC }, key);
      const mac = cryptoki.C_Sign(session, Buffer.alloc(AES_BLOCK_BYTES), Buffer.alloc(AES_BLOCK_BYTES));
      return mac.subarray(0, CHECK_VALUE_BYTES).toString('hex');
    });
  }

  #drop(object: ck.Handle): void {
    this.#call('removing a component', (cryptoki, session) => cryptoki.C_DestroyObject(session, object));
  }

  #call<T>(doing: string, work: (cryptoki: ck.Cryptoki, session: ck.Handle) => T): T {
    try {
      return work(this.#token.cryptoki, this.#token.session);
    } catch (error) {
      throw toRefusal(error, `${doing} in token ${formatToken(this.#token.identity)}`);
    }
  }
}

/** Reads a secret key back; returns what the token shows. Throws CU-108, CU-109 or, for a difference, CU-124. */
export function demandSecretKey(
  token: Pkcs11Token,
  ref: ExactKeyRef,
  attributes: AttributeTemplate,
): Partial<Record<KeyAttribute, boolean>> {
  const what = `secret key "${ref.label}" on token ${formatToken(token.identity)}`;
  const template = [
    { type: ck.CKA_CLASS, value: ck.CKO_SECRET_KEY },
    { type: ck.CKA_LABEL, value: ref.label },
    { type: ck.CKA_ID, value: Buffer.from(ref.id) },
  ];
  const [handle, second] = findObjects(token, template, 2);
  if (handle === undefined) throw new RefusedError('CU-108', `${what}: there is none`);
  if (second !== undefined) throw new RefusedError('CU-109', `${what}: two fit`);
  const shown: Partial<Record<KeyAttribute, boolean>> = {};
  for (const [name, expected] of entriesOf(attributes)) {
    const value = attributeValue(token, handle, KEY_ATTRIBUTES[name])?.[0];
    if (value === undefined || (value !== 0) !== expected) {
      throw new RefusedError('CU-124', `${what}: ${name} must be ${String(expected)}`);
    }
    shown[name] = expected;
  }
  return shown;
}

function sessionKey(use: SessionUse): Template {
  return [
    ...AES_KEY,
    { type: ck.CKA_TOKEN, value: false },
    { type: ck.CKA_PRIVATE, value: true },
    { type: ck.CKA_SENSITIVE, value: true },
    { type: ck.CKA_EXTRACTABLE, value: false },
    ...[ck.CKA_ENCRYPT, ck.CKA_DECRYPT, ck.CKA_WRAP, ck.CKA_UNWRAP].map((type) => ({ type, value: false })),
    ...[ck.CKA_SIGN, ck.CKA_DERIVE].map((type) => ({ type, value: type === use })),
  ];
}

function tokenKey({ label, id }: ExactKeyRef, attributes: AttributeTemplate): Template {
  return [
    ...AES_KEY,
    { type: ck.CKA_LABEL, value: label },
    { type: ck.CKA_ID, value: Buffer.from(id) },
    ...[...toGeneration(attributes)].sort(lastModifiable).map(([type, value]) => ({ type, value })),
  ];
}

/** SoftHSM goes through the template in order, and takes nothing for a key that is not modifiable any more. */
function lastModifiable([left]: [number, boolean], [right]: [number, boolean]): number {
  return Number(left === ck.CKA_MODIFIABLE) - Number(right === ck.CKA_MODIFIABLE);
}
