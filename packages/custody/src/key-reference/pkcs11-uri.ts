// SPDX-License-Identifier: Apache-2.0
/**
 * PKCS#11 URIs (RFC 7512), in the profile that names one private key beyond doubt: token by label and serial, key by
 * label or id, the module by its path. Slots are numbers that change, and a PIN in a text is a PIN in a log; neither is read.
 */
import { decodeHex, encodeHex, RefusedError, type Bytes } from '@witnessmark/core';
import { CustodyError } from '../error.ts';
import type { KeyRef } from '../pkcs11/key.ts';
import type { TokenRef } from '../token-identity.ts';

export const PKCS11_SCHEME = 'pkcs11:';
const MAX_URI_LENGTH = 2_048;
/** Lengths of CK_TOKEN_INFO.label and serialNumber; a key label or id is as long as its token allows. */
const LIMITS = { token: 32, serial: 16, object: 128, idBytes: 64, path: 1_024 };
const MAX_DESCRIPTOR = 1_023;

/** RFC 7512 section 2.3: pk11-pchar and pk11-qchar, and percent-encoding. */
const PATH_VALUE = /^(?:[A-Za-z0-9\-._~:[\]@!$'()*+,=&]|%[0-9A-Fa-f]{2})*$/;
const QUERY_VALUE = /^(?:[A-Za-z0-9\-._~:[\]@!$'()*+,=/?|]|%[0-9A-Fa-f]{2})*$/;
const PRINTABLE = /^[^\p{C}\p{Zl}\p{Zp}]+$/u;

export interface Pkcs11Uri {
  readonly token: TokenRef;
  readonly key: KeyRef;
  readonly modulePath: string;
  /** Null asks a person. */
  readonly pin: { readonly file: string } | { readonly descriptor: number } | null;
}

/** Throws CU-201 for a URI that carries a PIN, else `ERR_CUSTODY_KEY_REFERENCE`; messages hold names, never values. */
export function parsePkcs11Uri(text: string): Pkcs11Uri {
  if (text.length > MAX_URI_LENGTH) throw malformed(`it is longer than ${MAX_URI_LENGTH} characters`);
  const [path, query = ''] = splitOnce(text.slice(PKCS11_SCHEME.length), '?');
  // A PIN must not be taken for a mistake in spelling: it has been shown already.
  if (/(?:^|[?&;])pin-value/i.test(text)) throw new RefusedError('CU-201', 'the key reference has a pin-value');
  const names = readAttributes(path, ';', PATH_VALUE, ['token', 'serial', 'object', 'id', 'type']);
  const access = readAttributes(query, '&', QUERY_VALUE, ['module-path', 'pin-source']);
  if (![undefined, 'private'].includes(toText(names, 'type', LIMITS.object)))
    throw malformed('its type is not private');
  const key = toKeyRef(names);
  const modulePath = demandText(access, 'module-path', LIMITS.path);
  const token = {
    label: demandText(names, 'token', LIMITS.token),
    serial: demandText(names, 'serial', LIMITS.serial),
  };
  return { token, key, modulePath, pin: toPinSource(toText(access, 'pin-source', LIMITS.path)) };
}

export function formatPkcs11Uri({ token, key, modulePath, pin }: Pkcs11Uri): string {
  const id = key.id === undefined ? [] : [`id=${encodeHex(key.id).replaceAll(/../g, '%$&')}`];
  const object = key.label === undefined ? [] : [`object=${encodeURIComponent(key.label)}`];
  const path = [
    `token=${encodeURIComponent(token.label)}`,
    `serial=${encodeURIComponent(token.serial)}`,
    ...object,
    ...id,
  ].join(';');
  const source =
    pin === null ? '' : `&pin-source=${'file' in pin ? `file:${escapePath(pin.file)}` : `fd:${pin.descriptor}`}`;
  return `${PKCS11_SCHEME}${path}?module-path=${escapePath(modulePath)}${source}`;
}

function toKeyRef(names: ReadonlyMap<string, Bytes>): KeyRef {
  const label = toText(names, 'object', LIMITS.object);
  const id = names.get('id');
  if (id !== undefined && (id.length === 0 || id.length > LIMITS.idBytes)) {
    throw malformed(`its id is not 1 to ${LIMITS.idBytes} bytes long`);
  }
  if (label === undefined && id === undefined) throw malformed('it has neither object nor id');
  return { ...(label === undefined ? {} : { label }), ...(id === undefined ? {} : { id }) };
}

/** RFC 7512 leaves the forms open; a program to run, which it also allows, is not one of ours. */
function toPinSource(text: string | undefined): Pkcs11Uri['pin'] {
  if (text === undefined) return null;
  if (text.startsWith('file:')) {
    // file:/path and file:///path name the same (RFC 8089).
    const file = text.slice('file:'.length).replace(/^\/\/(?=\/)/, '');
    if (file !== '' && !file.startsWith('//')) return { file };
  }
  const descriptor = /^fd:(\d{1,4})$/.exec(text)?.[1];
  if (descriptor !== undefined && Number(descriptor) <= MAX_DESCRIPTOR) return { descriptor: Number(descriptor) };
  throw malformed('its pin-source is neither file:PATH nor fd:NUMBER');
}

function readAttributes(
  text: string,
  separator: ';' | '&',
  pattern: RegExp,
  known: readonly string[],
): ReadonlyMap<string, Bytes> {
  const found = new Map<string, Bytes>();
  for (const part of text === '' ? [] : text.split(separator)) {
    const [name, value] = splitOnce(part, '=');
    if (!known.includes(name)) throw malformed(`it has an attribute other than ${known.join(', ')}`);
    if (found.has(name)) throw malformed(`it has ${name} twice`);
    if (value === undefined || !pattern.test(value))
      throw malformed(`the value of ${name} is not encoded as in RFC 7512`);
    found.set(name, decodePercent(value));
  }
  return found;
}

function decodePercent(text: string): Bytes {
  const hex = text.replaceAll(/%(..)|(.)/g, (_, encoded: string | undefined, plain: string) =>
    encoded === undefined ? plain.charCodeAt(0).toString(16).padStart(2, '0') : encoded.toLowerCase(),
  );
  return decodeHex(hex);
}

function demandText(attributes: ReadonlyMap<string, Bytes>, name: string, maxBytes: number): string {
  const text = toText(attributes, name, maxBytes);
  if (text === undefined) throw malformed(`${name} is missing`);
  return text;
}

function toText(attributes: ReadonlyMap<string, Bytes>, name: string, maxBytes: number): string | undefined {
  const bytes = attributes.get(name);
  if (bytes === undefined) return undefined;
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    if (bytes.length <= maxBytes && PRINTABLE.test(text)) return text;
  } catch {
    // Falls through to the refusal.
  }
  throw malformed(`${name} is not a printable text of 1 to ${maxBytes} bytes`);
}

function splitOnce(text: string, separator: string): readonly [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

/** A slash may stand in the query only. */
function escapePath(text: string): string {
  return encodeURIComponent(text).replaceAll('%2F', '/');
}

function malformed(what: string): CustodyError {
  return new CustodyError('ERR_CUSTODY_KEY_REFERENCE', `the key reference is not a PKCS#11 URI we read: ${what}`);
}
