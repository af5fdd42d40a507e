// SPDX-License-Identifier: Apache-2.0
/**
 * How a key is named wherever one is asked for: the path of a key file, a key in a token, or a key of the custody process
 * (spec/configuration.md). The text says where a key is, never what opens it.
 */
import { CustodyError } from '../error.ts';
import { formatPkcs11Uri, parsePkcs11Uri, PKCS11_SCHEME, type Pkcs11Uri } from './pkcs11-uri.ts';

const CUSTODY_SCHEME = 'custody:';
const MAX_REFERENCE_LENGTH = 2_048;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const PLACE = /^[^\p{C}\p{Zl}\p{Zp}]{1,1024}$/u;

/** A key of the custody process, and how to ask for it. */
export interface CustodyKeyReference {
  readonly key: string;
  readonly socket: string;
  readonly client: string;
  readonly tokenFile: string;
}

export type KeyReference =
  /** A software key. */
  | ({ readonly kind: 'file' } & { readonly path: string })
  | ({ readonly kind: 'pkcs11' } & Pkcs11Uri)
  | ({ readonly kind: 'custody' } & CustodyKeyReference);

/**
 * `pathOf` makes the paths in a reference absolute; a configuration's are relative to its file. A module may be named
 * without a folder only by an absolute path, so that no library is found by accident. Throws CU-201 or
 * `ERR_CUSTODY_KEY_REFERENCE`.
 */
export function parseKeyReference(text: string, pathOf: (path: string) => string = (path) => path): KeyReference {
  if (text === '' || text.length > MAX_REFERENCE_LENGTH) {
    throw malformed(`it must have 1 to ${MAX_REFERENCE_LENGTH} characters`);
  }
  if (text.startsWith(PKCS11_SCHEME)) {
    const uri = parsePkcs11Uri(text);
    const pin = uri.pin !== null && 'file' in uri.pin ? { file: pathOf(uri.pin.file) } : uri.pin;
    return { kind: 'pkcs11', ...uri, modulePath: pathOf(uri.modulePath), pin };
  }
  if (text.startsWith(CUSTODY_SCHEME)) {
    const { key, client, socket, tokenFile } = parseCustodyReference(text.slice(CUSTODY_SCHEME.length));
    return { kind: 'custody', key, client, socket: pathOf(socket), tokenFile: pathOf(tokenFile) };
  }
  return { kind: 'file', path: pathOf(text) };
}

export function formatKeyReference(reference: KeyReference): string {
  if (reference.kind === 'file') return reference.path;
  if (reference.kind === 'pkcs11') return formatPkcs11Uri(reference);
  const { key, socket, client, tokenFile } = reference;
  const query = [`socket=${escape(socket)}`, `client=${client}`, `token-file=${escape(tokenFile)}`];
  return `${CUSTODY_SCHEME}${key}?${query.join('&')}`;
}

function parseCustodyReference(text: string): CustodyKeyReference {
  const at = text.indexOf('?');
  const found = new Map<string, string>();
  for (const part of at < 0 ? [] : text.slice(at + 1).split('&')) {
    const [, name, value] = /^(socket|client|token-file)=([^&=?#]*)$/.exec(part) ?? [];
    if (name === undefined || value === undefined) throw malformed('it takes socket, client and token-file, once each');
    if (found.has(name)) throw malformed(`it has ${name} twice`);
    found.set(name, decodePlace(value, name));
  }
  const take = (name: string, pattern: RegExp): string => {
    const value = found.get(name);
    if (value === undefined) throw malformed(`${name} is missing`);
    if (!pattern.test(value)) throw malformed(`${name} has characters it cannot have`);
    return value;
  };
  const key = at < 0 ? text : text.slice(0, at);
  if (!NAME.test(key)) throw malformed('it does not begin with the name of a key');
  const [client, socket, tokenFile] = [take('client', NAME), take('socket', PLACE), take('token-file', PLACE)];
  return { key, client, socket, tokenFile };
}

function decodePlace(text: string, name: string): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw malformed(`${name} is not percent-encoded UTF-8`, cause);
  }
}

function escape(text: string): string {
  return encodeURIComponent(text).replaceAll('%2F', '/');
}

function malformed(what: string, cause?: unknown): CustodyError {
  return new CustodyError('ERR_CUSTODY_KEY_REFERENCE', `the key reference cannot be read: ${what}`, { cause });
}
