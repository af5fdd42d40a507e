// SPDX-License-Identifier: Apache-2.0
/** Keys of a station: found where their reference says, or made there. */
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { encodeHex, hasCode, type PublicKey } from '@witnessmark/core';
import {
  destroyKey,
  findKey,
  formatToken,
  generateKey,
  generateSoftwareKey,
  keyPolicy,
  loadSoftwareKey,
  openPkcs11Module,
  openToken,
  parseKeyReference,
  pinFromDescriptor,
  pinFromFile,
  saveSoftwareKey,
  type KeyPolicy,
  type KeyReference,
  type Pkcs11Token,
} from '@witnessmark/custody';
import { CliError, usageError } from '../error.ts';
import type { Session } from '../session.ts';
import { promptForPin } from '../signer-reference.ts';

const TPM_MODULE = 'libtpm2_pkcs11';
const ON_TPM: Pick<KeyPolicy, 'privateKey' | 'publicKey'> = {
  privateKey: {
    CKA_TOKEN: true,
    CKA_PRIVATE: true,
    CKA_SENSITIVE: true,
    CKA_EXTRACTABLE: false,
    CKA_LOCAL: true,
    CKA_ALWAYS_SENSITIVE: true,
    CKA_NEVER_EXTRACTABLE: true,
    CKA_SIGN: true,
  },
  publicKey: { CKA_TOKEN: true, CKA_VERIFY: true },
};

type StationKeyPolicy = 'station' | 'station-connection';
type TokenReference = Extract<KeyReference, { kind: 'pkcs11' }>;

export interface MadeKey {
  readonly publicKey: PublicKey;
  readonly isNew: boolean;
  /** For people. */
  readonly place: string;
}

/** The key a reference names, made from its policy when there is none. Rejects as opening a key does, and with CU-12x. */
export async function ensureKey(
  reference: string,
  policy: StationKeyPolicy,
  pathOf: (path: string) => string,
  session: Session,
): Promise<MadeKey> {
  const parsed = parseKeyReference(reference, pathOf);
  if (parsed.kind === 'custody') throw usageError('a station keeps its keys itself: a file or a pkcs11: reference');
  if (parsed.kind === 'file') return ensureFile(parsed.path);
  return withToken(parsed, session, (token) => {
    const place = `token ${formatToken(token.identity)}, "${parsed.key.label ?? ''}"`;
    try {
      return { publicKey: findKey(token, parsed.key).publicKey, isNew: false, place };
    } catch (error) {
      if (!hasCode(error, 'CU-108')) throw error;
    }
    const { publicKey } = generateKey(token, { ...templateOf(parsed, policy), ...namedAs(parsed, policy) });
    return { publicKey, isNew: true, place };
  });
}

/** Ends a key for good; whether there was one. */
export async function destroyStationKey(
  reference: string,
  policy: StationKeyPolicy,
  pathOf: (path: string) => string,
  session: Session,
): Promise<boolean> {
  const parsed = parseKeyReference(reference, pathOf);
  if (parsed.kind === 'custody') throw usageError('custody destroys no keys');
  if (parsed.kind === 'file') {
    const isThere = existsSync(parsed.path);
    rmSync(parsed.path, { force: true });
    return isThere;
  }
  const { label, id } = namedAs(parsed, policy);
  return withToken(parsed, session, (token) => destroyKey(token, { label, id: Buffer.from(id, 'hex') }) > 0);
}

function ensureFile(path: string): MadeKey {
  if (existsSync(path)) return { publicKey: loadSoftwareKey(path).publicKey, isNew: false, place: path };
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const key = generateSoftwareKey('ecdsa-sha2-nistp256');
  saveSoftwareKey(path, key);
  return { publicKey: key.publicKey, isNew: true, place: path };
}

/** A TPM decides about most attributes by itself and refuses to be told; what matters is asked for and read back. */
function templateOf({ modulePath }: TokenReference, policy: StationKeyPolicy): KeyPolicy {
  const own = keyPolicy(policy);
  return basename(modulePath).startsWith(TPM_MODULE) ? { ...own, ...ON_TPM } : own;
}

/** A reference may give a key another name than its policy does; a key without a label cannot be made. */
function namedAs({ key }: TokenReference, policy: StationKeyPolicy): { readonly label: string; readonly id: string } {
  if (key.label === undefined) throw new CliError('ERR_CLI_CONFIG', 'a key to be made needs object= in its reference');
  return { label: key.label, id: key.id === undefined ? keyPolicy(policy).id : encodeHex(key.id) };
}

async function withToken<T>(
  { modulePath, token: ref, pin }: TokenReference,
  session: Session,
  work: (token: Pkcs11Token) => T,
): Promise<T> {
  const module = await openPkcs11Module(modulePath);
  try {
    const source =
      pin === null ? promptForPin(session) : 'file' in pin ? pinFromFile(pin.file) : pinFromDescriptor(pin.descriptor);
    const token = await openToken(module, ref, { pin: source, sessions: 1, readWrite: true });
    try {
      return work(token);
    } finally {
      token.close();
    }
  } finally {
    module.close();
  }
}
