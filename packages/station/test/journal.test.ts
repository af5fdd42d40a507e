// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { STATEMENT_PAYLOAD_TYPE, type Envelope } from '@witnessmark/core';
import type { FileSystem } from '../src/file-system.ts';
import { Journal } from '../src/journal.ts';
import { JOURNAL_LIMITS, journalSeed, parseJournal, type JournalFact } from '../src/journal-format.ts';
import { openNodeFileSystem } from '../src/node-file-system.ts';

const ID = '01890000-0000-7000-8000-000000000001';
const OTHER_ID = '01890000-0000-7000-8000-000000000002';
const AT = Date.UTC(2027, 2, 4, 12);

function envelope(text: string): Envelope {
  const bytes = new TextEncoder().encode(text);
  return { payloadType: STATEMENT_PAYLOAD_TYPE, payload: bytes, signatures: [{ keyid: 'k', sig: bytes }] };
}

const REFUSED: JournalFact = { kind: 'refused', refusal: envelope('refusal') };
const INTENDED: JournalFact = {
  kind: 'intended',
  intent: envelope('intent'),
  permit: envelope('permit'),
  eventId: OTHER_ID,
  manifest: {
    mediaType: 'application/vnd.witnessmark.release.v1+json',
    releaseId: 'R-1',
    version: '1',
    releaseCounter: 1,
    product: { sku: 'GW-210', hwModel: 'gateway', hwVersions: ['C2'] },
    components: [
      {
        name: 'firmware',
        targetPath: 'images/fw.bin',
        mediaType: 'application/octet-stream',
        sha256: '0'.repeat(64),
        length: 1,
        address: 0,
        version: '1',
        securityCounter: 1,
      },
    ],
    recipe: { name: 'spi-nor', version: '1', steps: ['program', 'measure'] },
    labelRule: 'derived',
    notes: '',
    supersedes: null,
  },
};
const LOGGED: JournalFact = { kind: 'intentLogged', entry: { index: 6, envelope: envelope('intent'), proof: 'proof' } };
const MEASURED: JournalFact = { kind: 'measured', measurement: envelope('measurement') };
const EVENT: JournalFact = { kind: 'eventSigned', event: envelope('event') };
const CLOSED: JournalFact = { kind: 'closed', entry: { index: 7, envelope: envelope('event'), proof: 'proof' } };

let root: string;
let files: FileSystem;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'journal-'));
  files = openNodeFileSystem(root);
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

function pathOf(id: string): string {
  return join(root, 'journal', `${id}.journal`);
}

async function writeThree(): Promise<void> {
  const journal = await Journal.open(files);
  await journal.begin(ID, AT, INTENDED);
  await journal.append(ID, AT + 1, LOGGED);
  await journal.append(ID, AT + 2, EVENT);
  await journal.close();
}

describe('the station journal', () => {
  it('keeps one measurement, between the logged intent and the event, and finds it again', async () => {
    const journal = await Journal.open(files);
    await journal.begin(ID, AT, INTENDED);
    await expect(journal.append(ID, AT, MEASURED)).rejects.toThrow(TypeError);
    await journal.append(ID, AT, LOGGED);
    await journal.append(ID, AT, MEASURED);
    await expect(journal.append(ID, AT, MEASURED)).rejects.toThrow(TypeError);
    await journal.append(ID, AT, EVENT);
    await journal.close();
    const [transaction] = (await Journal.open(files)).transactions;
    expect(transaction?.records.map(({ fact }) => fact)).toEqual([INTENDED, LOGGED, MEASURED, EVENT]);
  });

  it('finds every record again, in order, and goes on after them', async () => {
    await writeThree();
    const journal = await Journal.open(files);
    const [transaction] = journal.transactions;
    expect(transaction).toMatchObject({ id: ID, torn: false });
    expect(transaction?.records.map(({ seq, at, fact }) => [seq, at, fact])).toEqual([
      [1, AT, INTENDED],
      [2, AT + 1, LOGGED],
      [3, AT + 2, EVENT],
    ]);
    await journal.append(ID, AT + 3, CLOSED);
    await journal.close();
    const again = await Journal.open(files);
    expect(again.transactions[0]?.records).toHaveLength(4);
    await again.remove(ID);
    expect((await Journal.open(files)).transactions).toEqual([]);
  });

  it('drops what was being written at the end, whatever length of it arrived', async () => {
    await writeThree();
    const whole = new Uint8Array(readFileSync(pathOf(ID)));
    const ends = [...whole.keys()].filter((at) => whole[at] === 0x0a);
    for (let length = 0; length < whole.length; length += 7) {
      const { records, validLength } = parseJournal('x', journalSeed(ID), whole.subarray(0, length));
      expect(records).toHaveLength(ends.filter((end) => end < length).length);
      expect(validLength).toBe((ends.filter((end) => end < length).at(-1) ?? -1) + 1);
    }
  });

  it('takes zeros at the end for a file that grew without its data', async () => {
    await writeThree();
    const whole = readFileSync(pathOf(ID));
    writeFileSync(pathOf(ID), Buffer.concat([whole, Buffer.alloc(512)]));
    const journal = await Journal.open(files);
    expect(journal.transactions[0]).toMatchObject({ torn: true });
    await journal.append(ID, AT + 3, CLOSED);
    await journal.close();
    expect((await Journal.open(files)).transactions[0]?.records).toHaveLength(4);
  });

  it('forgets a transaction whose first record never arrived', async () => {
    await writeThree();
    writeFileSync(pathOf(ID), readFileSync(pathOf(ID)).subarray(0, 40));
    expect((await Journal.open(files)).transactions).toEqual([]);
    expect(readdirSync(join(root, 'journal'))).toEqual([]);
  });

  it.each([
    ['one changed bit', (bytes: Buffer) => bytes.fill((bytes[200] as number) ^ 1, 200, 201)],
    ['one removed record', (bytes: Buffer) => bytes.subarray(bytes.indexOf('\n') + 1)],
    ['one doubled record', (bytes: Buffer) => Buffer.concat([bytes, bytes.subarray(bytes.lastIndexOf('\n', -2) + 1)])],
  ])('I18 names a journal with %s as damaged', async (_, damage) => {
    await writeThree();
    writeFileSync(pathOf(ID), damage(readFileSync(pathOf(ID))));
    await expect(Journal.open(files)).rejects.toMatchObject({ code: 'ERR_STATION_JOURNAL_DAMAGED' });
  });

  it('I18 does not take a journal under the name of another transaction', async () => {
    await writeThree();
    writeFileSync(pathOf(OTHER_ID), readFileSync(pathOf(ID)));
    await expect(Journal.open(files)).rejects.toMatchObject({ code: 'ERR_STATION_JOURNAL_DAMAGED' });
  });

  it('lets no record stand where it cannot', async () => {
    const journal = await Journal.open(files);
    await expect(journal.begin(ID, AT, EVENT)).rejects.toThrow(TypeError);
    const other = await Journal.open(openNodeFileSystem(mkdtempSync(join(root, 'other-'))));
    await other.begin(ID, AT, INTENDED);
    await expect(other.append(ID, AT, CLOSED)).rejects.toThrow(TypeError);
  });

  it('reads files up to the limit and no further', () => {
    const atLimit = new Uint8Array(JOURNAL_LIMITS.maxFileBytes);
    expect(parseJournal('x', journalSeed(ID), atLimit).records).toEqual([]);
    expect(() => parseJournal('x', journalSeed(ID), new Uint8Array(atLimit.length + 1))).toThrow(
      expect.objectContaining({ code: 'ERR_STATION_JOURNAL_DAMAGED' }),
    );
  });

  it('takes no more than the stated number of open transactions', async () => {
    const journal = await Journal.open(files);
    const idOf = (number: number): string => `01890000-0000-7000-8000-${String(number).padStart(12, '0')}`;
    for (let number = 0; number < JOURNAL_LIMITS.maxOpenTransactions; number += 1)
      await journal.begin(idOf(number), AT, REFUSED);
    await expect(journal.begin(idOf(999), AT, REFUSED)).rejects.toMatchObject({ code: 'ERR_STATION_JOURNAL_FULL' });
    await journal.remove(idOf(0));
    await journal.begin(idOf(999), AT, REFUSED);
    await journal.close();
  });

  it('I6 keeps the floor of time and of the log across restarts, and never lowers it', async () => {
    const rootHash = new Uint8Array(32).fill(9);
    const journal = await Journal.open(files);
    journal.raiseFloor({ evidenceAt: AT, head: { treeSize: 5, rootHash } });
    journal.raiseFloor({ evidenceAt: AT - 1, head: { treeSize: 4, rootHash: new Uint8Array(32) } });
    await journal.saveFloor();
    expect((await Journal.open(files)).floor).toEqual({
      lastEvidenceAt: AT,
      head: { treeSize: 5, rootHash },
      lastReceipt: null,
    });
  });

  it('I6 takes the time of open transactions into the floor, though the floor was not stored yet', async () => {
    await writeThree();
    expect((await Journal.open(files)).floor.lastEvidenceAt).toBe(AT + 2);
  });

  it('I18 names a floor that was changed', async () => {
    const journal = await Journal.open(files);
    journal.raiseFloor({ evidenceAt: AT });
    await journal.saveFloor();
    const text = readFileSync(join(root, 'floor'), 'utf8');
    writeFileSync(join(root, 'floor'), text.replace('2027', '2021'));
    await expect(Journal.open(files)).rejects.toMatchObject({ code: 'ERR_STATION_JOURNAL_DAMAGED' });
  });

  it('I9 writes nothing more after one write failed', async () => {
    let failing = false;
    const journal = await Journal.open({
      ...files,
      open: async (path, mode) => {
        const file = await files.open(path, mode);
        return { ...file, sync: () => (failing ? Promise.reject(new Error('EIO')) : file.sync()) };
      },
    });
    await journal.begin(ID, AT, REFUSED);
    failing = true;
    await expect(journal.append(ID, AT, CLOSED)).rejects.toMatchObject({ code: 'ERR_STATION_STORAGE' });
    failing = false;
    await expect(journal.begin(OTHER_ID, AT, REFUSED)).rejects.toMatchObject({ code: 'ERR_STATION_STORAGE' });
  });

  it('keeps a refusal the line will not take, out of the way', async () => {
    const journal = await Journal.open(files);
    await journal.begin(ID, AT, REFUSED);
    await journal.reject(ID);
    expect((await Journal.open(files)).transactions).toEqual([]);
    expect(readdirSync(join(root, 'journal'))).toEqual([`${ID}.rejected`]);
  });
});
