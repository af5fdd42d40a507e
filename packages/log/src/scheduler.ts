// SPDX-License-Identifier: Apache-2.0
/** When to do what is not to be done at once; a port, so that tests decide the moment. */

export interface Scheduler {
  /** Runs the task after the events that are waiting now were handled. */
  soon(task: () => void): void;
  /** Runs the task after a delay, for which it keeps the process alive; the returned function cancels it. */
  after(delayMs: number, task: () => void): () => void;
}

export const systemScheduler: Scheduler = {
  soon: (task) => {
    setImmediate(task);
  },
  after: (delayMs, task) => {
    const timer = setTimeout(task, delayMs);
    return () => {
      clearTimeout(timer);
    };
  },
};
