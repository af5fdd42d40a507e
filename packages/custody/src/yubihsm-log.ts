// SPDX-License-Identifier: Apache-2.0
/**
 * The audit log of a YubiHSM 2, as GET LOG ENTRIES returns it
 * (https://docs.yubico.com/hardware/yubihsm-2/hsm-2-user-guide/hsm2-cmd-reference.html): 62 entries at most, each with
 * the truncated SHA-256 of itself and the digest before it. Written from the published format and tried on fixtures made
 * from it; never on a device.
 */
import { createHash } from 'node:crypto';
import { encodeHex, equalBytes, RefusedError, type Bytes } from '@witnessmark/core';
import type { ReconcileFinding, TokenCount } from './reconcile.ts';

export interface YubiHsmLogEntry {
  readonly number: number;
  readonly command: number;
  readonly length: number;
  readonly sessionKey: number;
  readonly targetKey: number;
  readonly secondKey: number;
  readonly result: number;
  readonly tick: number;
  readonly digest: Bytes;
}

export interface YubiHsmLog {
  readonly unloggedBoots: number;
  readonly unloggedAuthentications: number;
  readonly entries: readonly YubiHsmLogEntry[];
}

export interface YubiHsmAudit {
  readonly counts: readonly TokenCount[];
  readonly findings: readonly ReconcileFinding[];
  /** Where the next reading must continue; null when nothing was ever read. */
  readonly last: YubiHsmLogEntry | null;
}

const HEADER_BYTES = 5;
const ENTRY_BYTES = 32;
const DIGEST_BYTES = 16;
const MAX_ENTRIES = 62;
const NUMBER_MODULUS = 0x1_0000;
const SUCCESS = 0x80;
/** SIGN ECDSA, SIGN EDDSA, SIGN ATTESTATION CERTIFICATE. */
const SIGN_COMMANDS: ReadonlySet<number> = new Set([0x56, 0x6a, 0x64]);

/** Throws CU-165 when the bytes are not a response. */
export function parseYubiHsmLog(bytes: Bytes): YubiHsmLog {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = bytes.length < HEADER_BYTES ? -1 : view.getUint8(4);
  if (count > MAX_ENTRIES || bytes.length !== HEADER_BYTES + count * ENTRY_BYTES) {
    throw new RefusedError('CU-165', `${bytes.length} bytes are not a log of ${count} entries`);
  }
  const entries = Array.from({ length: count }, (_, index): YubiHsmLogEntry => {
    const at = HEADER_BYTES + index * ENTRY_BYTES;
    return {
      number: view.getUint16(at),
      command: view.getUint8(at + 2),
      length: view.getUint16(at + 3),
      sessionKey: view.getUint16(at + 5),
      targetKey: view.getUint16(at + 7),
      secondKey: view.getUint16(at + 9),
      result: view.getUint8(at + 11),
      tick: view.getUint32(at + 12),
      digest: bytes.slice(at + DIGEST_BYTES, at + ENTRY_BYTES),
    };
  });
  return { unloggedBoots: view.getUint16(0), unloggedAuthentications: view.getUint16(2), entries };
}

/**
 * Follows the chain over readings in order, each from where the last ended, and counts signatures by key. `keyids` names
 * the object ids of keys; a signature of another object is a finding.
 */
export function auditYubiHsmLogs(
  logs: readonly YubiHsmLog[],
  keyids: ReadonlyMap<number, string>,
  before: YubiHsmLogEntry | null = null,
): YubiHsmAudit {
  const findings: ReconcileFinding[] = [];
  const counts = new Map([...keyids.values()].map((keyid) => [keyid, 0]));
  let last = before;
  for (const { unloggedBoots, unloggedAuthentications, entries } of logs) {
    if (unloggedBoots > 0 || unloggedAuthentications > 0) {
      findings.push(
        broken('token', `${unloggedBoots} boots and ${unloggedAuthentications} authentications were not logged`),
      );
    }
    for (const entry of entries) {
      // A reading begins with what the one before ended with, when that was not marked as read.
      if (last !== null && entry.number === last.number && equalBytes(entry.digest, last.digest)) continue;
      findings.push(...checkLink(last, entry));
      last = entry;
      if (!SIGN_COMMANDS.has(entry.command) || entry.result !== (entry.command | SUCCESS)) continue;
      const keyid = keyids.get(entry.targetKey);
      if (keyid === undefined) {
        const detail = `object 0x${entry.targetKey.toString(16)} signed and is no key of custody`;
        findings.push({ code: 'CU-163', object: `token log ${entry.number}`, detail });
      } else counts.set(keyid, (counts.get(keyid) ?? 0) + 1);
    }
  }
  return { counts: [...counts].map(([keyid, signatures]) => ({ keyid, signatures })), findings, last };
}

function checkLink(last: YubiHsmLogEntry | null, entry: YubiHsmLogEntry): ReconcileFinding[] {
  // The chain of a log whose beginning was never read starts with what is there.
  if (last === null) return [];
  const object = `token log ${entry.number}`;
  const expected = (last.number + 1) % NUMBER_MODULUS;
  if (entry.number !== expected) return [broken(object, `expected entry ${expected}: entries are missing`)];
  if (equalBytes(entry.digest, entryDigest(entry, last.digest))) return [];
  return [broken(object, `the digest ${encodeHex(entry.digest)} does not follow from the entry before`)];
}

/** The first 16 bytes of SHA-256 over the entry without its digest and the digest before. */
export function entryDigest(entry: Omit<YubiHsmLogEntry, 'digest'>, previous: Bytes): Bytes {
  const data = new DataView(new ArrayBuffer(DIGEST_BYTES));
  data.setUint16(0, entry.number);
  data.setUint8(2, entry.command);
  data.setUint16(3, entry.length);
  data.setUint16(5, entry.sessionKey);
  data.setUint16(7, entry.targetKey);
  data.setUint16(9, entry.secondKey);
  data.setUint8(11, entry.result);
  data.setUint32(12, entry.tick);
  const hash = createHash('sha256').update(new Uint8Array(data.buffer)).update(previous);
  return Uint8Array.from(hash.digest().subarray(0, DIGEST_BYTES));
}

function broken(object: string, detail: string): ReconcileFinding {
  return { code: 'CU-165', object, detail };
}
