// SPDX-License-Identifier: Apache-2.0
/**
 * Keys in PKCS#8 files, for development and trials. They can be copied, so every record made with one is marked and
 * production policies refuse it.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { closeSync, fsyncSync, openSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parsePublicKey, type Bytes, type PublicKey, type SignatureScheme } from '@witnessmark/core';
import { CustodyError } from './error.ts';
import { readKeyFile } from './key-file.ts';
import type { Signer } from './signer.ts';

export class SoftwareKey implements Signer {
  readonly publicKey: PublicKey;
  readonly custody = 'software';
  readonly #privateKey: KeyObject;

  constructor(privateKey: KeyObject) {
    this.publicKey = parsePublicKey(createPublicKey(privateKey).export({ type: 'spki', format: 'der' }));
    this.#privateKey = privateKey;
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- the contract is asynchronous because tokens are
  async sign(message: Bytes): Promise<Bytes> {
    return this.signNow(message);
  }

  /** For libraries that want a synchronous callback; only software keys can. */
  signNow(message: Bytes): Bytes {
    const digest = this.publicKey.scheme === 'ed25519' ? null : 'sha256';
    return Uint8Array.from(sign(digest, message, this.#privateKey));
  }

  exportPem(): string {
    return this.#privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  }
}

export function generateSoftwareKey(scheme: SignatureScheme): SoftwareKey {
  const pair =
    scheme === 'ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return new SoftwareKey(pair.privateKey);
}

/** Writes a new key file, mode 0600, durably; never overwrites. Throws `ERR_CUSTODY_KEY_EXISTS`. */
export function saveSoftwareKey(path: string, key: SoftwareKey): void {
  const file = openNew(path);
  try {
    writeFileSync(file, key.exportPem());
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  syncDirectory(dirname(path));
}

/** Reads a key file; throws `ERR_CUSTODY_KEY_FILE`, or `ERR_CUSTODY_KEY_MODE` when others may read it. */
export function loadSoftwareKey(path: string): SoftwareKey {
  const pem = readKeyFile(path);
  try {
    return new SoftwareKey(createPrivateKey(pem));
  } catch (cause) {
    throw new CustodyError('ERR_CUSTODY_KEY_FILE', `${path} is not a readable private key`, { cause });
  }
}

/** The name of a new file is durable only when its directory is. */
function syncDirectory(path: string): void {
  const directory = openSync(path, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

function openNew(path: string): number {
  try {
    return openSync(path, 'wx', 0o600);
  } catch (cause) {
    throw new CustodyError('ERR_CUSTODY_KEY_EXISTS', `${path} cannot be created; a key file is never overwritten`, {
      cause,
    });
  }
}
