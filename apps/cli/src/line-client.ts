// SPDX-License-Identifier: Apache-2.0
/** The line as people's commands reach it. */
import { HttpLineService } from '@witnessmark/api';
import { loadConfig, stationConfigSchema } from './config.ts';
import { DataDirectory } from './data-directory.ts';
import { usageError } from './error.ts';

const LINE_TIMEOUT_MS = 10_000;

export function openLineClient(
  options: { readonly data: string | undefined; readonly line: string | undefined },
  signal: AbortSignal,
): HttpLineService {
  const baseUrl = options.line ?? configuredUrl(options.data);
  if (!/^https?:\/\//.test(baseUrl)) throw usageError('--line takes a URL, for example http://127.0.0.1:7300');
  return new HttpLineService({ baseUrl, timeoutMs: LINE_TIMEOUT_MS, signal });
}

function configuredUrl(data: string | undefined): string {
  if (data === undefined) throw usageError('--line (or WITNESSMARK_LINE) or --data is missing');
  return loadConfig(DataDirectory.open(data).stationConfig, stationConfigSchema).values.lineUrl;
}
