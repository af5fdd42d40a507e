// SPDX-License-Identifier: Apache-2.0
/**
 * DSSE envelopes (https://github.com/secure-systems-lab/dsse, protocol v1.0.2), JSON form.
 * Our profile: ECDSA P-256/SHA-256 in DER or raw Ed25519, standard padded base64, key ids are hints only.
 */
import { allocate } from '#platform';
import { decodeBase64, encodeBase64, encodeUtf8, type Bytes } from './bytes.ts';
import { CoreError } from './error.ts';
import { isSignedBy, type PublicKey } from './public-key.ts';
import { parseStrictJson, type JsonValue } from './strict-json.ts';

export const STATEMENT_PAYLOAD_TYPE = 'application/vnd.in-toto+json';

/** An entry of a tlog-tiles log is at most 65,535 bytes (its length is a uint16). */
export const MAX_ENVELOPE_BYTES = 65_535;
export const MAX_ENVELOPE_SIGNATURES = 16;
const MAX_PAYLOAD_TYPE_LENGTH = 128;
const MAX_KEYID_LENGTH = 128;
const MAX_SIGNATURE_BYTES = 128;

export interface EnvelopeSignature {
  /** A hint for finding the key; never a reason to trust. */
  readonly keyid: string;
  readonly sig: Bytes;
}

export interface Envelope {
  readonly payloadType: string;
  readonly payload: Bytes;
  readonly signatures: readonly EnvelopeSignature[];
}

/** What verification proved: these bytes, by these keys. */
export interface VerifiedEnvelope {
  readonly payloadType: string;
  readonly payload: Bytes;
  readonly signers: readonly PublicKey[];
}

/** The bytes that are signed: `DSSEv1 SP len(type) SP type SP len(body) SP body`. */
export function preAuthEncoding(payloadType: string, payload: Bytes): Bytes {
  const typeLength = payloadType === STATEMENT_PAYLOAD_TYPE ? payloadType.length : encodeUtf8(payloadType).length;
  const head = encodeUtf8(`DSSEv1 ${typeLength} ${payloadType} ${payload.length} `);
  const message = allocate(head.length + payload.length);
  message.set(head);
  message.set(payload, head.length);
  return message;
}

/** Reads an envelope. Nothing in it may be believed until {@link verifyEnvelope}. */
export function parseEnvelope(bytes: Bytes): Envelope {
  if (bytes.length > MAX_ENVELOPE_BYTES) {
    throw new CoreError('ERR_DSSE_TOO_LARGE', `an envelope has at most ${MAX_ENVELOPE_BYTES} bytes`);
  }
  return toEnvelope(parseStrictJson(bytes));
}

/** Reads an envelope from already parsed strict JSON; unknown members are ignored, as DSSE demands. */
export function toEnvelope(value: JsonValue | undefined): Envelope {
  const { payloadType, payload, signatures } = asObject(value);
  if (typeof payloadType !== 'string') throw formatError('payloadType must be a string');
  if (typeof payload !== 'string') throw formatError('payload must be base64 text');
  if (!isArray(signatures)) throw formatError('signatures must be an array');
  const envelope = {
    payloadType,
    payload: fromBase64(payload, 'payload'),
    signatures: signatures.map(toEnvelopeSignature),
  };
  assertBounds(envelope);
  return envelope;
}

/** The JSON value of an envelope, members in the order of the specification. */
export function fromEnvelope(envelope: Envelope): JsonValue {
  return {
    payload: encodeBase64(envelope.payload),
    payloadType: envelope.payloadType,
    signatures: envelope.signatures.map(({ keyid, sig }) => ({ keyid, sig: encodeBase64(sig) })),
  };
}

/** The one text we write for an envelope: compact JSON. Throws `ERR_DSSE_FORMAT` or `ERR_DSSE_TOO_LARGE`. */
export function formatEnvelope(envelope: Envelope): Bytes {
  assertBounds(envelope);
  // The text of formatJson(fromEnvelope(envelope)), five times as fast: base64 holds nothing that JSON would escape.
  const signatures = envelope.signatures.map(
    ({ keyid, sig }) => `{"keyid":${JSON.stringify(keyid)},"sig":"${encodeBase64(sig)}"}`,
  );
  const bytes = encodeUtf8(
    `{"payload":"${encodeBase64(envelope.payload)}","payloadType":${JSON.stringify(envelope.payloadType)},` +
      `"signatures":[${signatures.join(',')}]}`,
  );
  if (bytes.length > MAX_ENVELOPE_BYTES) {
    throw new CoreError('ERR_DSSE_TOO_LARGE', `an envelope has at most ${MAX_ENVELOPE_BYTES} bytes`);
  }
  return bytes;
}

export interface VerifyEnvelopeOptions {
  readonly keys: readonly PublicKey[];
  /** How many different keys must have signed. */
  readonly threshold: number;
  readonly payloadType: string;
}

/**
 * Returns the payload and the keys that signed it. The threshold counts unique keys: a second signature by one key, or
 * one key listed under two ids, counts once. Throws `ERR_DSSE_PAYLOAD_TYPE` or `ERR_DSSE_THRESHOLD`.
 */
export function verifyEnvelope(envelope: Envelope, options: VerifyEnvelopeOptions): VerifiedEnvelope {
  if (!Number.isSafeInteger(options.threshold) || options.threshold < 1) {
    throw new TypeError('the threshold must be a positive whole number');
  }
  if (envelope.payloadType !== options.payloadType) {
    throw new CoreError('ERR_DSSE_PAYLOAD_TYPE', `the payload type is not ${options.payloadType}`);
  }
  const signers = findSigners(envelope, options.keys);
  if (signers.length < options.threshold) {
    throw new CoreError(
      'ERR_DSSE_THRESHOLD',
      `${signers.length} of the ${options.threshold} signatures that are needed verify`,
    );
  }
  return { payloadType: envelope.payloadType, payload: envelope.payload, signers };
}

/**
 * The keys, each once, that signed the envelope. A key id only says which key to try first: a wrong one costs time, at
 * most one check per signature and key. One signature counts for one key.
 */
export function findSigners(envelope: Envelope, keys: readonly PublicKey[]): readonly PublicKey[] {
  const message = preAuthEncoding(envelope.payloadType, envelope.payload);
  const signers = new Map<string, PublicKey>();
  for (const { keyid, sig } of envelope.signatures) {
    const made = (key: PublicKey): boolean => !signers.has(key.keyid) && isSignedBy(key, message, sig);
    const signer =
      keys.find((key) => key.keyid === keyid && made(key)) ?? keys.find((key) => key.keyid !== keyid && made(key));
    if (signer !== undefined) signers.set(signer.keyid, signer);
  }
  return [...signers.values()];
}

/** The bounds of an envelope, the same for what is read and for what is written. */
function assertBounds({ payloadType, signatures }: Envelope): void {
  if (payloadType.length === 0 || payloadType.length > MAX_PAYLOAD_TYPE_LENGTH) {
    throw formatError(`payloadType must have 1 to ${MAX_PAYLOAD_TYPE_LENGTH} characters`);
  }
  if (signatures.length === 0 || signatures.length > MAX_ENVELOPE_SIGNATURES) {
    throw formatError(`signatures must hold 1 to ${MAX_ENVELOPE_SIGNATURES} entries`);
  }
  for (const { keyid, sig } of signatures) {
    if (keyid.length > MAX_KEYID_LENGTH) throw formatError(`keyid must have at most ${MAX_KEYID_LENGTH} characters`);
    if (sig.length === 0 || sig.length > MAX_SIGNATURE_BYTES) {
      throw formatError(`sig must have 1 to ${MAX_SIGNATURE_BYTES} bytes`);
    }
  }
}

function toEnvelopeSignature(value: JsonValue): EnvelopeSignature {
  const { keyid = '', sig } = asObject(value);
  if (typeof keyid !== 'string') throw formatError('keyid must be a string');
  if (typeof sig !== 'string') throw formatError('sig must be base64 text');
  return { keyid, sig: fromBase64(sig, 'sig') };
}

function isArray(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function asObject(
  value: JsonValue | undefined,
): Readonly<Record<'payloadType' | 'payload' | 'signatures' | 'keyid' | 'sig', JsonValue | undefined>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw formatError('an object is missing');
  return value as never;
}

function fromBase64(text: string, where: string): Bytes {
  try {
    return decodeBase64(text);
  } catch (cause) {
    throw new CoreError('ERR_DSSE_FORMAT', `${where} is not standard padded base64`, { cause });
  }
}

function formatError(what: string): CoreError {
  return new CoreError('ERR_DSSE_FORMAT', `not a DSSE envelope: ${what}`);
}
