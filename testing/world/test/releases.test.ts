// SPDX-License-Identifier: Apache-2.0
/** What a station refuses about releases, read from a real TUF repository; and the release that comes after, accepted. */
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isReasonCode } from '@witnessmark/core';
import { parseStatement, refusal } from '@witnessmark/attestation';
import { toLineRules, TufReleaseSource as LineReleaseSource } from '@witnessmark/line';
import type { UnitResult } from '@witnessmark/station';
import { mirror, TrustClient } from '@witnessmark/trust';
import { SimBench } from '../src/sim/sim-bench.ts';
import { inspectBoard, type SimBoard } from '../src/sim/sim-device.ts';
import { JOB, SimFactory, simImage } from '../src/sim/sim-factory.ts';
import { LINE, PLANT } from '../src/sim/sim-people.ts';

const DAY_MS = 24 * 3_600_000;

let factory: SimFactory;

beforeEach(async () => {
  // Whatever a test publishes is seen by the line at once.
  factory = await SimFactory.open({ rules: { maxTrustAgeMs: 0 } });
});

afterEach(async () => {
  await factory.close();
});

function verdict(result: UnitResult): string {
  return result.code === null ? result.phase : `${result.phase} ${result.code}`;
}

async function program(bench: SimBench, board: SimBoard = factory.makeBoard()): Promise<string> {
  const result = await bench.program(board);
  if (result.phase !== 'passed') {
    expect(inspectBoard(board, 0x1000, factory.image).isBlank).toBe(true);
    const code = result.record === null ? null : parseStatement(refusal, result.record.envelope.payload).predicate.code;
    expect(code !== null && isReasonCode(code)).toBe(true);
  }
  return verdict(result);
}

describe('releases at a station', () => {
  it('LS-202 a release that one person approved is not programmed, though its TUF signatures are complete', async () => {
    const bench = await SimBench.open(factory);
    expect(await program(bench)).toBe('passed');
    const [only] = factory.people.approvers;
    await factory.publish({ releaseId: 'R-2', counter: 2, approvers: [only] });
    expect(await program(bench)).toBe('stopped LS-202');
    const [first, second] = factory.people.approvers;
    await factory.publish({ releaseId: 'R-3', counter: 3, approvers: [first, second] });
    expect(await program(bench)).toBe('passed');
  });

  it('A26 the author’s own approval does not count', async () => {
    const bench = await SimBench.open(factory);
    const { author, approvers } = factory.people;
    await factory.publish({ releaseId: 'R-2', counter: 2, approvers: [approvers[0], author] });
    expect(await program(bench)).toBe('stopped LS-202');
  });

  it('LS-203 a withdrawn release stops, and nothing older takes its place', async () => {
    const bench = await SimBench.open(factory);
    await factory.publish({ releaseId: 'R-2', counter: 2, image: simImage(2) });
    expect(await program(bench)).toBe('passed');
    await factory.releases.withdraw('R-2', factory.clock.now());
    expect(await program(bench)).toBe('stopped LS-203');
    await factory.publish({ releaseId: 'R-3', counter: 3 });
    expect(await program(bench)).toBe('passed');
  });

  it('LS-203 a withdrawal reaches a station that only sees a stick, once the stick was mirrored anew', async () => {
    const stick = join(factory.directory, 'stick');
    const copy = (): Promise<unknown> =>
      mirror(factory.releases.directory, stick, { initialRoot: factory.releases.initialRoot });
    await copy();
    const source = factory.releaseSource('ST-07', stick);
    const query = { ...JOB, at: factory.clock.now() };
    await source.refresh(query.at);
    expect((await source.releaseInEffect(query)).manifest.releaseId).toBe('R-1');
    await factory.releases.withdraw('R-1', factory.clock.now());
    // What did not get there cannot be known there; a running station asks again before every unit.
    await source.refresh(query.at);
    await expect(source.releaseInEffect(query)).resolves.toBeDefined();
    await copy();
    await source.refresh(query.at);
    await expect(source.releaseInEffect(query)).rejects.toMatchObject({ code: 'LS-203' });
  });

  it('A37 LS-207 a debug release is not made on a production line, and neither station nor line says yes alone', async () => {
    const bench = await SimBench.open(factory);
    await factory.publish({ releaseId: 'R-2', counter: 2, releaseClass: 'debug' });
    expect(await program(bench)).toBe('stopped LS-207');
    const source = factory.releaseSource('ST-07');
    await source.refresh(factory.clock.now());
    await expect(source.releaseInEffect({ ...JOB, at: factory.clock.now() })).rejects.toMatchObject({ code: 'LS-207' });
    const { directory, initialRoot } = factory.releases;
    const client = new TrustClient({
      metadataDir: join(factory.directory, 'own'),
      repositoryDir: directory,
      initialRoot,
    });
    const line = new LineReleaseSource({ client, rules: toLineRules({ plant: PLANT, line: LINE }) });
    const book = await line.current(factory.clock.now());
    expect(book.releases.get('R-2')).toMatchObject({ objection: { code: 'LS-207' } });
    await factory.publish({ releaseId: 'R-3', counter: 3, releaseClass: 'production' });
    expect(await program(bench)).toBe('passed');
  });

  it('LS-205 no rule for this hardware: the default is to stop', async () => {
    const bench = await SimBench.open(factory);
    const board = factory.makeBoard();
    bench.fixture.bay.insert(board.chip);
    const request = { label: { raw: board.serial, symbology: 'd2' } };
    expect(verdict(await bench.station.programUnit({ ...request, job: { ...JOB, hwVersion: 'D1' } }))).toBe(
      'stopped LS-205',
    );
    expect(verdict(await bench.station.programUnit({ ...request, job: JOB }))).toBe('passed');
  });

  it('LS-206 A24 the order is for two: the third unit is refused', async () => {
    const bench = await SimBench.open(factory);
    await factory.publish({ releaseId: 'R-2', counter: 2, rule: { maxUnits: 2 } });
    expect([await program(bench), await program(bench), await program(bench)]).toEqual([
      'passed',
      'passed',
      'stopped LS-206',
    ]);
  });

  it('A14 an older stick, complete and signed, is refused by the versions the station has seen', async () => {
    const stick = join(factory.directory, 'old-stick');
    cpSync(factory.releases.directory, stick, { recursive: true });
    const bench = await SimBench.open(factory);
    await factory.publish({ releaseId: 'R-2', counter: 2 });
    expect(await program(bench)).toBe('passed');
    const old = await SimBench.open(factory, { ports: { releases: factory.releaseSource('ST-07', stick) } });
    expect(await program(old)).toBe('stopped TR-101');
    const current = await SimBench.open(factory);
    expect(await program(current)).toBe('passed');
  });

  it('TR-102 metadata that ran out stops the station; fresh metadata lets it go on', async () => {
    const bench = await SimBench.open(factory);
    expect(await program(bench)).toBe('passed');
    factory.clock.advance(8 * DAY_MS);
    await bench.restart();
    expect(await program(bench)).toBe('stopped TR-102');
    await factory.publish({ releaseId: 'R-2', counter: 2 });
    expect(await program(bench)).toBe('passed');
  });

  it('A15 one changed byte in the station’s own copy of the image is found at use, and named', async () => {
    const bench = await SimBench.open(factory);
    expect(await program(bench)).toBe('passed');
    const cache = factory.cacheDirectory('ST-07');
    const files = readdirSync(cache).map((name) => join(cache, name));
    const copy = files.find((path) => readFileSync(path).equals(Buffer.from(factory.image))) as string;
    writeFileSync(copy, simImage(2));
    expect(await program(bench)).toBe('stopped TR-105');
    writeFileSync(copy, factory.image);
    expect(await program(bench)).toBe('passed');
  });
});
