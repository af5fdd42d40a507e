// SPDX-License-Identifier: Apache-2.0
import type { OfflineService } from '@witnessmark/api';
import type { Spool } from './spool.ts';

/** What a station needs to work while the line does not answer. */
export interface OfflinePort {
  readonly line: OfflineService;
  readonly spool: Spool;
  /** Whether allowances are asked for; how much is allowed is for the line to say. */
  readonly isWanted: boolean;
}
