// SPDX-License-Identifier: Apache-2.0
/** Which metadata an answer rests on; goes into every permit and event (spec/trust-repository.md). */
import { formatInstant, parseInstant, RefusedError, type Instant } from '@witnessmark/core';
import type { TargetReader } from './target-content.ts';

export interface TrustState {
  readonly rootVersion: number;
  readonly targetsVersion: number;
  readonly snapshotVersion: number;
  readonly timestampVersion: number;
  /** RFC 3339 in UTC. */
  readonly timestampExpiresAt: string;
  readonly effectivityVersion: number;
}

/** Targets, and how old what is known of them is. */
export interface UpdatedTargets extends TargetReader {
  update(now: Instant): Promise<TrustState>;
}

/** Throws TR-102 when the metadata ran out since it was fetched: what was fresh at start-up is not fresh for ever. */
export function checkFresh(state: TrustState, now: Instant): void {
  if (now >= parseInstant(state.timestampExpiresAt)) {
    throw new RefusedError(
      'TR-102',
      `timestamp version ${state.timestampVersion} ran out at ${state.timestampExpiresAt}; it is ${formatInstant(now)}`,
    );
  }
}
