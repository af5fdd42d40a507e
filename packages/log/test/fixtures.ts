// SPDX-License-Identifier: Apache-2.0
/** Logs in temporary directories, entries that are real envelopes, and views small enough to reason about. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  encodeUtf8,
  formatEnvelope,
  parseStrictJson,
  sha256Hex,
  STATEMENT_PAYLOAD_TYPE,
  type Bytes,
  type Clock,
  type Envelope,
} from '@witnessmark/core';
import { generateSoftwareKey, NoteSigner, signEnvelope, type SoftwareKey } from '@witnessmark/custody';
import { openSqliteStore, type Store, type UnitRow, type ViewChange } from '@witnessmark/store';
import { hashLeaf, openCheckpoint, verifyInclusion } from '@witnessmark/tlog';
import { EvidenceLog, TileStorage, type EvidenceLogOptions, type Projection, type Receipt } from '../src/index.ts';

/** Memory where there is a memory file system: the tests are about order, not about disks. */
const BASE = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

export const ORIGIN = 'log.example/line-1';

export function temporaryDirectory(): { readonly directory: string; readonly remove: () => void } {
  const directory = mkdtempSync(join(BASE, 'witnessmark-log-'));
  return {
    directory,
    remove: () => {
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export function withTemporaryDirectory(use: (directory: string) => Promise<void>): () => Promise<void> {
  return async () => {
    const { directory, remove } = temporaryDirectory();
    try {
      await use(directory);
    } finally {
      remove();
    }
  };
}

export const signer = new NoteSigner(ORIGIN, generateSoftwareKey('ed25519'));
export const stationKey = generateSoftwareKey('ecdsa-sha2-nistp256');

export class SettableClock implements Clock {
  time = Date.UTC(2026, 2, 4, 5, 6, 7);

  now(): number {
    return this.time;
  }

  monotonic(): number {
    return this.time;
  }
}

/** An entry says which unit it makes. */
export async function unitEntry(name: string, label = `LABEL-${name}`, key: SoftwareKey = stationKey): Promise<Bytes> {
  const payload = encodeUtf8(JSON.stringify({ name, label }));
  return formatEnvelope(await signEnvelope(STATEMENT_PAYLOAD_TYPE, payload, [key]));
}

export async function unitEntries(count: number, prefix = 'u'): Promise<readonly Bytes[]> {
  return Promise.all(Array.from({ length: count }, (_, number) => unitEntry(`${prefix}${number}`)));
}

export const projectUnit: Projection = (index, envelope: Envelope) => {
  const { name, label } = parseStrictJson(envelope.payload) as { name: string; label: string };
  return [insertUnit(name, label, index)];
};

export function insertUnit(name: string, label: string, index: number): ViewChange {
  const row: UnitRow = {
    device_id: `device-${name}`,
    label_serial: label,
    public_key_digest: null,
    hardware_uid: `uid-${name}`,
    sku: 'GW-210',
    state: 'open',
    head_seq: 1,
    head_digest: sha256Hex(encodeUtf8(name)),
    attempts: 1,
    release_id: null,
    line: 'L1',
    station: 'S1',
    open_transaction: null,
    open_intent_index: null,
    last_index: index,
  };
  return { op: 'insert', table: 'unit', row };
}

export interface OpenedLog {
  readonly log: EvidenceLog;
  readonly store: Store;
  readonly tiles: TileStorage;
  readonly clock: SettableClock;
  /** Closes the log, then its store. */
  close(): Promise<void>;
}

export type OpenOptions = Partial<EvidenceLogOptions> & { readonly clock?: SettableClock };

/** Publishes only when told to. */
export async function openLog(directory: string, options: OpenOptions = {}): Promise<OpenedLog> {
  const store = options.store ?? openSqliteStore({ path: join(directory, 'line.db') });
  const tiles = options.tiles ?? new TileStorage(join(directory, 'log'));
  const clock = options.clock ?? new SettableClock();
  const limits = { publishIntervalMs: 1e9, ...options.limits };
  try {
    const log = await EvidenceLog.open({ signer, ...options, store, tiles, clock, limits });
    const close = async (): Promise<void> => {
      await log.close();
      await store.close();
    };
    return { log, store, tiles, clock, close };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** Appends entries with the views they make. */
export function appendUnit(log: EvidenceLog, entry: Bytes, name: string, label = `LABEL-${name}`): Promise<Receipt> {
  return log.append({ entry, changes: (index) => [insertUnit(name, label, index)] });
}

export function appendUnits(log: EvidenceLog, entries: readonly Bytes[], prefix = 'u'): Promise<readonly Receipt[]> {
  return Promise.all(entries.map((entry, number) => appendUnit(log, entry, `${prefix}${number}`)));
}

/** As a verifier does it: checkpoint signature, leaf from the bytes, path to the root. Throws. */
export function verifyReceipt(entry: Bytes, { index, proof, checkpoint }: Omit<Receipt, 'leafHash'>): void {
  const { treeSize, rootHash } = openCheckpoint(checkpoint, signer.verifierKey);
  verifyInclusion({ leafHash: hashLeaf(entry), index, treeSize, proof, rootHash });
}

export function refusal(code: string): Error {
  return expectation({ code });
}

/** What `toThrow` and `rejects.toThrow` take for an error with these properties. */
function expectation(properties: object): Error {
  return { asymmetricMatch: (error: unknown) => matches(error, properties) } as unknown as Error;
}

function matches(error: unknown, properties: object): boolean {
  return (
    error instanceof Error &&
    Object.entries(properties).every(([name, value]) => (error as unknown as Record<string, unknown>)[name] === value)
  );
}
