// SPDX-License-Identifier: Apache-2.0
/** The station configuration and the trusted root that options name. */
import { parseTrustedRoot, type TrustedRoot } from '@witnessmark/attestation';
import { loadConfig, namedConfig, stationConfigSchema, type LoadedConfig, type StationConfig } from './config.ts';
import { DataDirectory } from './data-directory.ts';
import { usageError } from './error.ts';
import { DOCUMENT_BYTES, readFile } from './files.ts';

export function openStationConfig(options: {
  readonly data: string | undefined;
  readonly config: string | undefined;
}): LoadedConfig<StationConfig> {
  return loadConfig(
    namedConfig(options, (data) => DataDirectory.open(data).stationConfig),
    stationConfigSchema,
  );
}

export function readTrustedRoot(options: {
  readonly trust: string | undefined;
  readonly data: string | undefined;
}): TrustedRoot {
  const file = options.trust ?? (options.data === undefined ? undefined : DataDirectory.open(options.data).trustedRoot);
  if (file === undefined) throw usageError('--trust (or WITNESSMARK_TRUST) or --data is missing');
  return parseTrustedRoot(readFile(file, DOCUMENT_BYTES));
}
