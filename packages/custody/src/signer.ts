// SPDX-License-Identifier: Apache-2.0
/** The one way anything in Witnessmark signs: a handle to a key, never the key. */
import {
  encodeUtf8,
  formatNote,
  preAuthEncoding,
  toNoteVerifierKey,
  type Bytes,
  type Envelope,
  type EnvelopeSignature,
  type NoteSignature,
  type NoteVerifierKey,
  type PublicKey,
} from '@witnessmark/core';

export interface Signer {
  readonly publicKey: PublicKey;
  /** `software` keys are for development: marked, and refused by production policies. */
  readonly custody: 'hardware' | 'software';
  /** ECDSA P-256/SHA-256 in DER, or raw Ed25519. Rejects with a `CustodyError` when the key cannot be reached. */
  sign(message: Bytes): Promise<Bytes>;
}

/** Signs the envelope's pre-authentication encoding. */
export async function signEnvelopePart(
  signer: Signer,
  payloadType: string,
  payload: Bytes,
): Promise<EnvelopeSignature> {
  return { keyid: signer.publicKey.keyid, sig: await signer.sign(preAuthEncoding(payloadType, payload)) };
}

/** Wraps a payload in an envelope signed by each signer in turn. */
export async function signEnvelope(payloadType: string, payload: Bytes, signers: readonly Signer[]): Promise<Envelope> {
  const signatures: EnvelopeSignature[] = [];
  for (const signer of signers) signatures.push(await signEnvelopePart(signer, payloadType, payload));
  return { payloadType, payload, signatures };
}

/** Adds a signature over the same bytes. */
export async function countersign(envelope: Envelope, signer: Signer): Promise<Envelope> {
  const signature = await signEnvelopePart(signer, envelope.payloadType, envelope.payload);
  return { ...envelope, signatures: [...envelope.signatures, signature] };
}

/** Signs notes (https://c2sp.org/signed-note) under a key name; needs an Ed25519 signer. */
export class NoteSigner {
  readonly verifierKey: NoteVerifierKey;
  readonly #signer: Signer;

  constructor(name: string, signer: Signer) {
    this.verifierKey = toNoteVerifierKey(name, signer.publicKey);
    this.#signer = signer;
  }

  /** `text` must end in a newline. */
  async sign(text: string): Promise<Bytes> {
    if (!text.endsWith('\n')) throw new TypeError('the text of a note ends in a newline');
    const { name, keyId } = this.verifierKey;
    const signature: NoteSignature = { name, keyId, signature: await this.#signer.sign(encodeUtf8(text)) };
    return formatNote({ text, signatures: [signature] });
  }
}
