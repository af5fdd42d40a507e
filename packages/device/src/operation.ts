// SPDX-License-Identifier: Apache-2.0
/** How every operation of every driver begins: with the profile's time limit, the caller's signal and no start repeated. */
import { runBounded } from './bounded.ts';
import type { DriverOutcome, OperationOptions } from './contract.ts';
import type { BoardProfile, TimeLimits } from './profile.ts';

/** What the work of an operation gets. */
export interface Work {
  /** Fires when it has to stop; what it has asked the part for is of no use from then on. */
  readonly signal: AbortSignal;
  /** To be called when a start of a tool is repeated; `start` counts from 1. */
  readonly onRetry: (start: number, detail: string) => void;
}

/** Runs `body` as `runBounded` does; `name` says whose time limit in the profile counts when the caller gives none. */
export async function runOperation<T>(
  profile: BoardProfile,
  name: keyof TimeLimits,
  options: OperationOptions | undefined,
  body: (work: Work) => Promise<T>,
): Promise<DriverOutcome<T>> {
  const timeoutMs = options?.timeoutMs ?? profile.timeLimitsMs[name];
  const onRetry = (start: number, detail: string): void => options?.onRetry?.({ operation: name, start, detail });
  return runBounded({ name, timeoutMs, signal: options?.signal }, async (signal) => body({ signal, onRetry }));
}
