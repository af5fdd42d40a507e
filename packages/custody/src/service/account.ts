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

/** The same one by one, in the order of their outcomes, with nothing in memory but what is open. Throws CU-157. */
export function* streamAccount(dir: string): Generator<AccountedRequest> {
  const open = new Map<string, IntentRecord>();
  for (const record of readJournal(dir)) {
    if (record.kind === 'intent') open.set(record.id, record);
    if (record.kind === 'intent' || record.kind === 'segment') continue;
    const intent = open.get(record.id);
    // A segment repeats what was open, so each outcome finds its intent once.
    if (intent !== undefined) yield toRequest(intent, OUTCOMES[record.kind]);
    open.delete(record.id);
  }
  for (const intent of open.values()) yield toRequest(intent, 'unknown');
}

function toRequest(intent: IntentRecord, outcome: AccountedRequest['outcome']): AccountedRequest {
  const { id, at, client, key, keyid, purpose, digest } = intent;
  return { id, at, client, key, keyid, purpose, digest, outcome };
}

/** An intent without an outcome is `unknown`. */
export function toAccount(records: Iterable<JournalRecord>): AccountedRequest[] {
  const account = new Map<string, AccountedRequest>();
  const put = (intent: IntentRecord): void => {
    if (!account.has(intent.id)) account.set(intent.id, toRequest(intent, 'unknown'));
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
