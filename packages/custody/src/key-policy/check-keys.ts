// SPDX-License-Identifier: Apache-2.0
/**
 * Reads every attribute of every key back and compares it with the key policy. What the token says about itself is
 * graded `selfReported`, whatever it says.
 */
import { decodeHex, encodeHex, RefusedError, type Bytes, type PublicKey, type ReasonCode } from '@witnessmark/core';
import {
  CKA_CLASS,
  CKA_ID,
  CKA_LABEL,
  CKO_PRIVATE_KEY,
  CKO_PUBLIC_KEY,
  CKO_SECRET_KEY,
  type Handle,
} from '../pkcs11/cryptoki.ts';
import { generateKeyPair } from '../pkcs11/generate.ts';
import { findKey, type Pkcs11Key } from '../pkcs11/key.ts';
import { attributeValue, findObjects } from '../pkcs11/objects.ts';
import { formatToken } from '../token-identity.ts';
import {
  entriesOf,
  KEY_ATTRIBUTES,
  originOf,
  toGeneration,
  type AttributeTemplate,
  type KeyAttribute,
  type KeyOrigin,
} from './attributes.ts';
import type { Pkcs11Token } from '../pkcs11/token.ts';
import type { CustodyGrade } from '../grade.ts';
import type { KeyPolicy } from './key-policy.ts';

export interface KeyFinding {
  readonly code: ReasonCode;
  readonly key: string;
  readonly detail: string;
}

export interface CheckedKey {
  readonly policy: KeyPolicy;
  readonly publicKey: PublicKey;
  readonly origin: KeyOrigin;
  readonly grade: CustodyGrade;
  /** What the token showed, by name. */
  readonly attributes: Readonly<Partial<Record<KeyAttribute, boolean>>>;
}

export interface KeyCheck {
  readonly keys: readonly CheckedKey[];
  readonly findings: readonly KeyFinding[];
}

const MAX_KEYS = 256;
const LEAVES: ReadonlySet<KeyAttribute> = new Set([
  'CKA_SENSITIVE',
  'CKA_EXTRACTABLE',
  'CKA_ALWAYS_SENSITIVE',
  'CKA_NEVER_EXTRACTABLE',
]);
const TOO_MUCH: ReadonlySet<KeyAttribute> = new Set([
  'CKA_WRAP',
  'CKA_UNWRAP',
  'CKA_DERIVE',
  'CKA_DECRYPT',
  'CKA_ENCRYPT',
  'CKA_SIGN_RECOVER',
  'CKA_VERIFY_RECOVER',
]);

/** Makes a key from its policy, and reads back what became of it. The token must have been opened `readWrite`. */
export function generateKey(token: Pkcs11Token, policy: KeyPolicy): Pkcs11Key {
  if (policy.token !== 'hsm') throw new TypeError(`${policy.name} is made on its card, in the ceremony`);
  const { label, scheme } = policy;
  const key = generateKeyPair(token, {
    label,
    id: decodeHex(policy.id),
    scheme,
    privateKey: toGeneration(policy.privateKey),
    publicKey: toGeneration(policy.publicKey),
  });
  const { findings } = checkKey(token, policy);
  refuse(findings);
  return key;
}

/** Checks the keys of a token against the policies it must fulfil, all of them; keys no policy names are findings, too. */
export function checkKeys(token: Pkcs11Token, policies: readonly KeyPolicy[]): KeyCheck {
  const checks = policies.map((policy) => checkKey(token, policy));
  return {
    keys: checks.flatMap(({ keys }) => keys),
    findings: [...checks.flatMap(({ findings }) => findings), ...findUnknownKeys(token, policies)],
  };
}

/** For a start: throws the first finding as `RefusedError`, naming how many there are. */
export function demandKeys(token: Pkcs11Token, policies: readonly KeyPolicy[]): readonly CheckedKey[] {
  const { keys, findings } = checkKeys(token, policies);
  refuse(findings);
  return keys;
}

function refuse(findings: readonly KeyFinding[]): void {
  const first = findings[0];
  if (first === undefined) return;
  const more = findings.length === 1 ? '' : ` (and ${findings.length - 1} more findings)`;
  throw new RefusedError(first.code, `key ${first.key}: ${first.detail}${more}`);
}

function checkKey(token: Pkcs11Token, policy: KeyPolicy): KeyCheck {
  const found = findPair(token, policy);
  if ('code' in found) return { keys: [], findings: [found] };
  const { key, privateKey, publicKey } = found;
  const findings: KeyFinding[] = [];
  if (key.publicKey.scheme !== policy.scheme) {
    const detail = `expected ${policy.scheme}, found ${key.publicKey.scheme}`;
    findings.push({ code: 'CU-126', key: policy.name, detail });
  }
  const attributes = readAttributes(token, privateKey, policy.privateKey);
  const origin = toOrigin(attributes);
  findings.push(...compare(policy, 'private key', policy.privateKey, attributes, origin));
  const publicAttributes = readAttributes(token, publicKey, policy.publicKey);
  findings.push(...compare(policy, 'public key', policy.publicKey, publicAttributes, origin));
  const checked: CheckedKey = { policy, publicKey: key.publicKey, origin, grade: 'selfReported', attributes };
  return { keys: [checked], findings };
}

function findPair(
  token: Pkcs11Token,
  policy: KeyPolicy,
): KeyFinding | { key: Pkcs11Key; privateKey: Handle; publicKey: Handle } {
  const id = decodeHex(policy.id);
  try {
    const key = findKey(token, { label: policy.label, id });
    return { key, privateKey: findOne(token, CKO_PRIVATE_KEY, id), publicKey: findOne(token, CKO_PUBLIC_KEY, id) };
  } catch (error) {
    if (!(error instanceof RefusedError) || !['CU-108', 'CU-109', 'CU-113'].includes(error.code)) throw error;
    return { code: error.code === 'CU-113' ? 'CU-126' : error.code, key: policy.name, detail: error.message };
  }
}

function findOne(token: Pkcs11Token, kind: number, id: Bytes): Handle {
  const template = [
    { type: CKA_CLASS, value: kind },
    { type: CKA_ID, value: Buffer.from(id) },
  ];
  const handles = findObjects(token, template, 2);
  if (handles.length !== 1) {
    const message = `two keys of token ${formatToken(token.identity)} have the id ${encodeHex(id)}`;
    throw new RefusedError('CU-109', message);
  }
  return handles[0] as Handle;
}

type ShownAttributes = Partial<Record<KeyAttribute, boolean>>;

function readAttributes(token: Pkcs11Token, object: Handle, template: AttributeTemplate): ShownAttributes {
  const shown: ShownAttributes = {};
  for (const [name] of entriesOf(template)) {
    const value = attributeValue(token, object, KEY_ATTRIBUTES[name]);
    if (value?.length === 1) shown[name] = value[0] !== 0;
  }
  return shown;
}

function toOrigin(attributes: ShownAttributes): KeyOrigin {
  return originOf({
    local: attributes.CKA_LOCAL ?? false,
    alwaysSensitive: attributes.CKA_ALWAYS_SENSITIVE ?? false,
    neverExtractable: attributes.CKA_NEVER_EXTRACTABLE ?? false,
  });
}

function compare(
  policy: KeyPolicy,
  what: string,
  template: AttributeTemplate,
  shown: ShownAttributes,
  origin: KeyOrigin,
): KeyFinding[] {
  const findings: KeyFinding[] = [];
  for (const [name, expected] of entriesOf(template)) {
    const found = shown[name];
    if (found === expected) continue;
    const detail = `${what}: ${name} must be ${String(expected)}, `;
    findings.push({
      code: found === undefined ? 'CU-125' : codeFor(name, expected, origin),
      key: policy.name,
      detail: detail + (found === undefined ? 'the token does not show it' : `it is ${String(found)}`),
    });
  }
  return findings;
}

function codeFor(name: KeyAttribute, expected: boolean, origin: KeyOrigin): ReasonCode {
  if (name === 'CKA_LOCAL') return 'CU-122';
  // Of a key that was brought in, these two are consequences.
  const isConsequence = name === 'CKA_ALWAYS_SENSITIVE' || name === 'CKA_NEVER_EXTRACTABLE';
  if (isConsequence && origin === 'broughtIn') return 'CU-122';
  if (LEAVES.has(name)) return 'CU-121';
  return TOO_MUCH.has(name) && !expected ? 'CU-123' : 'CU-124';
}

function findUnknownKeys(token: Pkcs11Token, policies: readonly KeyPolicy[]): KeyFinding[] {
  const known = new Set(policies.map(({ label, id }) => `${label} ${id}`));
  const found = [CKO_PRIVATE_KEY, CKO_SECRET_KEY].flatMap((kind) =>
    findObjects(token, [{ type: CKA_CLASS, value: kind }], MAX_KEYS),
  );
  return found.flatMap((handle) => {
    const label = attributeValue(token, handle, CKA_LABEL)?.toString('utf8') ?? '';
    const id = attributeValue(token, handle, CKA_ID)?.toString('hex') ?? '';
    if (known.has(`${label} ${id}`)) return [];
    return [{ code: 'CU-127' as const, key: label, detail: `id ${id} on token ${formatToken(token.identity)}` }];
  });
}
