// SPDX-License-Identifier: Apache-2.0
/** What the benches of the log share: signed entries of the usual size, a log in a directory, medians, a Poisson clock. */
import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  encodeUtf8,
  formatEnvelope,
  parsePublicKey,
  preAuthEncoding,
  STATEMENT_PAYLOAD_TYPE,
  type Bytes,
  type Clock,
  type PublicKey,
} from '@witnessmark/core';
import { generateSoftwareKey, NoteSigner } from '@witnessmark/custody';
import { EvidenceLog, TileStorage, type EvidenceLogOptions } from '@witnessmark/log';
import { openSqliteStore, type SqliteStore } from '@witnessmark/store';

/** Rates and latencies are meant for a machine on which one verification takes so many microseconds. */
export const REFERENCE_VERIFY = 46;
/** Makes an envelope of 1.4 KB. */
const PAYLOAD_BYTES = 868;

export interface Workload {
  readonly entries: readonly Bytes[];
  readonly key: PublicKey;
}

export function signedEntries(count: number): Workload {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = parsePublicKey(Uint8Array.from(publicKey.export({ type: 'spki', format: 'der' })));
  const entries = Array.from({ length: count }, (_, number) => {
    const payload = encodeUtf8(JSON.stringify({ number, text: '' }).padEnd(PAYLOAD_BYTES, ' '));
    const sig = Uint8Array.from(sign('sha256', preAuthEncoding(STATEMENT_PAYLOAD_TYPE, payload), privateKey));
    return formatEnvelope({
      payloadType: STATEMENT_PAYLOAD_TYPE,
      payload,
      signatures: [{ keyid: key.keyid, sig }],
    });
  });
  return { entries, key };
}

export const systemClock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };

export interface OpenedLog {
  readonly log: EvidenceLog;
  readonly store: SqliteStore;
}

export async function openLog(directory: string, options: Partial<EvidenceLogOptions> = {}): Promise<OpenedLog> {
  mkdirSync(directory, { recursive: true });
  const store = openSqliteStore({ path: join(directory, 'line.db') });
  const signer = new NoteSigner('bench.example/log', generateSoftwareKey('ed25519'));
  const tiles = new TileStorage(join(directory, 'log'));
  const log = await EvidenceLog.open({ store, tiles, signer, clock: systemClock, ...options });
  return { log, store };
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** CPU microseconds that this process spends on `work`, kernel included, divided by `count`. */
export async function cpuMicroseconds(count: number, work: () => void | Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / count;
}
