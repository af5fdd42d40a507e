// SPDX-License-Identifier: Apache-2.0
/** The release cache of a station: sealed with a key that its token wraps, or that lies in a file of the station's directory. */
import { join } from 'node:path';
import { HttpLineService } from '@witnessmark/api';
import { parseTrustedRoot } from '@witnessmark/attestation';
import type { Clock } from '@witnessmark/core';
import { parseKeyReference, type KeyAccess } from '@witnessmark/custody';
import {
  LineTrust,
  openCacheKey,
  openNodeFileSystem,
  reportPurges,
  SealedCache,
  type CacheKey,
  type SealedCacheOptions,
} from '@witnessmark/station';
import type { LoadedConfig, StationConfig } from '../config.ts';
import { DOCUMENT_BYTES, readFile } from '../files.ts';
import { openLineConnection } from '../identity/connection.ts';
import { purposeOfStatement } from '../purpose.ts';

const MIB = 1024 * 1024;
/** Several releases of images as large as flash parts are. */
const DEFAULT_QUOTA_MIB = 1024;
const KEY_FILE = 'cache-key';
const LINE_TIMEOUT_MS = 10_000;

interface CacheEnvironment {
  readonly keyAccess: KeyAccess;
  readonly clock: Clock;
  readonly newId: () => string;
}

export interface StationCache {
  readonly options: SealedCacheOptions;
  readonly key: CacheKey;
}

/** Whoever calls holds the station's directory. Throws LS-326. */
export async function prepareStationCache(
  { values, pathOf }: LoadedConfig<StationConfig>,
  { keyAccess, clock, newId }: CacheEnvironment,
): Promise<StationCache> {
  const { cache, cacheKey, cacheQuotaMiB = DEFAULT_QUOTA_MIB } = values.trust;
  const directory = pathOf(values.directory);
  const key = await openCacheKey({
    files: openNodeFileSystem(directory),
    name: KEY_FILE,
    path: join(directory, KEY_FILE),
    agreement: cacheKey === undefined ? null : await keyAccess.openAgreement(parseKeyReference(cacheKey, pathOf)),
  });
  const files = openNodeFileSystem(pathOf(cache));
  return { key, options: { files, key, maxBytes: cacheQuotaMiB * MIB, clock, newId } };
}

export async function openStationCache(
  config: LoadedConfig<StationConfig>,
  environment: CacheEnvironment,
): Promise<SealedCache> {
  return SealedCache.open((await prepareStationCache(config, environment)).options);
}

/** Puts what was purged on record, if the line answers now; the next start of the station does it otherwise. */
export async function reportStationPurges(
  config: LoadedConfig<StationConfig>,
  cache: SealedCache,
  { keyAccess, clock }: CacheEnvironment,
): Promise<number> {
  if (cache.purges.length === 0) return 0;
  const { values, pathOf } = config;
  const connection = await openLineConnection(config, values.lineUrl);
  try {
    return await reportPurges(cache, {
      clock,
      line: new HttpLineService({ baseUrl: values.lineUrl, timeoutMs: LINE_TIMEOUT_MS, ...connection.client }),
      lineTrust: new LineTrust(parseTrustedRoot(readFile(pathOf(values.trustedRoot), DOCUMENT_BYTES)), values.line),
      signer: await keyAccess.open(parseKeyReference(values.stationKey, pathOf), purposeOfStatement),
      identity: { id: values.station, line: values.line, plant: values.plant },
    });
  } finally {
    connection.close();
  }
}
