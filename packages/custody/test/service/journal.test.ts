// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Journal, readAccount, readJournal, type IntentRecord, type JournalRecord } from '@witnessmark/custody';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const SEGMENT_BYTES = 4_096;
const FIRST = 'journal-00000001.log';

describe('the custody journal', () => {
  let dir: string;

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'witnessmark-journal-'));
  });

  afterEach(() => {
    rmSync(dir, { recursive: true, force: true });
  });

  it('holds what was appended, in order', async () => {
    await write([1, 2, 3]);
    expect(kinds()).toEqual(['segment', 'intent 1', 'result 1', 'intent 2', 'result 2', 'intent 3', 'result 3']);
  });

  it('goes on in new segments, and forgets no intent that is open', async () => {
    const journal = await Journal.open({ dir, segmentBytes: SEGMENT_BYTES });
    await journal.append(intent(0));
    for (let number = 1; number <= 40; number += 1) await appendPair(journal, number);
    journal.close();
    expect(readdirSync(dir).length).toBeGreaterThan(3);
    expect(readAccount(dir)).toHaveLength(41);
    const again = await Journal.open({ dir, segmentBytes: SEGMENT_BYTES });
    expect(again.openIntents().map(({ id }) => id)).toEqual([idOf(0)]);
    again.close();
  });

  it('refuses one batch for all when the disk fails, and everything afterwards', async () => {
    const journal = await Journal.open({ dir, segmentBytes: SEGMENT_BYTES });
    const tooLarge = { ...intent(1), client: 'x'.repeat(SEGMENT_BYTES) };
    rmSync(dir, { recursive: true });
    await expect(journal.append(tooLarge)).rejects.toMatchObject({ code: 'CU-156' });
    await expect(journal.append(intent(2))).rejects.toMatchObject({ code: 'CU-156' });
    journal.close();
  });

  it('leaves out a batch that was torn when the process ended, wherever it tore', async () => {
    await write([1, 2]);
    const whole = readFileSync(join(dir, FIRST));
    const end = whole.indexOf(0);
    const start = whole.subarray(0, end - 1).lastIndexOf(0x0a) + 1;
    for (let cut = start; cut < end; cut += 7) {
      const torn = Buffer.from(whole);
      torn.fill(0, cut);
      writeFileSync(join(dir, FIRST), torn);
      expect(kinds()).toEqual(['segment', 'intent 1', 'result 1', 'intent 2']);
      const holed = Buffer.from(whole);
      holed.fill(0, start, cut);
      writeFileSync(join(dir, FIRST), holed);
      expect(kinds().slice(0, 4)).toEqual(['segment', 'intent 1', 'result 1', 'intent 2']);
      await write([3]);
      expect(kinds().slice(-2)).toEqual(['intent 3', 'result 3']);
    }
  });

  it('refuses a change anywhere before the last batch', async () => {
    await write([1, 2, 3]);
    const whole = readFileSync(join(dir, FIRST));
    const last = whole.subarray(0, whole.indexOf(0) - 1).lastIndexOf(0x0a);
    const head = whole.indexOf(0x0a);
    fc.assert(
      fc.property(fc.integer({ min: head + 1, max: last - 1 }), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const changed = Buffer.from(whole);
        changed[at] = (changed[at] as number) ^ change;
        writeFileSync(join(dir, FIRST), changed);
        expect(() => readAccount(dir)).toThrow(expect.objectContaining({ code: 'CU-157' }));
      }),
      { numRuns: 150 },
    );
  });

  it('refuses a segment that is missing, or does not continue the one before', async () => {
    const journal = await Journal.open({ dir, segmentBytes: SEGMENT_BYTES });
    for (let number = 1; number <= 40; number += 1) await appendPair(journal, number);
    journal.close();
    const names = readdirSync(dir).toSorted();
    const second = readFileSync(join(dir, names[1]!));
    rmSync(join(dir, names[1]!));
    expect(() => readAccount(dir)).toThrow(expect.objectContaining({ code: 'CU-157' }));
    writeFileSync(join(dir, names[1]!), second);
    expect(readAccount(dir)).toHaveLength(40);
    writeFileSync(join(dir, names[2]!), second);
    expect(() => readAccount(dir)).toThrow(expect.objectContaining({ code: 'CU-157' }));
  });

  it('needs only its newest segments to start', async () => {
    const journal = await Journal.open({ dir, segmentBytes: SEGMENT_BYTES });
    for (let number = 1; number <= 40; number += 1) await appendPair(journal, number);
    journal.close();
    rmSync(join(dir, FIRST));
    const again = await Journal.open({ dir, segmentBytes: SEGMENT_BYTES });
    const remembered = again.takeHistory();
    expect(remembered.at(-1)).toMatchObject({ kind: 'result', id: idOf(40) });
    again.close();
  });

  function kinds(): string[] {
    return [...readJournal(dir)].map((record) =>
      record.kind === 'segment' ? 'segment' : `${record.kind} ${Number(record.id.slice(-4))}`,
    );
  }

  async function write(numbers: number[]): Promise<void> {
    const journal = await Journal.open({ dir, segmentBytes: 64 * 1024 });
    for (const number of numbers) await appendPair(journal, number);
    journal.close();
  }
});

async function appendPair(journal: Journal, number: number): Promise<void> {
  await journal.append(intent(number));
  const result: JournalRecord = { kind: 'result', id: idOf(number), signature: 'MEQ=' };
  await journal.append(result);
}

function intent(number: number): IntentRecord {
  return {
    kind: 'intent',
    id: idOf(number),
    at: '2026-11-20T00:00:00.000Z',
    client: 'line',
    key: 'line-evidence',
    keyid: 'ab'.repeat(32),
    purpose: 'event',
    digest: 'cd'.repeat(32),
  };
}

function idOf(number: number): string {
  return `0197a8a2-0000-7000-8000-00000000${String(number).padStart(4, '0')}`;
}
