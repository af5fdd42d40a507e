// SPDX-License-Identifier: Apache-2.0
/**
 * A token that may go away and come back: pulled and inserted, an HSM that restarts, a network between. What was under way
 * is refused, since nobody knows whether it was signed; what is asked afterwards opens the token anew, with all checks of a
 * first opening, and only the same key counts as being back.
 */
import { RefusedError, type Bytes, type Clock, type PublicKey, type ReasonCode } from '@witnessmark/core';
import { findKey, type KeyRef, type Pkcs11Key } from './key.ts';
import type { Signer } from '../signer.ts';
import type { Pkcs11Token } from './token.ts';

/** After these the handles in memory are worth nothing. */
const GONE_CODES: ReadonlySet<ReasonCode> = new Set(['CU-102', 'CU-103', 'CU-108', 'CU-110', 'CU-111']);
/** A refused PIN is never sent again, so trying often costs only time. */
const PAUSE_MS = 500;

/** Opens the token, logs in, and checks what has to hold for its keys. */
export type TokenOpener = () => Promise<Pkcs11Token>;

export class LastingToken {
  readonly #open: TokenOpener;
  readonly #clock: Pick<Clock, 'monotonic'>;
  #token: Pkcs11Token;
  #reopening: Promise<Pkcs11Token> | null = null;
  #triedAt = -Infinity;
  #isClosed = false;

  /** Rejects as `open` does: at the start a token has to be there. */
  static async open(open: TokenOpener, clock: Pick<Clock, 'monotonic'>): Promise<LastingToken> {
    return new LastingToken(open, clock, await open());
  }

  private constructor(open: TokenOpener, clock: Pick<Clock, 'monotonic'>, token: Pkcs11Token) {
    this.#open = open;
    this.#clock = clock;
    this.#token = token;
  }

  /** Throws CU-108, CU-109 or CU-113. */
  key(ref: KeyRef): LastingKey {
    return new LastingKey(this, ref, findKey(this.#token, ref));
  }

  /** The token as it is open now. Rejects with why it is gone, or why it cannot be opened again. */
  async current(): Promise<Pkcs11Token> {
    const { lost } = this.#token;
    if (lost === null) return this.#token;
    if (this.#isClosed) throw lost;
    if (this.#reopening === null) {
      const now = this.#clock.monotonic();
      if (now - this.#triedAt < PAUSE_MS) throw lost;
      this.#triedAt = now;
      this.#reopening = this.#reopen().finally(() => {
        this.#reopening = null;
      });
    }
    return this.#reopening;
  }

  close(): void {
    this.#isClosed = true;
    this.#token.close();
  }

  async #reopen(): Promise<Pkcs11Token> {
    const token = await this.#open();
    if (this.#isClosed) token.close();
    this.#token = token;
    return token;
  }
}

/** A key of a lasting token. */
export class LastingKey implements Signer {
  readonly publicKey: PublicKey;
  readonly custody = 'hardware';
  readonly #token: LastingToken;
  readonly #ref: KeyRef;
  #key: Pkcs11Key;

  constructor(token: LastingToken, ref: KeyRef, key: Pkcs11Key) {
    this.publicKey = key.publicKey;
    this.#token = token;
    this.#ref = ref;
    this.#key = key;
  }

  /** Rejects as the key does; with CU-205 when the token came back with another key. */
  async sign(message: Bytes): Promise<Bytes> {
    const token = await this.#token.current();
    if (this.#key.token !== token) this.#key = this.#findAgain(token);
    try {
      return await this.#key.sign(message);
    } catch (error) {
      if (isTokenGone(error)) token.lose(error);
      throw error;
    }
  }

  #findAgain(token: Pkcs11Token): Pkcs11Key {
    const key = findKey(token, this.#ref);
    if (key.publicKey.keyid === this.publicKey.keyid) return key;
    const message = `expected key ${this.publicKey.keyid}, found ${key.publicKey.keyid} under its name`;
    throw new RefusedError('CU-205', message);
  }
}

/** Whether an error says that the handles of a token are worth nothing any more. */
export function isTokenGone(error: unknown): error is RefusedError {
  return error instanceof RefusedError && GONE_CODES.has(error.code);
}
