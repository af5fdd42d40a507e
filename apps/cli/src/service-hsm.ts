// SPDX-License-Identifier: Apache-2.0
/**
 * A service HSM for a trial: a SoftHSM token with the keys that machines use, made from their key policies, and the
 * configuration of the custody process that will be the only one to open it. In production the ceremony of the HSM makes
 * both, with people (docs/operate/custody.md).
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { encodeUtf8, RefusedError } from '@witnessmark/core';
import {
  findKey,
  formatKeyReference,
  generateKey,
  initialiseToken,
  keyPolicy,
  openPkcs11Module,
  openToken,
  setUserPin,
  type KeyReference,
  type Pkcs11Module,
  type Pkcs11Token,
  type Signer,
  type TokenIdentity,
} from '@witnessmark/custody';
import { useSoftHsmIn } from './custody-place.ts';
import { writeFile } from './files.ts';
import { CHECKPOINT_PURPOSE, METADATA_PURPOSE, STATEMENT_PURPOSES } from './purpose.ts';

export const SOFTHSM_MODULE = '/usr/lib/softhsm/libsofthsm2.so';
export const SERVICE_KEYS = ['line-evidence', 'log-checkpoint', 'release-online', 'release-effectivity'] as const;
export type ServiceKey = (typeof SERVICE_KEYS)[number];

const TOKEN_LABEL = 'service';
const PRIVATE_DIRECTORY = 0o700;
const PRIVATE_FILE = 0o600;
const SESSIONS = 16;

/** Which program uses which key for what. */
const CLIENTS = {
  line: [
    { key: 'line-evidence', purposes: STATEMENT_PURPOSES },
    { key: 'log-checkpoint', purposes: [CHECKPOINT_PURPOSE] },
  ],
  office: [
    { key: 'release-online', purposes: [METADATA_PURPOSE] },
    { key: 'release-effectivity', purposes: [METADATA_PURPOSE] },
  ],
} as const satisfies Record<string, readonly { readonly key: ServiceKey; readonly purposes: readonly string[] }[]>;
type Client = keyof typeof CLIENTS;

export interface ServiceHsm {
  readonly token: TokenIdentity;
  /** While the token is open here: for what is signed before the custody process runs. */
  signer(key: ServiceKey): Signer;
  /** How a configuration in the parent folder of the custody directory names the key. */
  reference(key: ServiceKey, client: Client): string;
  close(): void;
}

/**
 * Makes token, keys, client tokens and `custody.json` in a new or empty directory. `newSecret` gives 32 random bytes in
 * hexadecimal. Throws CU-101 when SoftHSM is not installed.
 */
export async function createServiceHsm(directory: string, newSecret: () => string): Promise<ServiceHsm> {
  if (!existsSync(SOFTHSM_MODULE)) throw new RefusedError('CU-101', `SoftHSM is not installed at ${SOFTHSM_MODULE}`);
  const path = (...names: readonly string[]): string => join(directory, ...names);
  for (const folder of [directory, path('tokens'), path('clients')]) {
    mkdirSync(folder, { recursive: true, mode: PRIVATE_DIRECTORY });
  }
  const settings = [`directories.tokendir = ${path('tokens')}`, 'objectstore.backend = file', 'log.level = ERROR'];
  writeFile(path('softhsm2.conf'), encodeUtf8(`${settings.join('\n')}\n`));
  useSoftHsmIn(directory);
  const pin = newSecret().slice(0, 32);
  writeFile(path('pin'), encodeUtf8(`${pin}\n`), PRIVATE_FILE);

  const module = await openPkcs11Module(SOFTHSM_MODULE);
  try {
    const token = await makeToken(module, pin, newSecret().slice(0, 32));
    const clients = (Object.keys(CLIENTS) as Client[]).map((name) => {
      const secret = newSecret();
      writeFile(path('clients', `${name}.token`), encodeUtf8(`${secret}\n`), PRIVATE_FILE);
      const tokenSha256 = createHash('sha256').update(secret).digest('hex');
      return { name, tokenSha256, allow: CLIENTS[name] };
    });
    const { label, serial } = token.identity;
    const config = {
      socket: path('custody.sock'),
      journal: path('journal'),
      module: SOFTHSM_MODULE,
      token: { label, serial },
      pin: { from: 'file', file: path('pin') },
      sessions: SESSIONS,
      signing: 'blocking',
      keys: SERVICE_KEYS,
      clients,
    };
    writeFile(path('custody.json'), encodeUtf8(`${JSON.stringify(config, null, 2)}\n`), PRIVATE_FILE);
    return {
      token: token.identity,
      signer: (key) => findKey(token, { label: keyPolicy(key).label }),
      reference: (key, client) => formatKeyReference(toReference(key, client)),
      close: () => {
        token.close();
        module.close();
      },
    };
  } catch (error) {
    module.close();
    throw error;
  }
}

async function makeToken(module: Pkcs11Module, pin: string, securityOfficerPin: string): Promise<Pkcs11Token> {
  const { label, serial } = initialiseToken(module, { label: TOKEN_LABEL, serial: '' }, securityOfficerPin);
  // Its PIN is not kept: whoever wants another token makes another one.
  setUserPin(module, { label, serial }, { securityOfficer: securityOfficerPin, user: pin });
  const token = await openToken(module, { label, serial }, { pin: () => Promise.resolve(pin), readWrite: true });
  try {
    for (const name of SERVICE_KEYS) generateKey(token, keyPolicy(name));
    return token;
  } catch (error) {
    token.close();
    throw error;
  }
}

function toReference(key: ServiceKey, client: Client): KeyReference {
  const tokenFile = `custody/clients/${client}.token`;
  return { kind: 'custody', key, socket: 'custody/custody.sock', client, tokenFile };
}
