// SPDX-License-Identifier: Apache-2.0
/** Signatures over metadata as they are stored beside statements; whatever is no signature counts for none. */
import type { JsonValue } from '@witnessmark/core';
import type { MetadataSignature } from '@witnessmark/trust';

export function toSignature(value: JsonValue | undefined): MetadataSignature | null {
  const { keyid, sig } = asObject(value) ?? {};
  return typeof keyid === 'string' && typeof sig === 'string' ? { keyid, sig } : null;
}

export function asObject(value: JsonValue | undefined): Readonly<Record<string, JsonValue | undefined>> | null {
  return typeof value === 'object' && !Array.isArray(value) ? (value as Record<string, JsonValue> | null) : null;
}
