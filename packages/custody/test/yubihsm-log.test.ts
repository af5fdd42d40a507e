// SPDX-License-Identifier: Apache-2.0
import { auditYubiHsmLogs, parseYubiHsmLog, type YubiHsmLogEntry } from '@witnessmark/custody';
import { describe, expect, it } from 'vitest';
import { formatTokenLog, recordTokenLog } from './support/yubihsm-log.ts';

const KEYIDS = new Map([
  [0x0101, 'aa'.repeat(32)],
  [0x0102, 'bb'.repeat(32)],
]);
const SIGN_ECDSA = 0x56;
const SIGN_EDDSA = 0x6a;

describe('the audit log of a YubiHSM', () => {
  const log = recordTokenLog([
    { command: 0xff, targetKey: 0xffff, result: 0xff },
    { command: 0x00, targetKey: 0xffff, result: 0x00 },
    { command: 0x03, targetKey: 0xffff, result: 0x83 },
    { command: SIGN_ECDSA, targetKey: 0x0101 },
    { command: SIGN_ECDSA, targetKey: 0x0101 },
    { command: SIGN_EDDSA, targetKey: 0x0102 },
    { command: SIGN_ECDSA, targetKey: 0x0101, result: 0x0b },
  ]);

  it('counts the signatures that succeeded, by key', () => {
    const { counts, findings, last } = auditYubiHsmLogs([parseYubiHsmLog(formatTokenLog(log))], KEYIDS);
    expect(findings).toEqual([]);
    expect(counts).toEqual([
      { keyid: 'aa'.repeat(32), signatures: 2 },
      { keyid: 'bb'.repeat(32), signatures: 1 },
    ]);
    expect(last?.number).toBe(7);
  });

  it('follows the chain over readings that overlap', () => {
    const one = { ...log, entries: log.entries.slice(0, 5) };
    const two = { ...log, entries: log.entries.slice(4) };
    expect(auditYubiHsmLogs([one, two], KEYIDS)).toEqual(auditYubiHsmLogs([log], KEYIDS));
    const first = auditYubiHsmLogs([one], KEYIDS);
    expect(auditYubiHsmLogs([two], KEYIDS, first.last).findings).toEqual([]);
  });

  it('counts on after 65,535', () => {
    const around = recordTokenLog(Array(4).fill({ command: SIGN_ECDSA, targetKey: 0x0101 }), 65_534);
    expect(around.entries.map(({ number }) => number)).toEqual([65_534, 65_535, 0, 1]);
    expect(auditYubiHsmLogs([around], KEYIDS).findings).toEqual([]);
  });

  it.each<[string, (entries: YubiHsmLogEntry[]) => YubiHsmLogEntry[]]>([
    ['an entry was left out', (entries) => entries.toSpliced(4, 1)],
    ['an entry was changed', (entries) => entries.with(4, { ...entries[4]!, targetKey: 0x0102 })],
    ['two entries were exchanged', (entries) => entries.with(3, entries[4]!).with(4, entries[3]!)],
    ['a digest was changed', (entries) => entries.with(4, { ...entries[4]!, digest: new Uint8Array(16) })],
  ])('finds that %s', (_, change) => {
    const { findings } = auditYubiHsmLogs([{ ...log, entries: change([...log.entries]) }], KEYIDS);
    expect(new Set(findings.map(({ code }) => code))).toEqual(new Set(['CU-165']));
  });

  it('finds unlogged events, and signatures by objects that custody does not know', () => {
    const unlogged = { ...log, unloggedBoots: 1 };
    expect(auditYubiHsmLogs([unlogged], KEYIDS).findings).toMatchObject([{ code: 'CU-165', object: 'token' }]);
    const stray = auditYubiHsmLogs([log], new Map([[0x0101, 'aa'.repeat(32)]]));
    expect(stray.findings).toMatchObject([{ code: 'CU-163', object: 'token log 6' }]);
  });

  it('refuses bytes that are no log', () => {
    const bytes = formatTokenLog(log);
    for (const wrong of [
      new Uint8Array(4),
      bytes.subarray(1),
      Uint8Array.of(...bytes, 0),
      Uint8Array.of(0, 0, 0, 0, 63),
    ]) {
      expect(() => parseYubiHsmLog(wrong)).toThrow(expect.objectContaining({ code: 'CU-165' }));
    }
    expect(parseYubiHsmLog(new Uint8Array(5)).entries).toEqual([]);
  });
});
