// SPDX-License-Identifier: Apache-2.0
import { WitnessmarkError } from '@witnessmark/core';

export type LogErrorCode =
  /** The log cannot know what is stored. Stop, start again, re-read; the outcome of unanswered entries is unknown until then. */
  | 'ERR_LOG_FATAL'
  | 'ERR_LOG_CLOSED'
  /** More waits than the log takes on; nothing of this entry is stored, try again later. */
  | 'ERR_LOG_OVERLOADED'
  | 'ERR_LOG_ENTRY_SIZE'
  /** The bytes to be journalled are not the bytes that arrived. */
  | 'ERR_LOG_ENTRY_CHANGED'
  | 'ERR_LOG_INDEX';

export class LogError extends WitnessmarkError<LogErrorCode> {}
