// SPDX-License-Identifier: Apache-2.0
/**
 * Verifies the signatures of DSSE envelopes in bulk. The one text that core's `formatEnvelope` writes is read without
 * building objects; every other text takes core's strict reader, and both give the same answer. A signature is tried with
 * the key its key id names and with no other, so that an envelope costs no more verifications than it has signatures.
 */
import {
  encodeUtf8,
  isSignedBy,
  MAX_ENVELOPE_BYTES,
  MAX_ENVELOPE_SIGNATURES,
  parseEnvelope,
  preAuthEncoding,
  STATEMENT_PAYLOAD_TYPE,
  type Bytes,
  type PublicKey,
} from '@witnessmark/core';

const QUOTE = 0x22;
const EQUALS = 0x3d;
const HEAD = encodeUtf8('{"payload":"');
const MIDDLE = encodeUtf8(`","payloadType":"${STATEMENT_PAYLOAD_TYPE}","signatures":[`);
const PAE_START = `DSSEv1 ${STATEMENT_PAYLOAD_TYPE.length} ${STATEMENT_PAYLOAD_TYPE} `;
const KEYID = '{"keyid":"';
const SIG = '","sig":"';
const NEXT = '},';
const TAIL = '}]}';
const KEYID_LENGTH = 64;
const HEXADECIMAL = /^[0-9a-f]{64}$/;
const MAX_SIGNATURE_BYTES = 128;

export interface EnvelopeVerdict {
  /** Positions, in the list of keys, of those that signed; each once, in the order of the signatures. */
  readonly signers: readonly number[];
  /** How many signatures the envelope carries; as many as `signers` when all are good. */
  readonly signatures: number;
}

interface RawEnvelope {
  readonly message: Bytes;
  readonly signatures: readonly { readonly keyid: string; readonly sig: Bytes }[];
}

export class EnvelopeVerifier {
  readonly #keys: readonly PublicKey[];
  readonly #positions: ReadonlyMap<string, number>;
  /** The pre-authentication encoding; written anew, from its start, for each envelope. */
  readonly #message = Buffer.alloc(MAX_ENVELOPE_BYTES);

  constructor(keys: readonly PublicKey[]) {
    this.#keys = keys;
    this.#positions = new Map(keys.map((key, position) => [key.keyid, position]));
  }

  /** Throws core's errors when the bytes are not an envelope. */
  verify(entry: Bytes): EnvelopeVerdict {
    const { message, signatures } = this.#readCanonical(entry) ?? readAny(entry);
    const signers: number[] = [];
    for (const { keyid, sig } of signatures) {
      const position = this.#positions.get(keyid);
      if (position === undefined || signers.includes(position)) continue;
      if (isSignedBy(this.#keys[position] as PublicKey, message, sig)) signers.push(position);
    }
    return { signers, signatures: signatures.length };
  }

  /** Undefined when the text is not exactly as `formatEnvelope` writes it. */
  #readCanonical(entry: Bytes): RawEnvelope | undefined {
    const bytes = Buffer.from(entry.buffer, entry.byteOffset, entry.length);
    if (!hasAt(bytes, HEAD, 0)) return undefined;
    const payloadEnd = bytes.indexOf(QUOTE, HEAD.length);
    if (payloadEnd < 0 || payloadEnd > MAX_ENVELOPE_BYTES || !hasAt(bytes, MIDDLE, payloadEnd)) return undefined;
    const message = this.#readMessage(bytes, HEAD.length, payloadEnd);
    const signatures = readSignatures(bytes.toString('latin1', payloadEnd + MIDDLE.length));
    return message === undefined || signatures === undefined ? undefined : { message, signatures };
  }

  /**
   * Decodes the payload to where it is needed. Node's decoder skips what is no base64 and takes the URL-safe alphabet and
   * loose last bits too: a shorter result, a dash or underscore, or other last characters give that away.
   */
  #readMessage(bytes: Buffer, start: number, end: number): Bytes | undefined {
    const padding = bytes[end - 1] !== EQUALS ? 0 : bytes[end - 2] !== EQUALS ? 1 : 2;
    const length = ((end - start) / 4) * 3 - padding;
    if (!Number.isInteger(length) || length <= 0) return undefined;
    const text = bytes.toString('latin1', start, end);
    if (text.includes('-') || text.includes('_')) return undefined;
    const at = this.#message.write(PAE_START + length.toString() + ' ', 'latin1');
    const messageEnd = at + length;
    if (this.#message.write(text, at, 'base64') !== length) return undefined;
    const lastGroup = this.#message.toString('base64', messageEnd - (length % 3 || 3), messageEnd);
    return text.endsWith(lastGroup) ? this.#message.subarray(0, messageEnd) : undefined;
  }
}

function readAny(entry: Bytes): RawEnvelope {
  const { payloadType, payload, signatures } = parseEnvelope(entry);
  return { message: preAuthEncoding(payloadType, payload), signatures };
}

/** Reads `{"keyid":"…","sig":"…"},…]}` with nothing else in it. */
function readSignatures(text: string): RawEnvelope['signatures'] | undefined {
  const signatures: { keyid: string; sig: Bytes }[] = [];
  let at = 0;
  for (;;) {
    const keyid = text.slice(at + KEYID.length, at + KEYID.length + KEYID_LENGTH);
    const sigAt = at + KEYID.length + KEYID_LENGTH + SIG.length;
    const sigEnd = text.indexOf('"', sigAt);
    if (!text.startsWith(KEYID, at) || !text.startsWith(SIG, sigAt - SIG.length) || sigEnd < 0) return undefined;
    const encoded = text.slice(sigAt, sigEnd);
    const sig = Buffer.from(encoded, 'base64');
    if (!HEXADECIMAL.test(keyid) || sig.length === 0 || sig.toString('base64') !== encoded) return undefined;
    signatures.push({ keyid, sig });
    if (sig.length > MAX_SIGNATURE_BYTES || signatures.length > MAX_ENVELOPE_SIGNATURES) return undefined;
    if (text.startsWith(NEXT, sigEnd + 1)) at = sigEnd + 1 + NEXT.length;
    else return text.length === sigEnd + 1 + TAIL.length && text.endsWith(TAIL) ? signatures : undefined;
  }
}

function hasAt(bytes: Buffer, part: Bytes, at: number): boolean {
  return at + part.length <= bytes.length && bytes.compare(part, 0, part.length, at, at + part.length) === 0;
}
