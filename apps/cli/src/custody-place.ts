// SPDX-License-Identifier: Apache-2.0
/** Where the custody process of a data directory, or of a configuration, lies. */
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseCustodyConfig, type CustodyConfig } from '@witnessmark/custody';
import { DataDirectory } from './data-directory.ts';
import { usageError } from './error.ts';
import { DOCUMENT_BYTES, readFile } from './files.ts';

const SOFTHSM_CONFIG = 'softhsm2.conf';

/** Reads the configuration that options name. A SoftHSM beside it is the one that is meant, unless the environment names one. */
export function openCustodyPlace(options: {
  readonly data: string | undefined;
  readonly custody: string | undefined;
}): { readonly file: string; readonly config: CustodyConfig } {
  const file =
    options.custody ?? (options.data === undefined ? undefined : new DataDirectory(options.data).custodyConfig);
  if (file === undefined) throw usageError('--custody or --data (or WITNESSMARK_DATA) is missing');
  const config = parseCustodyConfig(readFile(file, DOCUMENT_BYTES));
  useSoftHsmIn(dirname(resolve(file)));
  return { file, config };
}

/** SoftHSM finds its tokens by a variable of the process, and reads it when it starts. */
export function useSoftHsmIn(directory: string): void {
  const config = join(directory, SOFTHSM_CONFIG);
  if (process.env['SOFTHSM2_CONF'] === undefined && existsSync(config)) process.env['SOFTHSM2_CONF'] = config;
}
