// SPDX-License-Identifier: Apache-2.0
/**
 * A token in memory that speaks the part of PKCS#11 used here, with real keys. It has what SoftHSM has not: a PIN that
 * locks, a session limit, a reader it can be pulled from, a touch contact, and faults on demand.
 */
import { createECDH, generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { Cryptoki, Handle } from '../../src/pkcs11/cryptoki.ts';
import * as ck from '../../src/pkcs11/cryptoki.ts';
import { signDigest } from './sign-digest.ts';

const TOKEN_FLAGS = ck.CKF_TOKEN_INITIALIZED | ck.CKF_LOGIN_REQUIRED;
const SLOT = Buffer.from([1]);

export interface FakeTokenOptions {
  readonly label?: string;
  readonly serial?: string;
  readonly pin?: string;
  readonly maxSessions?: number;
  readonly alwaysAuthenticate?: boolean;
  readonly manufacturer?: string;
  /** How many starts show no token (the SoftHSM race). */
  readonly racedStarts?: number;
  /** Whether every start finds the module started already. */
  readonly isStarted?: boolean;
  readonly keys?: number;
  /** Whether nobody has initialised it. */
  readonly isBlank?: boolean;
}

export class FakeToken {
  readonly pin: string;
  readonly logins: { user: number; pin: string | undefined }[] = [];
  tries = 3;
  isPresent = true;
  starts = 0;
  flags: number[] = [];
  /** The CKR name and value of the next C_Sign, or a signature that waits until `release` is called. */
  fault: { name: string; value: number } | 'wait' | 'wrongKey' | null = null;
  readonly released = Promise.withResolvers<undefined>();
  sessions = 0;
  signatures = 0;
  readonly #options: FakeTokenOptions;
  readonly #key: KeyObject;
  #isContextLoggedIn = false;

  constructor(options: FakeTokenOptions = {}) {
    this.#options = options;
    this.pin = options.pin ?? '123456';
    this.#key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  }

  get cryptoki(): Cryptoki {
    const fake = {
      C_Initialize: (options?: { flags?: number }) => {
        this.starts += 1;
        this.flags.push(options?.flags ?? 0);
        if (this.#options.isStarted === true) throw ckr('CKR_CRYPTOKI_ALREADY_INITIALIZED', 0x191);
      },
      C_Finalize: () => undefined,
      C_GetInfo: () => ({ manufacturerID: (this.#options.manufacturer ?? 'Fake').padEnd(32) }),
      C_GetSlotList: () => (this.isPresent && this.starts > (this.#options.racedStarts ?? 0) ? [SLOT] : []),
      C_GetSlotInfo: () => ({ slotDescription: 'Fake reader 00'.padEnd(64), flags: ck.CKF_REMOVABLE_DEVICE }),
      C_GetTokenInfo: () => this.#tokenInfo(),
      C_GetMechanismList: () => [ck.CKM_ECDSA],
      C_OpenSession: () => this.#openSession(),
      C_CloseSession: () => {
        this.sessions -= 1;
      },
      C_CloseAllSessions: () => {
        this.sessions = 0;
      },
      C_Login: (_session: Handle, user: number, pin?: string) => {
        this.#login(user, pin);
      },
      C_FindObjectsInit: (_session: Handle, template: { type: number; value: unknown }[]) => {
        this.#found = this.#search(template);
      },
      C_FindObjects: (_session: Handle, max: number) => this.#found.slice(0, max),
      C_FindObjectsFinal: () => undefined,
      C_GetAttributeValue: (_session: Handle, object: Handle, [wanted]: { type: number }[]) => [
        { type: wanted!.type, value: this.#attribute(object, wanted!.type) },
      ],
      C_SignInit: () => {
        this.#check();
        this.#isContextLoggedIn = false;
      },
      C_SignAsync: (_session: Handle, data: Buffer) => this.#sign(data),
    };
    return fake as unknown as Cryptoki;
  }

  #found: Handle[] = [];

  #search(template: { type: number; value: unknown }[]): Handle[] {
    this.#check();
    const kind = template.find(({ type }) => type === ck.CKA_CLASS)?.value as number;
    const label = template.find(({ type }) => type === ck.CKA_LABEL)?.value ?? 'sign';
    if (label !== 'sign') return [];
    return Array.from({ length: kind === ck.CKO_PRIVATE_KEY ? (this.#options.keys ?? 1) : 1 }, () =>
      Buffer.from([kind]),
    );
  }

  #attribute(object: Handle, type: number): Buffer {
    if (type === ck.CKA_ID) return Buffer.from([1]);
    if (type === ck.CKA_LABEL) return Buffer.from('sign');
    if (type === ck.CKA_KEY_TYPE) return Buffer.from([ck.CKK_EC, 0, 0, 0, 0, 0, 0, 0]);
    if (type === ck.CKA_ALWAYS_AUTHENTICATE) return Buffer.from([this.#options.alwaysAuthenticate === true ? 1 : 0]);
    if (type === ck.CKA_EC_POINT && object[0] === ck.CKO_PUBLIC_KEY) return this.#point();
    throw ckr('CKR_ATTRIBUTE_TYPE_INVALID', ck.CKR_ATTRIBUTE_TYPE_INVALID);
  }

  /** Without the OCTET STRING around it, as some modules do. */
  #point(): Buffer {
    const { x, y } = this.#key.export({ format: 'jwk' });
    return Buffer.concat([Buffer.from([4]), Buffer.from(x!, 'base64url'), Buffer.from(y!, 'base64url')]);
  }

  #tokenInfo(): object {
    this.#check();
    const low = this.tries < 3 ? ck.CKF_USER_PIN_COUNT_LOW : 0;
    const last = this.tries === 1 ? ck.CKF_USER_PIN_FINAL_TRY : 0;
    const locked = this.tries === 0 ? ck.CKF_USER_PIN_LOCKED : 0;
    return {
      label: (this.#options.label ?? 'officer-A').padEnd(32),
      serialNumber: (this.#options.serial ?? '0001').padEnd(16),
      manufacturerID: 'Fake'.padEnd(32),
      model: 'memory'.padEnd(16),
      firmwareVersion: { major: 1, minor: 0 },
      maxSessionCount: this.#options.maxSessions ?? 0,
      flags: (this.#options.isBlank === true ? 0 : TOKEN_FLAGS) | low | last | locked,
    };
  }

  #openSession(): Handle {
    this.#check();
    if (this.sessions >= (this.#options.maxSessions ?? 100)) throw ckr('CKR_SESSION_COUNT', ck.CKR_SESSION_COUNT);
    this.sessions += 1;
    return Buffer.from([this.sessions]);
  }

  #login(user: number, pin: string | undefined): void {
    this.#check();
    this.logins.push({ user, pin });
    if (this.tries === 0) throw ckr('CKR_PIN_LOCKED', ck.CKR_PIN_LOCKED);
    if (pin !== this.pin) {
      this.tries -= 1;
      throw ckr('CKR_PIN_INCORRECT', ck.CKR_PIN_INCORRECT);
    }
    this.tries = 3;
    if (user === ck.CKU_CONTEXT_SPECIFIC) this.#isContextLoggedIn = true;
  }

  async #sign(data: Buffer): Promise<Buffer> {
    this.#check();
    if (this.#options.alwaysAuthenticate === true && !this.#isContextLoggedIn) {
      throw ckr('CKR_USER_NOT_LOGGED_IN', ck.CKR_USER_NOT_LOGGED_IN);
    }
    if (this.fault === 'wait') await this.released.promise;
    else if (this.fault !== null && this.fault !== 'wrongKey') throw ckr(this.fault.name, this.fault.value);
    this.signatures += 1;
    const other = createECDH('prime256v1');
    other.generateKeys();
    const own = Buffer.from(this.#key.export({ format: 'jwk' }).d!, 'base64url');
    return signDigest(data, this.fault === 'wrongKey' ? other.getPrivateKey() : own);
  }

  #check(): void {
    if (!this.isPresent) throw ckr('CKR_DEVICE_REMOVED', ck.CKR_DEVICE_REMOVED);
  }
}

function ckr(name: string, value: number): Error {
  return Object.assign(new Error(name), { code: value });
}
