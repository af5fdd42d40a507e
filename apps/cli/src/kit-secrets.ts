// SPDX-License-Identifier: Apache-2.0
/** What may not be in a kit: whoever builds a station again from one gets no key with it. */
import { DEFAULT_SECRET_CLASSES, Examiner, formatSecretClasses, SecretClasses } from '@witnessmark/boundary';
import type { Bytes } from '@witnessmark/core';

/** A private key in any form; what else is secret may be part of a station. Null when there is none. */
export async function findSecret(path: string, content: Bytes): Promise<string | null> {
  const classes = SecretClasses.parse(formatSecretClasses(DEFAULT_SECRET_CLASSES));
  const { findings } = await new Examiner({ classes, place: 'outside' }).examine(path, content, { allowsOpaque: true });
  return findings.find(({ code }) => code === 'BX-121')?.detail ?? null;
}
