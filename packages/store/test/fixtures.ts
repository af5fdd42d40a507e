// SPDX-License-Identifier: Apache-2.0
/** Small valid rows and commits. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256, type Bytes } from '@witnessmark/core';
import type { CommitOutcome, EntryChanges, EventRow, RefusalRow, Store, UnitRow, ViewChange } from '../src/index.ts';

export function withTemporaryDirectory<T>(use: (directory: string) => Promise<T>): () => Promise<T> {
  return async () => {
    const directory = mkdtempSync(join(tmpdir(), 'witnessmark-store-'));
    try {
      return await use(directory);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  };
}

export function unitRow(name: string, changes: Partial<UnitRow> = {}): UnitRow {
  return {
    device_id: `device-${name}`,
    label_serial: `LABEL-${name}`,
    public_key_digest: null,
    hardware_uid: `uid-${name}`,
    sku: 'GW-210',
    state: 'open',
    head_seq: 1,
    head_digest: `digest-${name}`,
    attempts: 1,
    release_id: 'R1',
    line: 'L1',
    station: 'S1',
    open_transaction: null,
    open_intent_index: null,
    last_index: 0,
    ...changes,
  };
}

export function eventRow(name: string, index: number, changes: Partial<EventRow> = {}): EventRow {
  return {
    event_id: `event-${name}`,
    device_id: `device-${name}`,
    seq: 1,
    kind: 'intent',
    type: 'provision',
    outcome: null,
    code: null,
    log_index: index,
    payload_digest: `digest-${name}`,
    station: 'S1',
    operator: 'o.meier',
    at: '2026-03-04T05:06:07.000Z',
    slot: null,
    attempt: 1,
    ...changes,
  };
}

export function refusalRow(name: string, index: number, changes: Partial<RefusalRow> = {}): RefusalRow {
  return {
    refusal_id: `refusal-${name}`,
    code: 'LS-101',
    kind: 'LINE_STOP',
    device_id: `device-${name}`,
    label_serial: null,
    station: 'S1',
    line: 'L1',
    log_index: index,
    payload_digest: `digest-${name}`,
    at: '2026-03-04T05:06:07.000Z',
    state: 'open',
    disposition_id: null,
    slot: null,
    ...changes,
  };
}

export function insertUnit(name: string, changes: Partial<UnitRow> = {}): ViewChange {
  return { op: 'insert', table: 'unit', row: unitRow(name, changes) };
}

/** A root hash that depends on the size only: the store does not look inside. */
export function rootOf(treeSize: number): Bytes {
  return sha256(Uint8Array.of(treeSize & 0xff, treeSize >> 8));
}

export interface CommitOptions {
  readonly pruneBelow?: number;
  readonly expected?: Parameters<Store['commit']>[0]['expected'];
}

/** Commits entries that carry these changes on top of the store's head. */
export async function commitEntries(
  store: Store,
  entries: readonly EntryChanges[],
  options: CommitOptions = {},
): Promise<CommitOutcome> {
  const head = await store.head();
  const firstIndex = head?.treeSize ?? 0;
  return store.commit({
    expected: 'expected' in options ? options.expected : head,
    entries,
    seal: (accepted) => {
      const treeSize = firstIndex + accepted.length;
      return Promise.resolve({
        head: {
          treeSize,
          rootHash: rootOf(treeSize),
          checkpoint: Uint8Array.of(1, 2, 3),
          committedAt: 1_000 + treeSize,
        },
        journal: { firstIndex, entryCount: accepted.length, entries: Uint8Array.of(0, 1, accepted.length) },
        pruneBelow: options.pruneBelow ?? 0,
      });
    },
  });
}

export async function dumpOf(store: Store): Promise<readonly string[]> {
  const rows: string[] = [];
  for await (const row of store.dump()) rows.push(`${row.table} ${row.text}`);
  return rows;
}
