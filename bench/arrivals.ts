// SPDX-License-Identifier: Apache-2.0
/** A thread that says when the next request arrives: Poisson arrivals at a fixed rate, whatever becomes of the requests. */
import { parentPort, workerData } from 'node:worker_threads';

export interface ArrivalOptions {
  readonly perSecond: number;
  readonly seconds: number;
}

const port = parentPort;
if (port === null) throw new TypeError('this file runs as a worker thread');

const { perSecond, seconds } = workerData as ArrivalOptions;
const cell = new Int32Array(new SharedArrayBuffer(4));
const start = performance.timeOrigin + performance.now();
const end = start + seconds * 1_000;

let next = start;
while (next < end) {
  const now = performance.timeOrigin + performance.now();
  if (next > now) Atomics.wait(cell, 0, 0, next - now);
  const due: number[] = [];
  for (const until = performance.timeOrigin + performance.now(); next <= until;) {
    due.push(next);
    next += (-Math.log(1 - Math.random()) * 1_000) / perSecond;
  }
  if (due.length > 0) port.postMessage(due);
}
port.postMessage([]);
