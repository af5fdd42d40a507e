// SPDX-License-Identifier: Apache-2.0
/**
 * After a restart: every transaction the journal still holds is taken to a record. Running it again, or being cut off in
 * it, changes nothing about how units end.
 */
import { ApiError } from '@witnessmark/api';
import type { FlowTools } from './flow-tools.ts';
import type { Transaction } from './journal.ts';
import { deliverSpool } from './offline/delivery.ts';
import { toWaiting } from './outcomes.ts';
import type { UnitResult } from './ports.ts';
import { UnitFlow } from './unit-flow.ts';

export interface RecoveryReport {
  /** How each unit of the journal ended, those included that had ended before; oldest first. */
  readonly units: readonly UnitResult[];
  /** Transactions that still wait, most often for the line. */
  readonly pending: number;
  /** Of those, what waits for nothing but the line. */
  readonly waiting: number;
  /** What was found to be wrong with the spool; told once. */
  readonly stop: UnitResult | null;
}

export async function recoverTransactions(tools: FlowTools): Promise<RecoveryReport> {
  const { journal } = tools.ports;
  const isLineAway = await synchroniseIfPossible(tools);
  const units: UnitResult[] = [...(await recoverSpool(tools, isLineAway))];
  for (const transaction of [...journal.transactions]) {
    if (transaction.records[0]?.fact.kind === 'refused') await tools.refusals.deliver(transaction);
    else units.push(await new UnitFlow(tools, transaction.id).resume(transaction));
  }
  const recorded = new Set(units.filter(({ record }) => record !== null).map(({ transactionId }) => transactionId));
  const pending = journal.transactions.filter((transaction) => !isClosed(transaction) || !recorded.has(transaction.id));
  const waiting = pending.filter(waitsForLine);
  return { units, pending: pending.length, waiting: waiting.length, stop: await tellBreach(tools) };
}

/** Nothing is left to do at the device: the intent had no effect yet, or the event is signed. */
function waitsForLine({ records }: Transaction): boolean {
  const kind = records.at(-1)?.fact.kind;
  return kind === 'intended' || kind === 'eventSigned' || kind === 'refused';
}

/** Delivers what was made without the line, when it answers. Returns how units ended that it would not take. */
async function recoverSpool(tools: FlowTools, isLineAway: boolean): Promise<readonly UnitResult[]> {
  const { offline } = tools;
  if (offline === null) return [];
  offline.noteLine(isLineAway);
  await offline.reconcile();
  return isLineAway ? [] : deliverSpool(tools, offline);
}

/** A broken spool is put on record, here and at the line, before anything else is begun. */
async function tellBreach({ offline, refusals, ports }: FlowTools): Promise<UnitResult | null> {
  const breach = offline?.takeBreach() ?? null;
  if (offline === null || breach === null) return null;
  const transactionId = ports.newId();
  const nobody = { deviceId: null, labelSerial: null, operatorId: null };
  const record = await refusals.record(breach, { transactionId, ...nobody, brokenSpool: offline.brokenEnd });
  return { ...toWaiting(transactionId, breach.code, breach.message), record };
}

/** Whether nothing is left to do, if the receipt holds. */
export function isClosed({ records }: Transaction): boolean {
  return records.at(-1)?.fact.kind === 'closed';
}

/** Whether the line is away. Reading a device back cannot wait for it: the board is in the fixture now. */
async function synchroniseIfPossible({ time }: FlowTools): Promise<boolean> {
  try {
    await time.synchronise();
    return false;
  } catch (error) {
    if (error instanceof ApiError) return true;
    throw error;
  }
}
