// SPDX-License-Identifier: Apache-2.0
import { WitnessmarkError } from '@witnessmark/core';

export type TlogErrorCode =
  | 'ERR_TLOG_CHECKPOINT'
  | 'ERR_TLOG_CHECKPOINT_EXTENSION'
  | 'ERR_TLOG_CHECKPOINT_ORIGIN'
  | 'ERR_TLOG_CONSISTENCY_PROOF'
  | 'ERR_TLOG_COSIGNATURE'
  | 'ERR_TLOG_ENTRY_BUNDLE'
  | 'ERR_TLOG_ENTRY_TOO_LARGE'
  | 'ERR_TLOG_FRONTIER'
  | 'ERR_TLOG_INCLUSION_PROOF'
  | 'ERR_TLOG_LOG_PROOF'
  | 'ERR_TLOG_TILE'
  | 'ERR_TLOG_TILE_PATH';

export class TlogError extends WitnessmarkError<TlogErrorCode> {}
