// SPDX-License-Identifier: Apache-2.0
/** What the journal of a station knows of units that were made, or begun, while the line did not answer. */
import type { Envelope } from '@witnessmark/core';
import { parseStatement, provisioningIntent, type ProvisioningIntent } from '@witnessmark/attestation';
import { StationRefusal } from '../error.ts';
import type { JournalFact } from '../journal-format.ts';
import type { Transaction } from '../journal.ts';
import type { StationPorts } from '../ports.ts';
import type { SpoolBreach } from './spool-breach.ts';
import { toSpoolRecord, type SpoolRecord } from './spool-format.ts';

/** Statements of open transactions that have a place in the spool, in its order. */
export function readSpooled(transactions: readonly Transaction[]): readonly SpoolRecord[] {
  const found = transactions.flatMap(({ id, records }) =>
    records.flatMap(({ fact, at }) => {
      const envelope = statementOf(fact);
      const record = envelope === null ? null : toSpoolRecord(envelope, id, at);
      return record === null ? [] : [record];
    }),
  );
  return found.sort((left, right) => left.seq - right.seq);
}

/** A unit is begun once; what became of it at the line is not known here. Throws HD-06. */
export function requireNew(deviceId: string, transactions: readonly Transaction[]): void {
  if (!transactions.some((transaction) => intentOf(transaction)?.identity.deviceId === deviceId)) return;
  throw new StationRefusal('HD-06', {
    expected: 'a unit that waits for nothing',
    observed: 'one that was begun here',
  });
}

/** Keeps for people what a broken spool held beyond `deliveredSeq`, and tells of its units. */
export async function setUnitsAside(
  { code }: SpoolBreach,
  deliveredSeq: number,
  { journal, onRecovered }: Pick<StationPorts, 'journal' | 'onRecovered'>,
): Promise<void> {
  const lost = readSpooled(journal.transactions).filter(({ seq }) => seq > deliveredSeq);
  for (const transactionId of new Set(lost.map((record) => record.transactionId))) {
    const transaction = journal.transactions.find(({ id }) => id === transactionId);
    if (transaction === undefined || transaction.records.at(-1)?.fact.kind === 'closed') continue;
    await journal.reject(transactionId);
    const intent = intentOf(transaction);
    if (intent === null) continue;
    onRecovered?.({
      phase: 'stopped',
      code,
      detail: 'its record was set aside with the broken spool',
      transactionId,
      deviceId: intent.identity.deviceId,
      serial: intent.identity.label?.serial ?? null,
      record: null,
      resumed: true,
      seconds: 0,
    });
  }
}

/** What a unit's transaction began with; null for a refusal. */
function intentOf({ records }: Transaction): ProvisioningIntent | null {
  const fact = records[0]?.fact;
  return fact?.kind === 'intended' ? parseStatement(provisioningIntent, fact.intent.payload).predicate : null;
}

function statementOf(fact: JournalFact): Envelope | null {
  if (fact.kind === 'intended') return fact.intent;
  if (fact.kind === 'eventSigned') return fact.event;
  return fact.kind === 'refused' ? fact.refusal : null;
}
