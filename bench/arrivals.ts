// SPDX-License-Identifier: Apache-2.0
/** A thread that says when the next request arrives: Poisson arrivals at a fixed rate, whatever becomes of the requests. */
import { parentPort, workerData } from 'node:worker_threads';

export interface ArrivalOptions {
  readonly perSecond: number;
  readonly seconds: number;
}

/**
 * Between two messages: each wakes this thread and the loop that is measured, and thousands of them would take a
 * good part of a core away from what is measured. What was due earlier counts from when it was due.
 */
const MIN_PAUSE_MS = 0.5;

const port = parentPort;
if (port === null) throw new TypeError('this file runs as a worker thread');

const { perSecond, seconds } = workerData as ArrivalOptions;
const cell = new Int32Array(new SharedArrayBuffer(4));
const start = performance.timeOrigin + performance.now();
const end = start + seconds * 1_000;

let next = start;
let earliest = start;
while (next < end) {
  const now = performance.timeOrigin + performance.now();
  const until = Math.max(next, earliest);
  if (until > now) Atomics.wait(cell, 0, 0, until - now);
  const due: number[] = [];
  for (const reached = performance.timeOrigin + performance.now(); next <= reached && next < end;) {
    due.push(next);
    next += (-Math.log(1 - Math.random()) * 1_000) / perSecond;
  }
  if (due.length === 0) continue;
  port.postMessage(due);
  earliest = performance.timeOrigin + performance.now() + MIN_PAUSE_MS;
}
port.postMessage([]);
