// SPDX-License-Identifier: Apache-2.0
import { ApiError, LineRefusedError, type BatchOutcome, type LoggedEntry } from '@witnessmark/api';

/** What became of one statement of a batch, in the words of the API. */
export function toBatchOutcome(result: PromiseSettledResult<LoggedEntry>): BatchOutcome {
  if (result.status === 'fulfilled') return { state: 'logged', entry: result.value };
  const cause: unknown = result.reason;
  if (cause instanceof LineRefusedError) return { state: 'refused', error: cause };
  if (cause instanceof ApiError) return { state: 'unknown', error: cause };
  return { state: 'unknown', error: new ApiError('ERR_API_UNREACHABLE', 'a fault of the line', { cause }) };
}
