// SPDX-License-Identifier: Apache-2.0
/** What a release cache holds, in what order it was used, and what was purged and not reported yet; sealed like an entry. */
import { formatJson, parseStrictJson, sha256Hex, WitnessmarkError, type Bytes } from '@witnessmark/core';
import {
  CACHE_PURGE_REASONS,
  identifier,
  instantText,
  MAX_PURGED_ENTRIES,
  sha256Text,
  uuid,
} from '@witnessmark/attestation';
import { z } from 'zod';
import { StationRefusal } from '../error.ts';
import type { FileSystem } from '../file-system.ts';
import { replaceFile } from '../replace-file.ts';
import type { CacheKey } from './cache-key.ts';
import { openEntry, sealEntry } from './sealed-entry.ts';

const FILE = 'index.sealed';
const DRAFT = 'index.draft';
const MAX_ENTRIES = 10_000;
const MAX_PURGES = 64;
/** The index has no digest to be known by: its own, which is authenticated. */
const INDEX_GENERATION = 0;

const entrySchema = z.strictObject({
  digest: sha256Text,
  bytes: z.int().min(0),
  generation: z.int().min(1),
  /** Counts uses, of any entry; the lowest was used longest ago. */
  lastUse: z.int().min(0),
});
const purgeSchema = z.strictObject({
  id: uuid,
  reason: z.enum(CACHE_PURGE_REASONS),
  purgedAt: instantText,
  entries: z
    .array(z.strictObject({ digest: sha256Text, bytes: z.int().min(0), finding: identifier.nullable() }))
    .min(1)
    .max(MAX_PURGED_ENTRIES),
});
const schema = z.strictObject({
  mediaType: z.literal('application/vnd.witnessmark.cache-index.v1+json'),
  generation: z.int().min(0),
  uses: z.int().min(0),
  entries: z.array(entrySchema).max(MAX_ENTRIES),
  purges: z.array(purgeSchema).max(MAX_PURGES),
});

export type CachedEntry = z.infer<typeof entrySchema>;
export type Purge = z.infer<typeof purgeSchema>;
export type CacheIndex = z.infer<typeof schema>;

export const EMPTY_INDEX: CacheIndex = {
  mediaType: 'application/vnd.witnessmark.cache-index.v1+json',
  generation: 0,
  uses: 0,
  entries: [],
  purges: [],
};

/** Throws what {@link openEntry} throws for an index that is not the one that was written. */
export async function readIndex(files: FileSystem, key: CacheKey): Promise<CacheIndex> {
  const bytes = await files.read(FILE);
  if (bytes === null) return EMPTY_INDEX;
  const content = openEntry(key, { digest: digestIn(bytes), generation: INDEX_GENERATION }, bytes);
  try {
    return schema.parse(parseStrictJson(content, { maxBytes: content.length, maxDepth: 8, maxValues: 200_000 }));
  } catch (cause) {
    if (!(cause instanceof WitnessmarkError || cause instanceof z.ZodError)) throw cause;
    throw new StationRefusal('LS-321', { expected: 'an index of this program', observed: 'another one', cause });
  }
}

/** Durable when it resolves; a crash leaves the old one or the new one. */
export async function writeIndex(files: FileSystem, key: CacheKey, index: CacheIndex): Promise<void> {
  await replaceFile(files, { path: FILE, draft: DRAFT }, sealEntry(key, INDEX_GENERATION, formatJson(index)));
}

/** The digest an entry claims; whether it is true is for whoever opens it to say. */
function digestIn(entry: Bytes): string {
  const DIGEST_AT = 32;
  const claimed = entry.subarray(DIGEST_AT, DIGEST_AT + 32);
  return claimed.length === 32 ? Buffer.from(claimed).toString('hex') : sha256Hex(entry);
}
