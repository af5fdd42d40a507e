// SPDX-License-Identifier: Apache-2.0
/**
 * One token, logged in, with a bounded set of sessions. A PIN is asked for once per login, after the token has been
 * recognised, and a wrong one is never sent again.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { RefusedError } from '@witnessmark/core';
import { checkPin, type PinSource, type PinTries } from '../pin.ts';
import { formatToken, isToken, type TokenIdentity, type TokenRef } from '../token-identity.ts';
import {
  CKF_LOGIN_REQUIRED,
  CKF_PROTECTED_AUTHENTICATION_PATH,
  CKF_RW_SESSION,
  CKF_SERIAL_SESSION,
  CKF_USER_PIN_COUNT_LOW,
  CKF_USER_PIN_FINAL_TRY,
  CKF_USER_PIN_LOCKED,
  CKR_SESSION_COUNT,
  CKR_USER_ALREADY_LOGGED_IN,
  CKU_USER,
  type Cryptoki,
  type Handle,
} from './cryptoki.ts';
import { returnValueOf, toRefusal } from './refusal.ts';
import { SignThread } from './sign-thread.ts';
import type { OpenTokenOptions, SigningMode } from './token-options.ts';
import type { FoundToken, Pkcs11Module } from './module.ts';

const DEFAULTS = { sessions: 4, signTimeoutMs: 30_000, waitingAfterMs: 400, removalNoticeMs: 1_000 };
const REMOVAL_POLL_MS = 50;
const NOBODY_LISTENS = (): void => undefined;

/** Recognises the token, then logs in. Throws CU-102 to CU-107, CU-111 or CU-112. */
export async function openToken(
  module: Pkcs11Module,
  expected: TokenRef,
  options: OpenTokenOptions,
): Promise<Pkcs11Token> {
  const token = await module.use(() => new Pkcs11Token(module, module.findToken(expected), expected, options));
  try {
    await token.login();
    token.openSessions();
    if (options.signApart === true && token.signing === 'blocking') token.openSignThread();
    return token;
  } catch (error) {
    token.close();
    throw error;
  }
}

export class Pkcs11Token {
  readonly identity: TokenIdentity;
  readonly expected: TokenRef;
  readonly signing: SigningMode;
  readonly signTimeoutMs: number;
  readonly waitingAfterMs: number;
  readonly onWaiting: (token: TokenIdentity, keyLabel: string) => void;
  readonly #module: Pkcs11Module;
  readonly #slot: Handle;
  readonly #pin: PinSource;
  readonly #maxSessions: number;
  readonly #sessionFlags: number;
  readonly #removalNoticeMs: number;
  readonly #first: Handle;
  readonly #idle: Handle[] = [];
  readonly #waiting: PromiseWithResolvers<Handle>[] = [];
  readonly #sessions: Handle[] = [];
  #signThread: SignThread | null = null;
  #lost: RefusedError | null = null;
  #pinRefused: RefusedError | null = null;

  constructor(module: Pkcs11Module, found: FoundToken, expected: TokenRef, options: OpenTokenOptions) {
    this.identity = found.identity;
    this.expected = expected;
    this.signing = options.signing ?? 'threads';
    this.signTimeoutMs = options.signTimeoutMs ?? DEFAULTS.signTimeoutMs;
    this.waitingAfterMs = options.waitingAfterMs ?? DEFAULTS.waitingAfterMs;
    this.onWaiting = options.onWaiting ?? NOBODY_LISTENS;
    this.#module = module;
    this.#slot = found.slot;
    this.#pin = options.pin;
    this.#maxSessions = options.sessions ?? DEFAULTS.sessions;
    this.#removalNoticeMs = found.isRemovable ? (options.removalNoticeMs ?? DEFAULTS.removalNoticeMs) : 0;
    this.#sessionFlags = CKF_SERIAL_SESSION | (options.readWrite === true ? CKF_RW_SESSION : 0);
    this.#first = this.#call('opening a session', (cryptoki) => cryptoki.C_OpenSession(this.#slot, this.#sessionFlags));
    this.#idle.push(this.#first);
    this.#sessions.push(this.#first);
  }

  get cryptoki(): Cryptoki {
    return this.#module.cryptoki;
  }

  /** The numbers of the mechanisms it offers (CKM_…). */
  mechanisms(): ReadonlySet<number> {
    return new Set(this.#call('reading the mechanisms', (cryptoki) => cryptoki.C_GetMechanismList(this.#slot)));
  }

  /** How many signatures the token makes at the same time. */
  get sessionCount(): number {
    return this.#sessions.length;
  }

  async login(): Promise<void> {
    if ((this.#tokenInfo().flags & CKF_LOGIN_REQUIRED) === 0) return;
    const pin = await this.askPin('login', null);
    this.sendPin(this.#first, CKU_USER, pin);
  }

  /** Opens the other sessions; a token that allows fewer than asked for is used with fewer. */
  openSessions(): void {
    while (this.#sessions.length < this.#maxSessions) {
      try {
        const session = this.cryptoki.C_OpenSession(this.#slot, this.#sessionFlags);
        this.#sessions.push(session);
        this.#idle.push(session);
      } catch (error) {
        if (returnValueOf(error) === CKR_SESSION_COUNT) return;
        throw toRefusal(error, this.#doing('opening a session'));
      }
    }
  }

  /** Without a session left for it, signatures go on being made in this thread. */
  openSignThread(): void {
    if (this.countSessions(this.#sessions.length + 1) === this.#sessions.length) return;
    const session = this.#call('opening a session', (cryptoki) =>
      cryptoki.C_OpenSession(this.#slot, this.#sessionFlags),
    );
    this.#sessions.push(session);
    this.#signThread = new SignThread({ library: this.#module.path, session: Uint8Array.from(session) });
  }

  /** Makes signatures that need no PIN of their own; null where they are made in this thread. */
  get signThread(): SignThread | null {
    return this.#signThread;
  }

  /** Asks for a PIN, unless the token is locked or has refused one from the same source. Throws CU-105, CU-106 or CU-112. */
  async askPin(purpose: 'login' | 'signature', keyLabel: string | null): Promise<string | undefined> {
    if (this.#pinRefused !== null) throw this.#pinRefused;
    const { flags } = this.#tokenInfo();
    if ((flags & CKF_USER_PIN_LOCKED) !== 0) {
      throw new RefusedError(
        'CU-106',
        `the PIN of token ${formatToken(this.identity)} is locked; no PIN was asked for`,
      );
    }
    // The token, or its reader, has keys of its own.
    if ((flags & CKF_PROTECTED_AUTHENTICATION_PATH) !== 0) return undefined;
    const { expected, identity: found } = this;
    const pin = await this.#pin({ expected, found, purpose, keyLabel, tries: triesOf(flags) });
    return checkPin(pin, 'the answer to the PIN prompt');
  }

  /** Sends a PIN once. Throws CU-105 with what the token says about the tries left, or CU-106. */
  sendPin(session: Handle, user: number, pin: string | undefined): void {
    try {
      this.cryptoki.C_Login(session, user, pin);
    } catch (error) {
      if (returnValueOf(error) === CKR_USER_ALREADY_LOGGED_IN) return;
      throw this.#afterRefusedPin(toRefusal(error, this.#doing('logging in')));
    }
  }

  /** How many sessions the token takes, its own included, up to `max`; the further ones are closed again. */
  countSessions(max: number): number {
    const further: Handle[] = [];
    try {
      while (this.#sessions.length + further.length < max) {
        further.push(this.cryptoki.C_OpenSession(this.#slot, this.#sessionFlags));
      }
    } catch (error) {
      if (returnValueOf(error) !== CKR_SESSION_COUNT) throw toRefusal(error, this.#doing('opening a session'));
    } finally {
      for (const session of further) this.cryptoki.C_CloseSession(session);
    }
    return this.#sessions.length + further.length;
  }

  /** Runs `work` with a session of its own; waits while all are in use. */
  async withSession<T>(work: (session: Handle) => Promise<T>): Promise<T> {
    if (this.#lost !== null) throw this.#lost;
    const session = this.#idle.pop() ?? (await this.#nextSession());
    try {
      return await work(session);
    } finally {
      this.#giveBack(session);
    }
  }

  /** For reading and making keys, while nothing else uses the token. */
  get session(): Handle {
    if (this.#lost !== null) throw this.#lost;
    return this.#first;
  }

  /**
   * Names what ended a signature. A card that is pulled looks like a fault until its reader has noticed; either way it
   * is not known whether it signed, so the token is lost.
   */
  async explain(refusal: RefusedError): Promise<RefusedError> {
    if (refusal.code === 'CU-103') return this.lose(refusal);
    if (refusal.code !== 'CU-111') return refusal;
    for (let waited = 0; waited < this.#removalNoticeMs; waited += REMOVAL_POLL_MS) {
      if (!this.#isPresent()) return this.lose(new RefusedError('CU-103', refusal.message, { cause: refusal.cause }));
      await pause(REMOVAL_POLL_MS);
    }
    return this.lose(refusal);
  }

  /** Why the token can no longer be used; null while it can. */
  get lost(): RefusedError | null {
    return this.#lost;
  }

  /** After this every use is refused with `reason`: the state of token and sessions is unknown. */
  lose(reason: RefusedError): RefusedError {
    // A call that never came back may still be under way in the module, which must not be ended then.
    if (this.#lost === null && reason.code !== 'CU-110') this.#module.release(this);
    this.#lost ??= reason;
    this.#signThread?.close();
    for (const waiting of this.#waiting.splice(0)) waiting.reject(this.#lost);
    return reason;
  }

  /** Ends the sessions and the login. A token that was lost is left alone: its module may still be busy with it. */
  close(): void {
    if (this.#lost !== null) return;
    this.#lost = new RefusedError('CU-102', `token ${formatToken(this.identity)} was closed`);
    this.#signThread?.close();
    // Not all sessions of the slot: others of this process may use the token as well.
    for (const session of this.#sessions) {
      try {
        this.cryptoki.C_CloseSession(session);
      } catch {
        // The token is gone, and its sessions with it.
      }
    }
    this.#module.release(this);
  }

  #isPresent(): boolean {
    return this.#module.tokens().some(({ identity }) => isToken(this.identity, identity));
  }

  #nextSession(): Promise<Handle> {
    const waiting = Promise.withResolvers<Handle>();
    this.#waiting.push(waiting);
    return waiting.promise;
  }

  #giveBack(session: Handle): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#idle.push(session);
    else waiting.resolve(session);
  }

  #afterRefusedPin(refusal: RefusedError): RefusedError {
    if (refusal.code !== 'CU-105' && refusal.code !== 'CU-106') return refusal;
    const tries = this.#triesAfterwards();
    const code = tries === 'none' ? 'CU-106' : refusal.code;
    this.#pinRefused = new RefusedError(code, `${refusal.message}; ${TRIES_TEXT[tries]}`, { cause: refusal.cause });
    return this.#pinRefused;
  }

  #triesAfterwards(): PinTries {
    try {
      return triesOf(this.#tokenInfo().flags);
    } catch {
      return 'unknown';
    }
  }

  #tokenInfo(): { flags: number } {
    return this.#call('reading the token', (cryptoki) => cryptoki.C_GetTokenInfo(this.#slot));
  }

  #call<T>(what: string, work: (cryptoki: Cryptoki) => T): T {
    try {
      return work(this.#module.cryptoki);
    } catch (error) {
      throw toRefusal(error, this.#doing(what));
    }
  }

  #doing(what: string): string {
    return `${what} of token ${formatToken(this.identity)}`;
  }
}

const TRIES_TEXT: Readonly<Record<PinTries, string>> = {
  unknown: 'the token does not say how many tries are left',
  fewerThanAll: 'fewer tries than at the start are left',
  last: 'one try is left',
  none: 'no try is left',
};

function triesOf(flags: number): PinTries {
  if ((flags & CKF_USER_PIN_LOCKED) !== 0) return 'none';
  if ((flags & CKF_USER_PIN_FINAL_TRY) !== 0) return 'last';
  return (flags & CKF_USER_PIN_COUNT_LOW) !== 0 ? 'fewerThanAll' : 'unknown';
}
