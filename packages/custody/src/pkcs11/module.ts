// SPDX-License-Identifier: Apache-2.0
/** A PKCS#11 module in this process, and the tokens it can see. Adapter of `pkcs11js`, which is loaded at first use. */
import { existsSync, realpathSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { RefusedError } from '@witnessmark/core';
import { formatToken, isToken, type TokenIdentity, type TokenRef } from '../token-identity.ts';
import {
  CKF_OS_LOCKING_OK,
  CKF_REMOVABLE_DEVICE,
  CKF_TOKEN_INITIALIZED,
  CKR_CRYPTOKI_ALREADY_INITIALIZED,
  CKR_CRYPTOKI_NOT_INITIALIZED,
  CKR_TOKEN_NOT_PRESENT,
  CKR_TOKEN_NOT_RECOGNIZED,
  type Cryptoki,
  type Handle,
} from './cryptoki.ts';
import { returnValueOf, toRefusal } from './refusal.ts';
import type { PKCS11 } from 'pkcs11js';

/**
 * When several processes start SoftHSM 2.6.1 at one moment, some see too few tokens, or one that cannot be read. Nothing
 * else is ever retried, and nothing at all once a token is in use.
 */
const SOFTHSM_RACE = { manufacturer: 'SoftHSM', maxTries: 6, pauseMs: 25 };
/** Not there, another one in its place, or not readable. */
const RACE_CODES: ReadonlySet<string> = new Set(['CU-102', 'CU-104', 'CU-111']);
const MAX_TOKENS_NAMED = 4;

export interface FoundToken {
  readonly slot: Handle;
  readonly identity: TokenIdentity;
  readonly flags: number;
  readonly maxSessions: number;
  readonly isRemovable: boolean;
}

/** A library has one state in a process: whoever opens it shares it, and the last one to close it ends it. */
const SHARED = new Map<string, Pkcs11Module>();

/** Loads and initialises a module. Throws CU-101 when it, or `pkcs11js`, is not there; CU-111 when it does not start. */
export async function openPkcs11Module(path: string): Promise<Pkcs11Module> {
  if (!existsSync(path)) throw new RefusedError('CU-101', `the PKCS#11 module ${path} does not exist`);
  const cryptoki = await makeCryptoki();
  const library = realpathSync(path);
  const shared = SHARED.get(library);
  if (shared !== undefined) return shared.share();
  loadLibrary(cryptoki, path);
  const module = new Pkcs11Module(cryptoki, path, () => SHARED.delete(library));
  module.initialize();
  SHARED.set(library, module);
  return module;
}

export class Pkcs11Module {
  readonly cryptoki: Cryptoki;
  readonly path: string;
  readonly #inUse = new Set<object>();
  readonly #onEnd: () => void;
  #users = 1;
  /** Known from the first time it was asked. */
  #isRestartable: boolean | null = null;

  constructor(cryptoki: Cryptoki, path: string, onEnd: () => void = () => undefined) {
    this.cryptoki = cryptoki;
    this.path = path;
    this.#onEnd = onEnd;
  }

  /** One more user, who closes it as well. */
  share(): this {
    this.#users += 1;
    return this;
  }

  initialize(): void {
    try {
      // Without it, sessions used from several threads hang now and then.
      this.cryptoki.C_Initialize({ flags: CKF_OS_LOCKING_OK });
    } catch (error) {
      if (returnValueOf(error) === CKR_CRYPTOKI_ALREADY_INITIALIZED) return;
      throw toRefusal(error, `starting ${this.path}`);
    }
  }

  /** Begins the use of a token, for which `open` finds it and takes a session; retried for the SoftHSM race only. */
  async use<T extends object>(open: () => T): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      try {
        const token = open();
        this.#inUse.add(token);
        return token;
      } catch (error) {
        if (tries === SOFTHSM_RACE.maxTries || !(error instanceof RefusedError) || !RACE_CODES.has(error.code))
          throw error;
        await pause(SOFTHSM_RACE.pauseMs);
        if (this.#inUse.size > 0 || !this.#isSoftHsm()) throw error;
        this.#restart();
      }
    }
  }

  /** Ends the use of a token. */
  release(token: object): void {
    this.#inUse.delete(token);
  }

  /** The initialised tokens that are present now. */
  tokens(): FoundToken[] {
    return this.#readSlots().filter(({ flags }) => (flags & CKF_TOKEN_INITIALIZED) !== 0);
  }

  /** Slots whose token nobody has initialised; label and, with some modules, serial are empty. */
  emptySlots(): FoundToken[] {
    return this.#readSlots().filter(({ flags }) => (flags & CKF_TOKEN_INITIALIZED) === 0);
  }

  /** Finds a token by label and serial. Throws CU-104 when another one is in its place, CU-102 when there is none. */
  findToken(ref: TokenRef): FoundToken {
    const tokens = this.tokens();
    const matches = tokens.filter((token) => isToken(ref, token.identity));
    if (matches.length === 1) return matches[0] as FoundToken;
    const found = tokens.slice(0, MAX_TOKENS_NAMED).map((token) => formatToken(token.identity));
    const message = `expected token ${formatToken(ref)}, found ${found.length === 0 ? 'none' : found.join(', ')}`;
    if (matches.length > 1) throw new RefusedError('CU-104', `${message}: two tokens have this name`);
    const isReplaced = tokens.some(
      ({ identity, isRemovable }) => isRemovable || identity.label === ref.label || identity.serial === ref.serial,
    );
    throw new RefusedError(isReplaced ? 'CU-104' : 'CU-102', message);
  }

  /** With the last user the module ends in this process; every token of it is closed by that. */
  close(): void {
    this.#users -= 1;
    if (this.#users !== 0) return;
    this.#onEnd();
    this.#finalize();
  }

  #readSlots(): FoundToken[] {
    let slots: Handle[];
    try {
      slots = this.cryptoki.C_GetSlotList(true);
    } catch (error) {
      throw toRefusal(error, `looking for tokens with ${this.path}`);
    }
    return slots.map((slot) => this.#readToken(slot)).filter((token) => token !== null);
  }

  #isSoftHsm(): boolean {
    this.#isRestartable ??= this.cryptoki.C_GetInfo().manufacturerID.startsWith(SOFTHSM_RACE.manufacturer);
    return this.#isRestartable;
  }

  /** A start may fail while the folder of the tokens is away; then the next one begins with nothing to end. */
  #restart(): void {
    this.#finalize();
    this.initialize();
  }

  #finalize(): void {
    try {
      this.cryptoki.C_Finalize();
    } catch (error) {
      if (returnValueOf(error) !== CKR_CRYPTOKI_NOT_INITIALIZED) throw toRefusal(error, `ending ${this.path}`);
    }
  }

  #readToken(slot: Handle): FoundToken | null {
    try {
      const token = this.cryptoki.C_GetTokenInfo(slot);
      const info = this.cryptoki.C_GetSlotInfo(slot);
      return {
        slot,
        identity: {
          label: unpad(token.label),
          serial: unpad(token.serialNumber),
          manufacturer: unpad(token.manufacturerID),
          model: unpad(token.model),
          firmware: `${token.firmwareVersion.major}.${token.firmwareVersion.minor}`,
          slot: unpad(info.slotDescription),
        },
        flags: token.flags,
        maxSessions: token.maxSessionCount,
        isRemovable: (info.flags & CKF_REMOVABLE_DEVICE) !== 0,
      };
    } catch (error) {
      const value = returnValueOf(error);
      // Pulled between the two calls, or not a card this module knows.
      if (value === CKR_TOKEN_NOT_PRESENT || value === CKR_TOKEN_NOT_RECOGNIZED) return null;
      throw toRefusal(error, `reading a token with ${this.path}`);
    }
  }
}

async function makeCryptoki(): Promise<PKCS11> {
  const { PKCS11 } = await loadBinding();
  return new PKCS11();
}

function loadLibrary(cryptoki: PKCS11, path: string): void {
  try {
    cryptoki.load(path);
  } catch (cause) {
    throw new RefusedError('CU-101', `${path} cannot be loaded as a PKCS#11 module`, { cause });
  }
}

async function loadBinding(): Promise<{ readonly PKCS11: typeof PKCS11 }> {
  try {
    return (await import('pkcs11js')).default;
  } catch (cause) {
    throw new RefusedError('CU-101', 'the optional package pkcs11js is not installed', { cause });
  }
}

function unpad(text: string): string {
  return text.replace(/[\0 ]+$/, '');
}
