// SPDX-License-Identifier: Apache-2.0
/** A thread of fsck (see bundle-scan.ts). */
import { parentPort, workerData } from 'node:worker_threads';
import type { FsckWorkerData } from './bundle-scan.ts';
import { RangeChecker, type BundleRange } from './range-check.ts';

const port = parentPort;
if (port === null) throw new TypeError('this file runs as a worker thread');

const { directory, keys } = workerData as FsckWorkerData;
const checker = new RangeChecker(directory, keys);

port.on('message', (range: BundleRange) => {
  port.postMessage(checker.check(range));
});
