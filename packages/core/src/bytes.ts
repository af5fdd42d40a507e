// SPDX-License-Identifier: Apache-2.0
/** Byte strings and their strict text encodings (RFC 4648 sections 4 and 8). */
import { decodeBase64 as decodeCanonicalBase64, encodeBase64, encodeUtf8 } from '#platform';
import { CoreError } from './error.ts';

export { encodeBase64, encodeUtf8 };

export type Bytes = Uint8Array;

const HEX = Array.from({ length: 256 }, (_, value) => value.toString(16).padStart(2, '0'));
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Decodes UTF-8; throws `ERR_CORE_UTF8` on any malformed sequence. A byte order mark is kept, so that callers can refuse it. */
export function decodeUtf8(bytes: Bytes): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new CoreError('ERR_CORE_UTF8', 'the bytes are not valid UTF-8', { cause });
  }
}

export function encodeHex(bytes: Bytes): string {
  let text = '';
  for (const byte of bytes) text += HEX[byte] as string;
  return text;
}

/** Decodes lower-case hexadecimal; throws `ERR_CORE_HEX` on anything else. */
export function decodeHex(text: string): Bytes {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/.test(text)) {
    throw new CoreError('ERR_CORE_HEX', 'the text is not lower-case hexadecimal');
  }
  const bytes = new Uint8Array(text.length / 2);
  for (let index = 0; index < bytes.length; index += 1)
    bytes[index] = parseInt(text.slice(index * 2, index * 2 + 2), 16);
  return bytes;
}

/**
 * Decodes standard, padded base64; throws `ERR_CORE_BASE64` for the URL-safe alphabet, missing padding, white space or
 * non-zero trailing bits, so that one byte string has exactly one text.
 */
export function decodeBase64(text: string): Bytes {
  const bytes = decodeCanonicalBase64(text);
  if (bytes === undefined) throw new CoreError('ERR_CORE_BASE64', 'the text is not standard padded base64');
  return bytes;
}

export function concatBytes(...parts: readonly Bytes[]): Bytes {
  let length = 0;
  for (const part of parts) length += part.length;
  const joined = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** Not constant-time: only for public values. */
export function equalBytes(left: Bytes, right: Bytes): boolean {
  if (left.length !== right.length) return false;
  for (let index = 0; index < left.length; index += 1) if (left[index] !== right[index]) return false;
  return true;
}
