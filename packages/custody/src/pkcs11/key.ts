// SPDX-License-Identifier: Apache-2.0
/** A private key in a token, as a `Signer`: a handle, never the key. */
import { isSignedBy, RefusedError, sha256, type Bytes, type PublicKey } from '@witnessmark/core';
import { formatToken } from '../token-identity.ts';
import {
  CKA_ALWAYS_AUTHENTICATE,
  CKA_CLASS,
  CKA_EC_POINT,
  CKA_ID,
  CKA_KEY_TYPE,
  CKA_LABEL,
  CKK_EC,
  CKK_EC_EDWARDS,
  CKM_ECDSA,
  CKM_EDDSA,
  CKO_PRIVATE_KEY,
  CKO_PUBLIC_KEY,
  CKU_CONTEXT_SPECIFIC,
  type Handle,
} from './cryptoki.ts';
import { inTime } from './in-time.ts';
import { attributeValue, findObjects, toNumber } from './objects.ts';
import { toRefusal } from './refusal.ts';
import { publicKeyFromEcPoint, toDerSignature } from './signature.ts';
import type { Signer } from '../signer.ts';
import type { SignThread } from './sign-thread.ts';
import type { Pkcs11Token } from './token.ts';

const SIGNATURE_BYTES = 64;
const MAX_MATCHES = 2;

/** By label, by CKA_ID, or by both. */
export interface KeyRef {
  readonly label?: string;
  readonly id?: Bytes;
}

/** A private key's handle with what its token says about it, and the public key beside it. */
export interface FoundKeyPair extends Pick<Pkcs11Key, 'label' | 'alwaysAuthenticate' | 'publicKey'> {
  readonly handle: Handle;
}

/** Finds a private key and its public key. Throws CU-108 when one is missing, CU-109 when two fit, CU-113 for another algorithm. */
export function findKey(token: Pkcs11Token, ref: KeyRef): Pkcs11Key {
  const { handle, ...key } = findKeyPair(token, ref);
  return new Pkcs11Key(token, handle, key);
}

/** Throws as {@link findKey} does. */
export function findKeyPair(token: Pkcs11Token, ref: KeyRef): FoundKeyPair {
  const what = `key ${formatKeyRef(ref)} on token ${formatToken(token.identity)}`;
  const handles = findObjects(token, [{ type: CKA_CLASS, value: CKO_PRIVATE_KEY }, ...toTemplate(ref)], MAX_MATCHES);
  if (handles.length > 1) throw new RefusedError('CU-109', `${what}: two private keys fit`);
  const handle = handles[0];
  if (handle === undefined) throw new RefusedError('CU-108', `${what}: there is no such private key`);
  const label = attributeValue(token, handle, CKA_LABEL)?.toString('utf8') ?? '';
  const alwaysAuthenticate = attributeValue(token, handle, CKA_ALWAYS_AUTHENTICATE)?.[0] === 1;
  return { handle, label, alwaysAuthenticate, publicKey: readPublicKey(token, handle, what) };
}

export class Pkcs11Key implements Signer {
  readonly publicKey: PublicKey;
  readonly custody = 'hardware';
  readonly label: string;
  /** The token wants the PIN again for each signature (PIV slot 9C). */
  readonly alwaysAuthenticate: boolean;
  readonly token: Pkcs11Token;
  readonly #handle: Handle;
  #isPairProven = false;

  constructor(token: Pkcs11Token, handle: Handle, key: Pick<Pkcs11Key, 'label' | 'alwaysAuthenticate' | 'publicKey'>) {
    this.token = token;
    this.label = key.label;
    this.alwaysAuthenticate = key.alwaysAuthenticate;
    this.publicKey = key.publicKey;
    this.#handle = handle;
  }

  /** Rejects with a `RefusedError`: CU-103 to CU-114. After CU-103 and CU-110 the token has to be opened again. */
  async sign(message: Bytes): Promise<Bytes> {
    const pin = this.alwaysAuthenticate ? await this.token.askPin('signature', this.label) : undefined;
    const data = this.#toBeSigned(message);
    const thread = this.alwaysAuthenticate ? null : this.token.signThread;
    const raw = await (thread === null
      ? this.token.withSession((session) => this.#signIn(session, data, pin))
      : this.#signElsewhere(thread, data));
    const signature = this.publicKey.scheme === 'ed25519' ? raw : toDerSignature(raw);
    return this.#provePair(message, signature);
  }

  async #signIn(session: Handle, data: Bytes, pin: string | undefined): Promise<Bytes> {
    const { cryptoki } = this.token;
    try {
      cryptoki.C_SignInit(session, { mechanism: this.#mechanism }, this.#handle);
      if (this.alwaysAuthenticate) this.token.sendPin(session, CKU_CONTEXT_SPECIFIC, pin);
      const signature = Buffer.alloc(SIGNATURE_BYTES);
      return new Uint8Array(
        this.token.signing === 'blocking'
          ? cryptoki.C_Sign(session, Buffer.from(data), signature)
          : await inTime(this.token, this.label, {
              work: cryptoki.C_SignAsync(session, Buffer.from(data), signature),
              late: `${this.#name()} did not sign`,
            }),
      );
    } catch (error) {
      throw await this.token.explain(toRefusal(error, `signing with ${this.#name()}`));
    }
  }

  async #signElsewhere(thread: SignThread, data: Bytes): Promise<Bytes> {
    const { lost } = this.token;
    if (lost !== null) throw lost;
    try {
      return await thread.sign({
        mechanism: this.#mechanism,
        key: this.#handle,
        data,
        signatureBytes: SIGNATURE_BYTES,
      });
    } catch (error) {
      throw await this.token.explain(toRefusal(error, `signing with ${this.#name()}`));
    }
  }

  get #mechanism(): number {
    return this.publicKey.scheme === 'ed25519' ? CKM_EDDSA : CKM_ECDSA;
  }

  /** A public key beside a private key of another pair would go unnoticed until somebody verifies. */
  #provePair(message: Bytes, signature: Bytes): Bytes {
    if (!this.#isPairProven) {
      if (!isSignedBy(this.publicKey, message, signature)) {
        throw new RefusedError('CU-111', `${this.#name()} made a signature that its public key does not verify`);
      }
      this.#isPairProven = true;
    }
    return signature;
  }

  #toBeSigned(message: Bytes): Bytes {
    return this.publicKey.scheme === 'ed25519' ? message : sha256(message);
  }

  #name(): string {
    return `key "${this.label}" on token ${formatToken(this.token.identity)}`;
  }
}

function readPublicKey(token: Pkcs11Token, privateKey: Handle, what: string): PublicKey {
  const keyType = toKeyType(toNumber(attributeValue(token, privateKey, CKA_KEY_TYPE)));
  if (keyType === null) throw new RefusedError('CU-113', `${what} is neither ECDSA nor EdDSA`);
  const id = attributeValue(token, privateKey, CKA_ID);
  if (id === null) throw new RefusedError('CU-108', `${what} has no CKA_ID that would lead to its public key`);
  const template = [
    { type: CKA_CLASS, value: CKO_PUBLIC_KEY },
    { type: CKA_ID, value: id },
  ];
  const handles = findObjects(token, template, MAX_MATCHES);
  if (handles.length > 1) throw new RefusedError('CU-109', `${what}: two public keys have its id`);
  const point = handles[0] === undefined ? null : attributeValue(token, handles[0], CKA_EC_POINT);
  if (point === null) throw new RefusedError('CU-108', `${what}: its public key is missing`);
  try {
    return publicKeyFromEcPoint(keyType, point);
  } catch (cause) {
    throw new RefusedError('CU-113', `${what} is not on P-256 or edwards25519`, { cause });
  }
}

function toKeyType(value: number | null): 'ec' | 'edwards' | null {
  if (value === CKK_EC) return 'ec';
  return value === CKK_EC_EDWARDS ? 'edwards' : null;
}

function toTemplate({ label, id }: KeyRef): { type: number; value: string | Buffer }[] {
  if (label === undefined && id === undefined) throw new TypeError('a key is named by label or id');
  return [
    ...(label === undefined ? [] : [{ type: CKA_LABEL, value: label }]),
    ...(id === undefined ? [] : [{ type: CKA_ID, value: Buffer.from(id) }]),
  ];
}

function formatKeyRef({ label, id }: KeyRef): string {
  const hex = id === undefined ? '' : `id ${Buffer.from(id).toString('hex')}`;
  return [label === undefined ? '' : `"${label}"`, hex].filter((part) => part !== '').join(' ');
}
