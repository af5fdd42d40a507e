// SPDX-License-Identifier: Apache-2.0
/**
 * The envelope of a sealed image (spec/sealed-image.md): CMS AuthEnvelopedData (RFC 5083) with AES-256-GCM (RFC 5084) and
 * one KeyAgreeRecipientInfo for each key of the line (RFC 5753, dhSinglePass-stdDH-sha256kdf with AES-256 key wrap). One
 * profile, one encoding: what differs from it is not read.
 */
import {
  concatBytes,
  decodeHex,
  encodeHex,
  publicKeyFromP256,
  WitnessmarkError,
  type Bytes,
  type PublicKey,
} from '@witnessmark/core';
import {
  BIT_STRING,
  context,
  DerReader,
  encodeElement,
  encodeHeader,
  encodeSetOf,
  INTEGER,
  malformed,
  OCTET_STRING,
  primitiveContext,
  SEQUENCE,
  SET,
} from './der.ts';

export const SEALED_IMAGE_MEDIA_TYPE = 'application/cms';

export const SEALING_LIMITS = {
  /** As many as a release manifest names. */
  maxRecipients: 8,
  maxImageBytes: 256 * 1024 * 1024,
  /** Everything but the content. */
  maxOverheadBytes: 4096,
} as const;

const NONCE_BYTES = 12;
const MAC_BYTES = 16;
const KEYID_BYTES = 32;
/** RFC 3394: eight bytes more than the content key. */
const WRAPPED_KEY_BYTES = 40;

const AUTH_ENVELOPED_DATA = decodeHex('060b2a864886f70d0109100117');
const DATA = decodeHex('06092a864886f70d010701');
const AES256_GCM = decodeHex('060960864801650304012e');
/** An AlgorithmIdentifier; the parameters of the key wrap are absent (RFC 3565 section 2.3.2). */
export const AES256_WRAP: Bytes = encodeElement(SEQUENCE, decodeHex('060960864801650304012d'));
/** The key wrap algorithm is the parameter of the key agreement (RFC 5753 section 7.1.4). */
const KEY_AGREEMENT = encodeElement(SEQUENCE, decodeHex('06062b8104010b01'), AES256_WRAP);
/** The curve is that of the recipient's key (RFC 5753 section 3.1.1). */
const EC_PUBLIC_KEY = encodeElement(SEQUENCE, decodeHex('06072a8648ce3d0201'));
const VERSION_0 = encodeElement(INTEGER, Uint8Array.of(0));
const VERSION_3 = encodeElement(INTEGER, Uint8Array.of(3));
const ICV_LENGTH = encodeElement(INTEGER, Uint8Array.of(MAC_BYTES));
/** No bit of the last byte is unused. */
const WHOLE_BYTES = Uint8Array.of(0);

const KEY_AGREE_RECIPIENT = context(1);
const ORIGINATOR_KEY = context(1);
const KEY_IDENTIFIER = context(0);
const CONTENT = primitiveContext(0);

/** The content key, wrapped for one key. */
export interface ContentKeyRecipient {
  /** SHA-256 of the recipient's SubjectPublicKeyInfo (RFC 7093 section 2, method 4), lower-case hexadecimal. */
  readonly keyid: string;
  readonly ephemeralKey: PublicKey;
  readonly wrappedKey: Bytes;
}

export interface SealedImageEnvelope {
  readonly recipients: readonly ContentKeyRecipient[];
  readonly nonce: Bytes;
  readonly ciphertext: Bytes;
  readonly mac: Bytes;
}

/** What stands before and after the content of an envelope. */
export interface EnvelopeFrame {
  readonly head: Bytes;
  toTail(mac: Bytes): Bytes;
  /** Of the whole envelope. */
  readonly length: number;
}

/** A KeyAgreeRecipientInfo, as it stands in an envelope and as a line answers with it. */
export function formatRecipient({ keyid, ephemeralKey, wrappedKey }: ContentKeyRecipient): Bytes {
  const originator = encodeElement(
    context(0),
    encodeElement(ORIGINATOR_KEY, EC_PUBLIC_KEY, encodeElement(BIT_STRING, WHOLE_BYTES, ephemeralKey.point)),
  );
  const recipient = encodeElement(KEY_IDENTIFIER, encodeElement(OCTET_STRING, decodeHex(keyid)));
  const keys = encodeElement(SEQUENCE, encodeElement(SEQUENCE, recipient, encodeElement(OCTET_STRING, wrappedKey)));
  return encodeElement(KEY_AGREE_RECIPIENT, VERSION_3, originator, KEY_AGREEMENT, keys);
}

/** Throws BX-201. */
export function parseRecipient(bytes: Bytes): ContentKeyRecipient {
  const outer = new DerReader(bytes);
  const fields = outer.inside(KEY_AGREE_RECIPIENT);
  outer.end();
  fields.skip(VERSION_3);
  const originator = fields.inside(context(0));
  const key = originator.inside(ORIGINATOR_KEY);
  originator.end();
  key.skip(EC_PUBLIC_KEY);
  const bits = key.content(BIT_STRING);
  key.end();
  fields.skip(KEY_AGREEMENT);
  const keys = fields.inside(SEQUENCE);
  fields.end();
  const entry = keys.inside(SEQUENCE);
  keys.end();
  const identifier = entry.inside(KEY_IDENTIFIER);
  const keyid = identifier.content(OCTET_STRING);
  identifier.end();
  const wrappedKey = entry.content(OCTET_STRING);
  entry.end();
  demandLength(keyid, KEYID_BYTES);
  demandLength(wrappedKey, WRAPPED_KEY_BYTES);
  return { keyid: encodeHex(keyid), ephemeralKey: readPoint(bits), wrappedKey: Uint8Array.from(wrappedKey) };
}

export function frameEnvelope(
  recipients: readonly ContentKeyRecipient[],
  nonce: Bytes,
  contentLength: number,
): EnvelopeFrame {
  const parameters = encodeElement(SEQUENCE, encodeElement(OCTET_STRING, nonce), ICV_LENGTH);
  const contentHead = concatBytes(
    DATA,
    encodeElement(SEQUENCE, AES256_GCM, parameters),
    encodeHeader(CONTENT, contentLength),
  );
  const contentInfo = concatBytes(encodeHeader(SEQUENCE, contentHead.length + contentLength), contentHead);
  const toTail = (mac: Bytes): Bytes => encodeElement(OCTET_STRING, mac);
  const tailLength = toTail(new Uint8Array(MAC_BYTES)).length;
  const fields = concatBytes(VERSION_0, encodeSetOf(recipients.map(formatRecipient)), contentInfo);
  const bodyLength = fields.length + contentLength + tailLength;
  const body = concatBytes(encodeHeader(SEQUENCE, bodyLength), fields);
  const explicit = concatBytes(encodeHeader(context(0), body.length + contentLength + tailLength), body);
  const outerLength = AUTH_ENVELOPED_DATA.length + explicit.length + contentLength + tailLength;
  const head = concatBytes(encodeHeader(SEQUENCE, outerLength), AUTH_ENVELOPED_DATA, explicit);
  return { head, toTail, length: head.length + contentLength + tailLength };
}

/** Throws BX-201 for anything but an envelope of the profile. Nothing is decrypted, `ciphertext` is a view. */
export function parseSealedImage(bytes: Bytes): SealedImageEnvelope {
  if (bytes.length > SEALING_LIMITS.maxImageBytes + SEALING_LIMITS.maxOverheadBytes) throw malformed('it is too large');
  const file = new DerReader(bytes);
  const outer = file.inside(SEQUENCE);
  file.end();
  outer.skip(AUTH_ENVELOPED_DATA);
  const explicit = outer.inside(context(0));
  outer.end();
  const body = explicit.inside(SEQUENCE);
  explicit.end();
  body.skip(VERSION_0);
  const recipients = readRecipients(body.inside(SET));
  const contentInfo = body.inside(SEQUENCE);
  const mac = body.content(OCTET_STRING);
  body.end();
  contentInfo.skip(DATA);
  const nonce = readNonce(contentInfo.inside(SEQUENCE));
  const ciphertext = contentInfo.content(CONTENT);
  contentInfo.end();
  demandLength(mac, MAC_BYTES);
  return { recipients, nonce, ciphertext, mac };
}

function readRecipients(set: DerReader): readonly ContentKeyRecipient[] {
  const recipients: ContentKeyRecipient[] = [];
  let last: Bytes | null = null;
  while (!set.isAtEnd) {
    const element = set.element(KEY_AGREE_RECIPIENT);
    if (last !== null && Buffer.compare(last, element) >= 0) throw malformed('its recipients are not in order');
    if (recipients.length === SEALING_LIMITS.maxRecipients) throw malformed('it has too many recipients');
    recipients.push(parseRecipient(element));
    last = element;
  }
  if (recipients.length === 0) throw malformed('it has no recipient');
  return recipients;
}

function readNonce(algorithm: DerReader): Bytes {
  algorithm.skip(AES256_GCM);
  const parameters = algorithm.inside(SEQUENCE);
  algorithm.end();
  const nonce = parameters.content(OCTET_STRING);
  parameters.skip(ICV_LENGTH);
  parameters.end();
  return demandLength(nonce, NONCE_BYTES);
}

function readPoint(bits: Bytes): PublicKey {
  if (bits[0] !== WHOLE_BYTES[0]) throw malformed('a public key has unused bits');
  try {
    return publicKeyFromP256(bits.subarray(1));
  } catch (cause) {
    if (cause instanceof WitnessmarkError) throw malformed('a public key is not an uncompressed point on P-256');
    throw cause;
  }
}

function demandLength(bytes: Bytes, length: number): Bytes {
  if (bytes.length !== length) throw malformed('a field has another length than the profile says');
  return bytes;
}
