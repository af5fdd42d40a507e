// SPDX-License-Identifier: Apache-2.0
export { openCacheKey } from './cache-key.ts';
export { reportPurges } from './purge-report.ts';
export { SealedCache } from './sealed-cache.ts';

export type { CacheKey, CacheKeyGrade } from './cache-key.ts';
export type { CachedEntry, Purge } from './cache-index.ts';
export type { CacheFinding, SealedCacheOptions } from './sealed-cache.ts';
