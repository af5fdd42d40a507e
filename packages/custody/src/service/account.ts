// SPDX-License-Identifier: Apache-2.0
/** What custody signed, from its journal. */
import { readJournal } from './journal.ts';
import type { IntentRecord, JournalRecord } from './records.ts';

export interface AccountedRequest extends Omit<IntentRecord, 'kind'> {
  /** `signed`, `failed` without a signature, or `unknown`: nobody can tell. */
  readonly outcome: 'signed' | 'failed' | 'unknown';
}

/** Reads a journal directory, also while custody writes it. Throws CU-157. */
export function readAccount(dir: string): AccountedRequest[] {
  return toAccount(readJournal(dir));
}

/** An intent without an outcome is `unknown`. */
export function toAccount(records: Iterable<JournalRecord>): AccountedRequest[] {
  const account = new Map<string, AccountedRequest>();
  const put = (intent: IntentRecord): void => {
    const { id, at, client, key, keyid, purpose, digest } = intent;
    if (!account.has(id)) account.set(id, { id, at, client, key, keyid, purpose, digest, outcome: 'unknown' });
  };
  for (const record of records) {
    if (record.kind === 'intent') put(record);
    else if (record.kind === 'segment') record.open.forEach(put);
    else {
      const request = account.get(record.id);
      const outcome = OUTCOMES[record.kind];
      if (request !== undefined) account.set(record.id, { ...request, outcome });
    }
  }
  return [...account.values()];
}

const OUTCOMES = { result: 'signed', failure: 'failed', unknown: 'unknown' } as const;
