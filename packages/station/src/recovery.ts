// SPDX-License-Identifier: Apache-2.0
/**
 * After a restart: every transaction the journal still holds is taken to a record. Running it again, or being cut off in
 * it, changes nothing about how units end.
 */
import { ApiError } from '@witnessmark/api';
import type { FlowTools } from './flow-tools.ts';
import type { Transaction } from './journal.ts';
import type { UnitResult } from './ports.ts';
import { UnitFlow } from './unit-flow.ts';

export interface RecoveryReport {
  /** How each unit of the journal ended, those included that had ended before; oldest first. */
  readonly units: readonly UnitResult[];
  /** Transactions that still wait, most often for the line. */
  readonly pending: number;
}

export async function recoverTransactions(tools: FlowTools): Promise<RecoveryReport> {
  const { journal } = tools.ports;
  await synchroniseIfPossible(tools);
  const units: UnitResult[] = [];
  for (const transaction of [...journal.transactions]) {
    if (transaction.records[0]?.fact.kind === 'refused') await tools.refusals.deliver(transaction);
    else units.push(await new UnitFlow(tools, transaction.id).resume(transaction));
  }
  const recorded = new Set(units.filter(({ record }) => record !== null).map(({ transactionId }) => transactionId));
  const pending = journal.transactions.filter((transaction) => !isClosed(transaction) || !recorded.has(transaction.id));
  return { units, pending: pending.length };
}

/** Whether nothing is left to do, if the receipt holds. */
export function isClosed({ records }: Transaction): boolean {
  return records.at(-1)?.fact.kind === 'closed';
}

/** Reading a device back cannot wait for the line: the board is in the fixture now. */
async function synchroniseIfPossible({ time }: FlowTools): Promise<void> {
  try {
    await time.synchronise();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
  }
}
