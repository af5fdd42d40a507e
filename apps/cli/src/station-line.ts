// SPDX-License-Identifier: Apache-2.0
/** The line as a command reaches it that knows a station's configuration but runs no station. */
import { HttpLineService } from '@witnessmark/api';
import type { LoadedConfig, StationConfig } from './config.ts';
import { openLineConnection } from './identity/connection.ts';

const LINE_TIMEOUT_MS = 10_000;

/** The station's own line, or the one that is named instead; the connection ends with the work. */
export async function withStationLine<T>(
  config: LoadedConfig<StationConfig>,
  {
    line: baseUrl = config.values.lineUrl,
    signal,
  }: { readonly line: string | undefined; readonly signal: AbortSignal },
  work: (line: HttpLineService) => Promise<T>,
): Promise<T> {
  const connection = await openLineConnection(config, baseUrl);
  try {
    return await work(new HttpLineService({ baseUrl, timeoutMs: LINE_TIMEOUT_MS, signal, ...connection.client }));
  } finally {
    connection.close();
  }
}
