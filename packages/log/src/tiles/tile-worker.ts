// SPDX-License-Identifier: Apache-2.0
/** The thread that places tiles (see tile-thread.ts). */
import { parentPort, workerData } from 'node:worker_threads';
import { blockingFiles } from './blocking-files.ts';
import { TileStorage } from './tile-storage.ts';
import type { TileAnswer, TileOrder, TileWorkerData } from './tile-thread.ts';

const port = parentPort;
if (port === null) throw new TypeError('this file runs as a worker thread');

const tiles = new TileStorage((workerData as TileWorkerData).directory, blockingFiles, 'bulk-');

port.on('message', (order: TileOrder) => {
  void carryOut(order).then((answer) => {
    port.postMessage(answer);
  });
});

async function carryOut(order: TileOrder): Promise<TileAnswer> {
  try {
    if (order.kind === 'syncNames') await tiles.syncNames();
    else
      await tiles.place(
        order.files.map(({ path, start, end }) => ({ path, parts: [order.bytes.subarray(start, end)] })),
      );
    return undefined;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
    return { message: error instanceof Error ? error.message : String(error), code };
  }
}
