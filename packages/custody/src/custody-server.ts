// SPDX-License-Identifier: Apache-2.0
/**
 * The custody process: `node custody-server.js CONFIG.json`. It opens one token, reads the attributes of every key back,
 * refuses to start when one is not as its policy says, and then signs for clients it knows. It prints `ready` once it
 * listens, and ends on SIGTERM or SIGINT after it has answered what it was asked.
 */
import { readFileSync } from 'node:fs';
import { RefusedError } from '@witnessmark/core';
import { parseCustodyConfig } from './service/custody-config.ts';
import { runCustody } from './service/run-custody.ts';

const path = process.argv[2];
try {
  if (path === undefined || process.argv.length !== 3)
    throw new RefusedError('CU-152', 'usage: custody-server CONFIG.json');
  const custody = await runCustody(parseCustodyConfig(Uint8Array.from(readFileSync(path))));
  let ending: Promise<void> | null = null;
  const end = (): void => {
    ending ??= custody.close().finally(() => process.exit());
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
  process.stdout.write('ready\n');
} catch (error) {
  const text = error instanceof RefusedError ? `${error.code} ${error.message}` : String(error);
  process.stderr.write(`custody-server: ${text}\n`);
  process.exitCode = 1;
}
