// SPDX-License-Identifier: Apache-2.0
/**
 * The private key of a TLS connection as Node takes it: bytes of a file, or a key that stays in its token and is reached
 * through OpenSSL's engine for PKCS#11 (libp11). Engines are configured by the environment of the process, so that all
 * connections of one process take their keys from one module.
 */
import { existsSync } from 'node:fs';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { encodeHex, type Bytes } from '@witnessmark/core';
import { EnrolmentError } from '../error.ts';

const ENGINE = 'pkcs11';
/** Where Debian's libengine-pkcs11-openssl puts it, on the two architectures we run on. */
const ENGINE_FOLDERS = ['/usr/lib/x86_64-linux-gnu/engines-3', '/usr/lib/aarch64-linux-gnu/engines-3'];
/** Read by the engine itself (libp11, README). */
const MODULE_VARIABLE = 'PKCS11_MODULE_PATH';
const ENGINES_VARIABLE = 'OPENSSL_ENGINES';
// eslint-disable-next-line no-restricted-syntax -- OpenSSL and its engine take their configuration from nowhere else
const ENGINE_CONFIGURATION = { environment: process.env };

export type ConnectionKey =
  /** PKCS#8 in PEM. */
  | { readonly kind: 'file'; readonly pem: Bytes }
  | {
      readonly kind: 'token';
      readonly modulePath: string;
      readonly token: { readonly label: string; readonly serial: string };
      readonly key: { readonly label?: string; readonly id?: Bytes };
      readonly pin: string;
    };

/**
 * Opens the key once: a context that was made needs the PIN no second time, so that a wrong one is sent once only. Throws
 * `ERR_ENROLMENT_TLS`.
 */
export function openSecureContext(key: ConnectionKey, options: SecureContextOptions): SecureContext {
  try {
    return createSecureContext({ minVersion: 'TLSv1.3', ...options, ...connectionKeyOptions(key) });
  } catch (cause) {
    if (cause instanceof EnrolmentError) throw cause;
    // OpenSSL's reason names no secret; its message may hold the identifier of the key, and the PIN with it.
    const reason = cause instanceof Error && 'reason' in cause ? String(cause.reason) : 'no reason given';
    throw new EnrolmentError('ERR_ENROLMENT_TLS', `the key of the connection cannot be used: ${reason}`);
  }
}

export function isEngineInstalled(): boolean {
  return engineFolder() !== undefined;
}

/** As the options of a server or a secure context name a key. Throws `ERR_ENROLMENT_TLS`. */
export function connectionKeyOptions(key: ConnectionKey): SecureContextOptions {
  if (key.kind === 'file') return { key: Buffer.from(key.pem) };
  nameModule(key.modulePath);
  const options = [
    ['privateKeyEngine', ENGINE],
    ['privateKeyIdentifier', toIdentifier(key)],
  ];
  // Node has no other way to a key outside its memory; the members are deprecated with OpenSSL's engines (DEP0183).
  return Object.fromEntries(options) as SecureContextOptions;
}

/** One module for each process: the engine reads it once. */
function nameModule(modulePath: string): void {
  const folder = engineFolder();
  if (folder === undefined) {
    throw new EnrolmentError(
      'ERR_ENROLMENT_TLS',
      'OpenSSL has no engine for PKCS#11; install libengine-pkcs11-openssl',
    );
  }
  const { environment } = ENGINE_CONFIGURATION;
  const named = environment[MODULE_VARIABLE];
  if (named !== undefined && named !== modulePath) {
    throw new EnrolmentError('ERR_ENROLMENT_TLS', `this process takes keys of connections from ${named} already`);
  }
  environment[ENGINES_VARIABLE] ??= folder;
  environment[MODULE_VARIABLE] = modulePath;
}

function engineFolder(): string | undefined {
  const named = ENGINE_CONFIGURATION.environment[ENGINES_VARIABLE];
  const folders = named === undefined ? ENGINE_FOLDERS : [named];
  return folders.find((folder) => existsSync(`${folder}/${ENGINE}.so`));
}

/** RFC 7512, in the form libp11 reads. */
function toIdentifier({ token, key, pin }: Extract<ConnectionKey, { kind: 'token' }>): string {
  const parts = [`token=${encodeURIComponent(token.label)}`, `serial=${encodeURIComponent(token.serial)}`];
  if (key.label !== undefined) parts.push(`object=${encodeURIComponent(key.label)}`);
  if (key.id !== undefined) parts.push(`id=${encodeHex(key.id).replaceAll(/../g, '%$&')}`);
  return `pkcs11:${[...parts, 'type=private'].join(';')}?pin-value=${encodeURIComponent(pin)}`;
}
