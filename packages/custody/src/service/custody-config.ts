// SPDX-License-Identifier: Apache-2.0
/** The configuration of the custody process (spec/custody-protocol.md). Where the PIN is, never the PIN. */
import { CoreError, parseStrictJson, RefusedError, type Bytes, type JsonValue } from '@witnessmark/core';
import { KEY_POLICIES } from '../key-policy/key-policy.ts';
import { Fields } from '../strict-fields.ts';
import type { SigningMode } from '../pkcs11/token-options.ts';
import type { TokenRef } from '../token-identity.ts';
import type { CustodyClientEntry } from './custody-service.ts';

export interface CustodyConfig {
  readonly socket: string;
  readonly journal: string;
  readonly module: string;
  readonly token: TokenRef;
  readonly pin: { readonly file: string } | { readonly descriptor: number };
  readonly sessions: number;
  readonly signing: SigningMode;
  /** Names of key policies; a key is known to clients by that name. */
  readonly keys: readonly string[];
  readonly clients: readonly CustodyClientEntry[];
}

const LIMITS = {
  maxBytes: 256 * 1024,
  maxDepth: 8,
  maxValues: 10_000,
  maxClients: 64,
  maxPurposes: 64,
  maxSessions: 64,
};
const MAX_PATH_LENGTH = 1_000;

/** Throws CU-152. */
export function parseCustodyConfig(bytes: Bytes): CustodyConfig {
  const fields = new Fields(parseJson(bytes), 'config', malformed);
  const config: CustodyConfig = {
    socket: fields.text('socket', MAX_PATH_LENGTH),
    journal: fields.text('journal', MAX_PATH_LENGTH),
    module: fields.text('module', MAX_PATH_LENGTH),
    token: parseToken(fields.object('token')),
    pin: parsePin(fields.object('pin')),
    sessions: fields.counter('sessions'),
    signing: fields.oneOf('signing', ['threads', 'blocking']),
    keys: fields.array('keys', KEY_POLICIES.length).map(parseKeyName),
    clients: fields.array('clients', LIMITS.maxClients).map(parseClient),
  };
  fields.end();
  if (config.sessions < 1 || config.sessions > LIMITS.maxSessions) throw malformed('config.sessions must be 1 to 64');
  for (const { name, allow } of config.clients) {
    const unknown = allow.find(({ key }) => !config.keys.includes(key));
    if (unknown !== undefined) throw malformed(`client ${name} is allowed a key that is not configured`);
  }
  return config;
}

function parseToken(fields: Fields): TokenRef {
  const token = { label: fields.text('label', 64), serial: fields.text('serial', 64) };
  fields.end();
  return token;
}

function parsePin(fields: Fields): CustodyConfig['pin'] {
  const from = fields.oneOf('from', ['file', 'descriptor']);
  const pin =
    from === 'file' ? { file: fields.text('file', MAX_PATH_LENGTH) } : { descriptor: fields.counter('descriptor') };
  fields.end();
  return pin;
}

function parseKeyName(value: JsonValue): string {
  const names = KEY_POLICIES.filter(({ token }) => token === 'hsm').map(({ name }) => name);
  return new Fields({ name: value }, 'config.keys', malformed).oneOf('name', names);
}

function parseClient(value: JsonValue, index: number): CustodyClientEntry {
  const fields = new Fields(value, `clients[${index}]`, malformed);
  const client = {
    name: fields.text('name', 128),
    tokenSha256: fields.sha256('tokenSha256'),
    allow: fields.array('allow', KEY_POLICIES.length).map((entry) => {
      const own = new Fields(entry, `clients[${index}].allow`, malformed);
      const key = own.text('key', 128);
      const purposes = own
        .array('purposes', LIMITS.maxPurposes)
        .map((purpose) => new Fields({ purpose }, `clients[${index}].purposes`, malformed).text('purpose', 128));
      own.end();
      return { key, purposes };
    }),
  };
  fields.end();
  return client;
}

function parseJson(bytes: Bytes): JsonValue {
  try {
    return parseStrictJson(bytes, LIMITS);
  } catch (cause) {
    if (!(cause instanceof CoreError)) throw cause;
    throw new RefusedError('CU-152', `the configuration: ${cause.message}`, { cause });
  }
}

function malformed(detail: string): RefusedError {
  return new RefusedError('CU-152', detail);
}
