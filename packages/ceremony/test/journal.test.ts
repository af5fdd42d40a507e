// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { concatBytes, encodeUtf8, type Bytes } from '@witnessmark/core';
import { Ceremony, lockCeremony, nodeCeremonyFiles } from '@witnessmark/ceremony';
import { CrashFs } from '../../../testing/world/src/crash/crash-fs.ts';
import { FaultPlan } from '../../../testing/world/src/crash/fault-plan.ts';
import { expectRefusal, Scene } from './support/run.ts';
import { faultyFiles, script, SETTINGS } from './support/scene.ts';
import { stepClock } from './support/world.ts';

const directories: string[] = [];

function temporaryDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), 'witnessmark-ceremony-'));
  directories.push(path);
  return path;
}

afterAll(() => {
  for (const path of directories) rmSync(path, { recursive: true, force: true });
});

/** The disk of a ceremony with three records, and a way to read it after a change. */
async function journalled(): Promise<{ image: Map<string, Bytes>; open: () => Promise<Ceremony> }> {
  const scene = new Scene();
  const ceremony = await scene.begin();
  await ceremony.record({ kind: 'exception', step: null, text: 'the door was open', by: 's.kim' });
  await ceremony.record({ kind: 'exception', step: null, text: 'the door is shut', by: 's.kim' });
  const image = new Map(scene.disk.durableImage());
  return {
    image,
    open: () =>
      Ceremony.open({ files: faultyFiles(new CrashFs(image), new FaultPlan()), clock: stepClock(Date.UTC(2027, 1)) }),
  };
}

const text = (bytes: Bytes | undefined): string => Buffer.from(bytes!).toString();

describe('the journal of a ceremony', () => {
  it('I3: is durable before a move is acknowledged', async () => {
    const { open } = await journalled();
    expect((await open()).state).toMatchObject({ records: 3, exceptions: [{ text: 'the door was open' }, {}] });
  });

  it.each<[string, (line: Bytes) => Bytes]>([
    ['half a record', (line) => line.subarray(0, 40)],
    ['a record without its end', (line) => line.subarray(0, -1)],
    ['a record with a hole', (line) => concatBytes(line.subarray(0, 70), new Uint8Array(20), line.subarray(90))],
    ['zeros', (line) => new Uint8Array(line.length)],
  ])('I17: forgets %s at its end, and goes on', async (_what, tear) => {
    const { image, open } = await journalled();
    const whole = image.get('journal')!;
    const start = whole.lastIndexOf(0x0a, whole.length - 2) + 1;
    image.set('journal', concatBytes(whole.subarray(0, start), tear(whole.subarray(start))));
    const ceremony = await open();
    expect(ceremony.state.records).toBe(2);
    await ceremony.record({ kind: 'exception', step: null, text: 'again', by: 's.kim' });
    expect(ceremony.state.records).toBe(3);
  });

  it.each<[string, (journal: string) => string]>([
    ['a changed word', (journal) => journal.replace('was open', 'was shut')],
    ['a changed digest', (journal) => `0${journal.slice(1)}`],
    ['a record taken out', (journal) => journal.split('\n').toSpliced(1, 1).join('\n')],
    [
      'two records swapped',
      (journal) => journal.split('\n').toSpliced(1, 2, journal.split('\n')[2]!, journal.split('\n')[1]!).join('\n'),
    ],
    ['a record twice', (journal) => `${journal}${journal.split('\n')[2]!}\n`],
    ['an empty line', (journal) => `${journal}\n`],
    ['no record', () => ''],
    ['another beginning', (journal) => journal.slice(journal.indexOf('\n') + 1)],
    ['text that is not UTF-8', (journal) => journal.replace('door', '\ud800')],
  ])('I18: is refused with %s', async (_what, change) => {
    const { image, open } = await journalled();
    const changed = encodeUtf8(change(text(image.get('journal'))));
    expect(changed).not.toEqual(image.get('journal'));
    image.set('journal', changed);
    await expectRefusal('CE-109', open);
  });

  it('is refused beside another script, and without one', async () => {
    const { image, open } = await journalled();
    image.set('script.json', script((draft) => (draft.purpose = 'something else')).bytes);
    await expectRefusal('CE-106', open);
    image.delete('script.json');
    await expectRefusal('CE-109', open);
  });

  it('never goes on after the disk failed, and is read again', async () => {
    const { image } = await journalled();
    const plan = new FaultPlan({ at: 4, mode: 'fail-before' });
    const disk = new CrashFs(image);
    const files = faultyFiles(disk, plan);
    const ceremony = await Ceremony.open({ files, clock: stepClock(Date.UTC(2027, 1)) });
    const note = (): Promise<unknown> => ceremony.record({ kind: 'exception', step: null, text: 'x', by: 's.kim' });
    await expectRefusal('CE-108', note);
    expect(plan.calls.at(-1)).toBe('fs.sync journal');
    await expectRefusal('CE-108', note);
    expect(plan.isHit).toBe(true);
    // The bytes were written and not synced: both are allowed, and neither contradicts anything.
    const opened = await Ceremony.open({
      files: faultyFiles(new CrashFs(disk.currentImage()), new FaultPlan()),
      clock: stepClock(),
    });
    expect(opened.state.records).toBe(4);
  });
});

describe('on a real disk', () => {
  it('a ceremony is begun, left and opened again', async () => {
    const path = join(temporaryDirectory(), 'a', 'root-2026');
    const files = nodeCeremonyFiles(path);
    const begun = await Ceremony.begin({ files, clock: stepClock(), reviewed: script(), settings: SETTINGS });
    await begun.record({ kind: 'exception', step: null, text: 'cold room', by: 's.kim' });
    await begun.close();
    const opened = await Ceremony.open({ files, clock: stepClock() });
    expect(opened.state.exceptions).toHaveLength(1);
    expect(await opened.readJournal()).toEqual(new Uint8Array(readFileSync(join(path, 'journal'))));
  });

  it('is held by one program at a time', async () => {
    const path = temporaryDirectory();
    const lock = await lockCeremony(path);
    await expectRefusal('CE-108', () => lockCeremony(path));
    lock.release();
    await expect
      .poll(async () =>
        lockCeremony(path).then(
          (again) => (again.release(), true),
          () => false,
        ),
      )
      .toBe(true);
  });

  it('reads regular files only, within their limit', async () => {
    const path = temporaryDirectory();
    const files = nodeCeremonyFiles(path);
    expect(await files.read('journal', 10)).toBeNull();
    writeFileSync(join(path, 'journal'), 'x'.repeat(10));
    expect(await files.read('journal', 10)).toHaveLength(10);
    await expectRefusal('CE-109', () => files.read('journal', 9));
    symlinkSync(path, join(path, 'link'));
    await expectRefusal('CE-109', () => files.read('link', 10));
  });
});
