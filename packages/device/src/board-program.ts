// SPDX-License-Identifier: Apache-2.0
/** Process adapter: the main part of the programs that serve one simulated board each, for `BoardProcess` and by hand. */
import { encodeHex, type Bytes } from '@witnessmark/core';

interface ServedBoard {
  readonly server: { readonly port: number; close(): Promise<void> };
  readonly uniqueId: Bytes;
}

/**
 * Prints one line of JSON with the port once `open` listens, and ends with status 0 after the server has closed: on
 * SIGTERM, on SIGINT, or when the process that started it over a channel is gone, however that one ended. Ends with status 2,
 * and the reason on the error stream, when it does not open.
 */
export async function runBoardProgram(open: () => Promise<ServedBoard>): Promise<void> {
  try {
    const { server, uniqueId } = await open();
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void server.close());
    process.once('disconnect', () => void server.close());
    process.channel?.unref();
    // The other end was gone before anybody listened here.
    if (process.send !== undefined && !process.connected) await server.close();
    process.stdout.write(`${JSON.stringify({ port: server.port, uniqueId: encodeHex(uniqueId) })}\n`);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 2;
  }
}
