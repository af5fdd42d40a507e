// SPDX-License-Identifier: Apache-2.0
import { STATEMENT_PAYLOAD_TYPE, type Bytes } from '@witnessmark/core';
import { signEnvelope } from '@witnessmark/custody';
import type { LineContext } from './line-context.ts';
import type { LoggedRecord } from './records.ts';
import { kindOf, parseLoggable } from './statements.ts';

/**
 * Logs what the line states of its own accord, by its own signature alone; no rule judges it but the constraints of the
 * views. Throws a `ConflictError` when they do not allow it.
 */
export async function logOwnStatement(
  payload: Bytes,
  { signer, records, counters }: Pick<LineContext, 'signer' | 'records' | 'counters'>,
): Promise<LoggedRecord> {
  const envelope = await signEnvelope(STATEMENT_PAYLOAD_TYPE, payload, [signer]);
  const statement = parseLoggable(payload);
  const record = await records.append(envelope, statement);
  counters.entries.add({ kind: kindOf(statement) });
  return record;
}
