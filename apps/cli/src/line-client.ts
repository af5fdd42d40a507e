// SPDX-License-Identifier: Apache-2.0
/** The line as people's commands reach it. */
import { HttpLineService } from '@witnessmark/api';
import { loadConfig, stationConfigSchema, type LoadedConfig, type StationConfig } from './config.ts';
import { DataDirectory } from './data-directory.ts';
import { usageError } from './error.ts';
import { openLineConnection, parseLineUrl, type LineConnection } from './identity/connection.ts';

const LINE_TIMEOUT_MS = 10_000;

export function openLineClient(
  options: { readonly data: string | undefined; readonly line: string | undefined },
  signal: AbortSignal,
): HttpLineService {
  const baseUrl = options.line ?? configOf(options.data).values.lineUrl;
  const { protocol } = parseLineUrl(baseUrl);
  // Plain HTTP beyond this machine is for reading what is public and for statements that people sign.
  const client = protocol === 'https:' ? { fetch: connectLater(configOf(options.data), baseUrl) } : {};
  return new HttpLineService({ baseUrl, timeoutMs: LINE_TIMEOUT_MS, signal, ...client });
}

function configOf(data: string | undefined): LoadedConfig<StationConfig> {
  if (data === undefined) throw usageError('--line (or WITNESSMARK_LINE) or --data is missing; https needs --data');
  return loadConfig(DataDirectory.open(data).stationConfig, stationConfigSchema);
}

/** A key is opened when it is needed; idle connections do not keep a program from ending. */
function connectLater(config: LoadedConfig<StationConfig>, baseUrl: string): typeof fetch {
  let connection: Promise<LineConnection> | undefined;
  return async (input, init) => {
    connection ??= openLineConnection(config, baseUrl);
    const { client } = await connection;
    return (client.fetch ?? globalThis.fetch)(input, init);
  };
}
