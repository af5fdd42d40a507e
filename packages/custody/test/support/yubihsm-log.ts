// SPDX-License-Identifier: Apache-2.0
/** Audit logs as a YubiHSM writes them, made from the published format of GET LOG ENTRIES; no device made them. */
import { entryDigest, type YubiHsmLog } from '@witnessmark/custody';

/** A log of these events, each chained to the one before. */
export function recordTokenLog(
  events: { command: number; targetKey: number; result?: number }[],
  from = 1,
): YubiHsmLog {
  let previous = new Uint8Array(16);
  const entries = events.map(({ command, targetKey, result = command | 0x80 }, index) => {
    const number = (from + index) % 65_536;
    const entry = {
      number,
      command,
      length: 34,
      sessionKey: 1,
      targetKey,
      secondKey: 0xffff,
      result,
      tick: 100 + index,
    };
    previous = Uint8Array.from(entryDigest(entry, previous));
    return { ...entry, digest: previous };
  });
  return { unloggedBoots: 0, unloggedAuthentications: 0, entries };
}

export function formatTokenLog(log: YubiHsmLog): Uint8Array {
  const bytes = Buffer.alloc(5 + log.entries.length * 32);
  bytes.writeUInt8(log.entries.length, 4);
  for (const [index, entry] of log.entries.entries()) {
    const at = 5 + index * 32;
    bytes.writeUInt16BE(entry.number, at);
    bytes.writeUInt8(entry.command, at + 2);
    bytes.writeUInt16BE(entry.length, at + 3);
    bytes.writeUInt16BE(entry.sessionKey, at + 5);
    bytes.writeUInt16BE(entry.targetKey, at + 7);
    bytes.writeUInt16BE(entry.secondKey, at + 9);
    bytes.writeUInt8(entry.result, at + 11);
    bytes.writeUInt32BE(entry.tick, at + 12);
    bytes.set(entry.digest, at + 16);
  }
  return Uint8Array.from(bytes);
}
