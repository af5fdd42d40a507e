// SPDX-License-Identifier: Apache-2.0
/** What a line does for a station that works while it does not answer (spec/offline-allowance.md, spec/offline-spool.md). */
import type { Envelope } from '@witnessmark/core';
import type { BatchItem, BatchOutcome } from './batch.ts';
import type { LoggedEntry } from './line-service.ts';

/** Rejects as a `LineService` does; both may be repeated with the same statements. */
export interface OfflineService {
  /** A request signed by the station; answers with the allowance as it was logged. */
  requestAllowance(request: Envelope): Promise<LoggedEntry>;
  /** Many statements in their order, each answered for itself. */
  submitAll(items: readonly BatchItem[]): Promise<readonly BatchOutcome[]>;
}
