// SPDX-License-Identifier: Apache-2.0
import { createServer } from 'node:net';
import { CliError } from '../error.ts';

/** A port nobody listens on now: the preferred one, else any. */
export async function findFreePort(preferred: number): Promise<number> {
  for (const port of [preferred, 0]) {
    const found = await tryPort(port);
    if (found !== null) return found;
  }
  throw new CliError('ERR_CLI_TRANSPORT', 'no port of 127.0.0.1 is free');
}

async function tryPort(port: number): Promise<number | null> {
  const server = createServer();
  const listening = Promise.withResolvers<number | null>();
  server.once('error', () => {
    listening.resolve(null);
  });
  server.listen(port, '127.0.0.1', () => {
    const address = server.address();
    const found = typeof address === 'object' && address !== null ? address.port : null;
    server.close(() => {
      listening.resolve(found);
    });
  });
  return listening.promise;
}
