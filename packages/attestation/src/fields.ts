// SPDX-License-Identifier: Apache-2.0
/** The small shapes that predicates and documents share, each with its bound. */
import { parseInstant } from '@witnessmark/core';
import { z } from 'zod';

/** A name a person or a machine gave: printable, no line breaks, at most 128 characters. */
export const identifier = z
  .string()
  .regex(/^[^\p{C}\p{Zl}\p{Zp}]{1,128}$/u, 'not a printable name of 1 to 128 characters');
/** Free text for people, at most 1,000 characters. */
export const remark = z.string().max(1000);
export const sha256Text = z.string().regex(/^[0-9a-f]{64}$/, 'not a SHA-256 in lower-case hexadecimal');
export const counter = z.int().min(0);
export const instantText = z.string().refine(isInstantText, 'not an RFC 3339 time in UTC');
export const uuid = z.string().regex(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/, 'not a UUID');
/** SubjectPublicKeyInfo, DER, in standard base64; vetted where it is decoded. */
export const publicKeyText = z.string().min(1).max(256);
/** How a person proved who they are; `software-key` is for development. */
export const CREDENTIAL_KINDS = ['piv', 'badge-pin', 'software-key'] as const;
export type CredentialKind = (typeof CREDENTIAL_KINDS)[number];
export const credentialKind = z.enum(CREDENTIAL_KINDS);
export const digestSet = z.object({ sha256: sha256Text });

/** How a claim came to be known, weakest first. */
export const GRADES = ['requested', 'commanded', 'readBack', 'measured', 'attested'] as const;
export type Grade = (typeof GRADES)[number];
export const grade = z.enum(GRADES);

function isInstantText(text: string): boolean {
  try {
    parseInstant(text);
    return true;
  } catch {
    return false;
  }
}
