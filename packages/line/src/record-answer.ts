// SPDX-License-Identifier: Apache-2.0
/** Logged entries as the API answers with them, written around the entries' own bytes: nothing is encoded twice. */
import { problemOf } from './http-problem.ts';
import type { LoggedRecord } from './records.ts';

const COMMA = Buffer.from(',');

/** In parts that follow each other. */
export function formatRecord({ index, entry, proof }: LoggedRecord): readonly Uint8Array[] {
  return [Buffer.from(`{"index":${index},"envelope":`), entry, Buffer.from(`,"proof":${JSON.stringify(proof)}}`)];
}

/** One result for each statement, in their order; `onFault` hears of faults that are not the caller's. */
export function formatBatchResults(
  results: readonly PromiseSettledResult<LoggedRecord>[],
  onFault?: (error: unknown) => void,
): Buffer {
  const parts: Uint8Array[] = [Buffer.from('{"results":[')];
  for (const [position, result] of results.entries()) {
    if (position > 0) parts.push(COMMA);
    if (result.status === 'fulfilled') {
      parts.push(Buffer.from('{"entry":'), ...formatRecord(result.value), Buffer.from(',"problem":null}'));
    } else {
      const problem = problemOf(result.reason);
      if (problem.status === 500) onFault?.(result.reason);
      parts.push(Buffer.from(`{"entry":null,"problem":${JSON.stringify(problem)}}`));
    }
  }
  parts.push(Buffer.from(']}'));
  return Buffer.concat(parts);
}
