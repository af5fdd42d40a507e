// SPDX-License-Identifier: Apache-2.0
/** The small shapes that the formats of a ceremony share, each with its bound. */
import { decodeBase64, parsePublicKey, WitnessmarkError } from '@witnessmark/core';
import { z } from 'zod';

const PRINTABLE = /^[^\p{C}\p{Zl}\p{Zp}]+$/u;

/** Names of steps, things and scripts: they become parts of file names and of answers. */
export const name: z.ZodType<string> = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/, 'not a name of 1 to 32 lower-case letters, digits and dashes');

/** One printable line; what people read aloud must not move the cursor. */
export function line(maxLength: number): z.ZodType<string> {
  return z.string().min(1).max(maxLength).regex(PRINTABLE, 'not one printable line');
}

/** Standard, padded base64 of at most `maxBytes`. */
export function base64Text(maxBytes: number): z.ZodType<string> {
  return z
    .string()
    .max(Math.ceil(maxBytes / 3) * 4)
    .refine((text) => isReadable(() => decodeBase64(text)), 'not standard padded base64');
}

/** SubjectPublicKeyInfo in base64, of a key this program can use. */
export const spkiText: z.ZodType<string> = z
  .string()
  .min(1)
  .max(256)
  .refine((text) => isReadable(() => parsePublicKey(decodeBase64(text))), 'not a public key');

function isReadable(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch (error) {
    if (error instanceof WitnessmarkError) return false;
    throw error;
  }
}
