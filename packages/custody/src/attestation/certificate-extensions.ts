// SPDX-License-Identifier: Apache-2.0
/** The extensions of an X.509 certificate (RFC 5280 section 4.1), which node:crypto does not give: strict DER, no more than needed. */
import { RefusedError, type Bytes } from '@witnessmark/core';

interface Element {
  readonly tag: number;
  readonly content: Bytes;
}

const SEQUENCE = 0x30;
const OBJECT_IDENTIFIER = 0x06;
const OCTET_STRING = 0x04;
const EXTENSIONS = 0xa3;

/** The values by object identifier, in order. Throws CU-131 for anything that is not DER of a certificate. */
export function certificateExtensions(der: Bytes): Map<string, Bytes[]> {
  const certificate = onlyElement(der, SEQUENCE);
  const body = readElements(certificate)[0];
  if (body?.tag !== SEQUENCE) throw malformed('a certificate without a body');
  const field = readElements(body.content).find(({ tag }) => tag === EXTENSIONS);
  const found = new Map<string, Bytes[]>();
  if (field === undefined) return found;
  for (const { tag, content } of readElements(onlyElement(field.content, SEQUENCE))) {
    if (tag !== SEQUENCE) throw malformed('an extension that is not a sequence');
    const parts = readElements(content);
    const oid = parts[0];
    const value = parts.at(-1);
    if (oid?.tag !== OBJECT_IDENTIFIER || value?.tag !== OCTET_STRING || parts.length > 3) {
      throw malformed('an extension without name or value');
    }
    const name = formatObjectIdentifier(oid.content);
    found.set(name, [...(found.get(name) ?? []), value.content]);
  }
  return found;
}

function onlyElement(bytes: Bytes, tag: number): Bytes {
  const elements = readElements(bytes);
  if (elements.length !== 1 || elements[0]?.tag !== tag) throw malformed('an element that is not what it must be');
  return elements[0].content;
}

function readElements(bytes: Bytes): Element[] {
  const elements: Element[] = [];
  let offset = 0;
  while (offset < bytes.length) {
    const tag = bytes[offset] as number;
    const { length, start } = readLength(bytes, offset + 1);
    if (start + length > bytes.length) throw malformed('an element longer than its bytes');
    elements.push({ tag, content: bytes.subarray(start, start + length) });
    offset = start + length;
  }
  return elements;
}

/** Definite and minimal, at most two bytes of length. */
function readLength(bytes: Bytes, offset: number): { length: number; start: number } {
  const first = bytes[offset] ?? 0x80;
  if (first < 0x80) return { length: first, start: offset + 1 };
  const size = first & 0x7f;
  let length = 0;
  for (const byte of bytes.subarray(offset + 1, offset + 1 + size)) length = length * 256 + byte;
  const isMinimal = (size === 1 && length >= 0x80) || (size === 2 && length >= 0x100);
  if (!isMinimal) throw malformed('a length that is not DER');
  return { length, start: offset + 1 + size };
}

function formatObjectIdentifier(content: Bytes): string {
  const numbers: number[] = [];
  let value = 0;
  for (const byte of content) {
    value = value * 128 + (byte & 0x7f);
    if (value > Number.MAX_SAFE_INTEGER / 128) throw malformed('an object identifier that is too large');
    if ((byte & 0x80) !== 0) continue;
    numbers.push(value);
    value = 0;
  }
  const first = numbers[0];
  if (first === undefined) throw malformed('an empty object identifier');
  const root = Math.min(Math.floor(first / 40), 2);
  return [root, first - root * 40, ...numbers.slice(1)].join('.');
}

function malformed(message: string): RefusedError {
  return new RefusedError('CU-131', `the certificate holds ${message}`);
}
