// SPDX-License-Identifier: Apache-2.0
/**
 * The key registry: every key that ever had a purpose here, with holder, custodians, token, custody claim, period, states
 * and uses. A pure value; every change gives a new one, and nothing is ever taken out. Format: spec/key-registry.md.
 */
import {
  decodeBase64,
  encodeBase64,
  formatJson,
  parseInstant,
  parsePublicKey,
  parseStrictJson,
  RefusedError,
  type Bytes,
  type Instant,
  type JsonValue,
} from '@witnessmark/core';
import { CUSTODY_GRADES, type CustodyGrade } from '../grade.ts';
import { Fields } from '../strict-fields.ts';
import { appendState, parseStateChange, type KeyStateChange } from './key-state.ts';
import { checkSecretKey, parseSecretKey, type RegisteredSecretKey } from './secret-key.ts';
import { parseTokenFacts, type TokenFacts } from './token-facts.ts';

export const KEY_REGISTRY_MEDIA_TYPE = 'application/vnd.witnessmark.key-registry.v1+json';

export interface RegisteredKey {
  readonly keyid: string;
  /** SubjectPublicKeyInfo, base64. */
  readonly spki: string;
  /** Name of its key policy. */
  readonly policy: string;
  readonly holder: string;
  readonly custodians: readonly string[];
  readonly token: TokenFacts | null;
  readonly attestation: { readonly grade: CustodyGrade; readonly certificates: readonly string[] };
  readonly ceremony: string | null;
  /** Made in a rehearsal: refused by every production policy. */
  readonly rehearsal: boolean;
  /** SP 800-57 section 5.3: when it may sign, and until when its signatures are to be accepted. */
  readonly originatorFrom: string;
  readonly originatorUntil: string;
  readonly recipientUntil: string | null;
  readonly states: readonly KeyStateChange[];
  /** Signatures accounted for. */
  readonly uses: number;
}

export interface KeyRegistry {
  readonly mediaType: typeof KEY_REGISTRY_MEDIA_TYPE;
  readonly keys: readonly RegisteredKey[];
  /** Left out of the document while there is none. */
  readonly secretKeys?: readonly RegisteredSecretKey[];
}

export const EMPTY_KEY_REGISTRY: KeyRegistry = { mediaType: KEY_REGISTRY_MEDIA_TYPE, keys: [] };

const LIMITS = {
  json: { maxBytes: 8 * 1024 * 1024, maxDepth: 8, maxValues: 400_000 },
  maxKeys: 10_000,
  maxSecretKeys: 1_000,
  maxCustodians: 16,
  maxCertificates: 4,
  maxCertificateBytes: 4_096,
  maxStates: 100,
  maxSpkiBytes: 128,
};

/** Throws CU-145 when the public key is there already, in whatever state. */
export function addKey(registry: KeyRegistry, key: RegisteredKey): KeyRegistry {
  if (registry.keys.some(({ keyid }) => keyid === key.keyid)) {
    throw new RefusedError('CU-145', `key ${key.keyid} is in the registry already`);
  }
  return { ...registry, keys: [...registry.keys, checkKey(key)] };
}

/** Throws CU-145 when a secret key with this id is there already. */
export function addSecretKey(registry: KeyRegistry, key: RegisteredSecretKey): KeyRegistry {
  const { secretKeys = [] } = registry;
  if (secretKeys.some(({ keyid }) => keyid === key.keyid)) {
    throw new RefusedError('CU-145', `secret key ${key.keyid} is in the registry already`);
  }
  return { ...registry, secretKeys: [...secretKeys, checkSecretKey(key)] };
}

/** Throws CU-141 or CU-142. */
export function changeSecretKeyState(registry: KeyRegistry, keyid: string, change: KeyStateChange): KeyRegistry {
  const { secretKeys = [] } = registry;
  if (!secretKeys.some((key) => key.keyid === keyid)) {
    throw new RefusedError('CU-142', `secret key ${keyid} is not in the registry`);
  }
  const changed = secretKeys.map((key) =>
    key.keyid === keyid ? { ...key, states: appendState(key.states, change) } : key,
  );
  return { ...registry, secretKeys: changed };
}

/** Throws CU-141 or CU-142. */
export function changeKeyState(registry: KeyRegistry, keyid: string, change: KeyStateChange): KeyRegistry {
  return replace(registry, keyid, (key) => ({ ...key, states: appendState(key.states, change) }));
}

/** Adds signatures that were accounted for. Throws CU-142. */
export function countUses(registry: KeyRegistry, keyid: string, count: number): KeyRegistry {
  if (!Number.isSafeInteger(count) || count < 0) throw new TypeError('a count is a whole number');
  return replace(registry, keyid, (key) => ({ ...key, uses: key.uses + count }));
}

/** Throws CU-142 for a key that is unknown. */
export function findRegisteredKey(registry: KeyRegistry, keyid: string): RegisteredKey {
  const key = registry.keys.find((candidate) => candidate.keyid === keyid);
  if (key === undefined) throw new RefusedError('CU-142', `key ${keyid} is not in the registry`);
  return key;
}

/** Whether the key may sign now. Throws CU-142 unless it is known and active, CU-143 outside its originator period. */
export function demandMaySign(registry: KeyRegistry, keyid: string, time: Instant): RegisteredKey {
  const key = findRegisteredKey(registry, keyid);
  // The last state counts, whatever its date: a state of the future must not be undone by a clock that went back.
  const state = key.states.at(-1)?.state;
  if (state !== 'active') throw new RefusedError('CU-142', `key ${keyid} is ${String(state)}, not active`);
  if (time < parseInstant(key.originatorFrom) || time >= parseInstant(key.originatorUntil)) {
    const period = `${key.originatorFrom} to ${key.originatorUntil}`;
    throw new RefusedError('CU-143', `key ${keyid} may sign from ${period}`);
  }
  return key;
}

/** Reads a registry, strictly, and goes through every history again. Throws CU-148 or an `ERR_JSON_*` code. */
export function parseKeyRegistry(bytes: Bytes): KeyRegistry {
  const fields = new Fields(parseStrictJson(bytes, LIMITS.json), 'registry', malformed);
  fields.oneOf('mediaType', [KEY_REGISTRY_MEDIA_TYPE]);
  const keys = fields.array('keys', LIMITS.maxKeys).map(parseKey);
  const secretKeys = fields.optionalArray('secretKeys', LIMITS.maxSecretKeys).map(parseSecretKey);
  fields.end();
  return secretKeys.reduce(addSecretKey, keys.reduce(addKey, EMPTY_KEY_REGISTRY));
}

export function formatKeyRegistry(registry: KeyRegistry): Bytes {
  return formatJson(registry);
}

function parseKey(value: JsonValue, index: number): RegisteredKey {
  const fields = new Fields(value, `keys[${index}]`, malformed);
  const key: RegisteredKey = {
    keyid: fields.sha256('keyid'),
    spki: encodeBase64(fields.bytes('spki', LIMITS.maxSpkiBytes)),
    policy: fields.text('policy', 128),
    holder: fields.text('holder', 128),
    custodians: fields.array('custodians', LIMITS.maxCustodians).map((name) => nameOf(name)),
    token: fields.nullable('token', (own) => parseTokenFacts(own.object('token'))),
    attestation: parseAttestation(fields.object('attestation')),
    ceremony: fields.nullable('ceremony', (own) => own.text('ceremony', 128)),
    rehearsal: fields.flag('rehearsal'),
    originatorFrom: fields.instant('originatorFrom'),
    originatorUntil: fields.instant('originatorUntil'),
    recipientUntil: fields.nullable('recipientUntil', (own) => own.instant('recipientUntil')),
    states: fields
      .array('states', LIMITS.maxStates)
      .map((state, at) => parseStateChange(state, `states[${at}]`, malformed)),
    uses: fields.counter('uses'),
  };
  fields.end();
  return key;
}

function parseAttestation(fields: Fields): RegisteredKey['attestation'] {
  const attestation = {
    grade: fields.oneOf('grade', CUSTODY_GRADES),
    certificates: fields.array('certificates', LIMITS.maxCertificates).map((certificate, index) => {
      const own = new Fields({ certificate }, `certificates[${index}]`, malformed);
      return encodeBase64(own.bytes('certificate', LIMITS.maxCertificateBytes));
    }),
  };
  fields.end();
  return attestation;
}

/** What holds of every key: the id follows from the key, the periods are in order, the states follow from one another. */
function checkKey(key: RegisteredKey): RegisteredKey {
  if (parsePublicKey(decodeBase64(key.spki)).keyid !== key.keyid)
    throw malformed(`key ${key.keyid} has another id than its SPKI`);
  const until = parseInstant(key.originatorUntil);
  const isOrdered = parseInstant(key.originatorFrom) < until;
  if (!isOrdered || (key.recipientUntil !== null && parseInstant(key.recipientUntil) < until)) {
    throw malformed(`the periods of key ${key.keyid} are not in order`);
  }
  const states = key.states.reduce(appendState, []);
  if (states.length === 0) throw malformed(`key ${key.keyid} has no state`);
  return key;
}

function replace(registry: KeyRegistry, keyid: string, change: (key: RegisteredKey) => RegisteredKey): KeyRegistry {
  const changed = change(findRegisteredKey(registry, keyid));
  return { ...registry, keys: registry.keys.map((key) => (key.keyid === keyid ? changed : key)) };
}

function nameOf(name: JsonValue): string {
  return new Fields({ name }, 'custodians', malformed).text('name', 128);
}

function malformed(detail: string): RefusedError {
  return new RefusedError('CU-148', detail);
}
