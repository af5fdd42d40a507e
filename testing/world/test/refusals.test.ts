// SPDX-License-Identifier: Apache-2.0
/**
 * What a station refuses, each with a twin that differs in one thing and passes. The line is the real one, so what a
 * refusal leaves in the log and in the views is looked at as well.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseEnvelope, type Bytes } from '@witnessmark/core';
import { parseStatement, refusal, type Refusal } from '@witnessmark/attestation';
import type { LineService } from '@witnessmark/api';
import { CustodyError } from '@witnessmark/custody';
import { blankChip, SpiNorChip } from '@witnessmark/device';
import type { ReleaseSource, UnitResult } from '@witnessmark/station';
import { SimBench, type BenchOptions } from '../src/sim/sim-bench.ts';
import { beforeOperation, bindDriver, inspectBoard, SIM_BOARD, type SimBoard } from '../src/sim/sim-device.ts';
import { SimFactory, simImage } from '../src/sim/sim-factory.ts';
import { LINE } from '../src/sim/sim-people.ts';

const HOUR_MS = 3_600_000;
const IMAGE_ADDRESS = 0x1000;

let factory: SimFactory;

beforeAll(async () => {
  factory = await SimFactory.open({ rules: { refusalsPerMinute: 10_000 } });
});

afterAll(async () => {
  await factory.close();
});

beforeEach(() => {
  factory.wire.line = factory.line.line;
});

/** A bench at a station without open stops. */
async function openBench(options: BenchOptions = {}): Promise<SimBench> {
  for (const stop of await factory.line.line.openStops()) {
    await factory.decide(stop, stop.code === 'LS-101' ? 'voidLabel' : 'releaseStation');
  }
  return SimBench.open(factory, options);
}

function isUntouched(board: SimBoard): boolean {
  return inspectBoard(board, IMAGE_ADDRESS, factory.image).isBlank;
}

function verdict(result: UnitResult): string {
  return result.code === null ? result.phase : `${result.phase} ${result.code}`;
}

/** The refusal statement in the log that a result names. */
function recordedRefusal({ record }: UnitResult): Refusal {
  if (record === null) throw new Error('nothing was recorded');
  return parseStatement(refusal, record.envelope.payload).predicate;
}

async function stateOf(board: SimBoard): Promise<string | null> {
  return (await factory.line.line.unit(board.deviceId))?.state ?? null;
}

describe('label and device', () => {
  it('A1 a swapped label stops the line at the first unit, names both serials, and waits for a decision', async () => {
    const bench = await openBench();
    const [board, other] = [factory.makeBoard(), factory.makeBoard()];
    const stopped = await bench.program(board, other.serial);
    expect(verdict(stopped)).toBe('stopped LS-101');
    expect(recordedRefusal(stopped)).toMatchObject({ code: 'LS-101', kind: 'LINE_STOP', deviceId: board.deviceId });
    expect(recordedRefusal(stopped).expected).toContain(board.serial);
    expect(recordedRefusal(stopped).observed).toContain(other.serial);
    expect(isUntouched(board)).toBe(true);
    // Not even the right unit may go on before a supervisor has decided.
    expect(verdict(await bench.program(other))).toBe('stopped LS-503');
    const [stop] = await factory.line.line.openStops();
    await factory.decide(stop as NonNullable<typeof stop>, 'voidLabel');
    expect(verdict(await bench.program(board))).toBe('passed');
    expect(verdict(await bench.program(other))).toBe('passed');
  });

  it('A2 one label for two units: the second is another device', async () => {
    const bench = await openBench();
    const [first, second] = [factory.makeBoard(), factory.makeBoard()];
    expect(verdict(await bench.program(first))).toBe('passed');
    expect(verdict(await bench.program(second, first.serial))).toBe('stopped LS-101');
    expect(isUntouched(second)).toBe(true);
  });

  it('A4 a typed look-alike is no serial; the scanned one is', async () => {
    const bench = await openBench();
    const board = factory.makeBoard();
    const result = await bench.program(board, `${board.serial.slice(0, -1)}O`);
    expect(verdict(result)).toBe('interrupted HD-04');
    expect(recordedRefusal(result)).toMatchObject({ kind: 'HOLD', labelSerial: null });
    expect(verdict(await bench.program(board))).toBe('passed');
  });

  it('A7 a unit that passed is not programmed again to reach the count', async () => {
    const bench = await openBench();
    const board = factory.makeBoard();
    expect(verdict(await bench.program(board))).toBe('passed');
    const revision = board.chip.revision;
    expect(verdict(await bench.program(board))).toBe('stopped LS-102');
    expect(board.chip.revision).toBe(revision);
  });

  it('UF-01 an empty fixture is a refusal about no device; with a board in it the unit passes', async () => {
    const bench = await openBench();
    const board = factory.makeBoard();
    const empty = await bench.scan(board.serial);
    expect(verdict(empty)).toBe('failed UF-01');
    expect(recordedRefusal(empty)).toMatchObject({ kind: 'UNIT_FAIL', deviceId: null });
    expect(verdict(await bench.program(board))).toBe('passed');
  });

  it.each([
    ['00', 0x00],
    ['ff', 0xff],
  ])('UF-01 a part whose identifier is all 0x%s names nobody', async (_, byte) => {
    const bench = await openBench();
    const board = withUniqueId(factory.makeBoard(), new Uint8Array(8).fill(byte));
    expect(verdict(await bench.program(board))).toBe('failed UF-01');
    expect(isUntouched(board)).toBe(true);
  });
});

describe('the device misbehaves', () => {
  it('A6 unplugging in the middle holds the unit, on record, and a decision allows one more attempt', async () => {
    const bench = await openBench();
    const board = factory.makeBoard();
    bench.fixture.bay.insert(board.chip);
    bench.fixture.bay.dropLinkAfter(3000);
    expect(verdict(await bench.scan(board.serial))).toBe('interrupted HD-02');
    expect(await stateOf(board)).toBe('held');
    expect(verdict(await bench.program(board))).toBe('interrupted HD-02');
    await allowRetry(board);
    expect(verdict(await bench.program(board))).toBe('passed');
    expect(await factory.line.line.unit(board.deviceId)).toMatchObject({ state: 'passed', attempts: 2 });
    expect(factory.verify(await evidenceOf(board)).verdict).toBe('VERIFIED');
  });

  it.each([
    ['UF-02', 'an erase that does not take', { deadErase: true }],
    ['UF-03', 'a cell that is stuck', { stuckBits: [{ address: IMAGE_ADDRESS + 77, bit: 3, value: 1 as const }] }],
    ['UF-03', 'a write protection that no register shows', { ignoresProgram: true }],
    ['UF-04', 'A54 a lock that is shown and gone after reset', { volatileLock: true }],
    ['UF-04', 'A54 a lock that is shown and does not protect', { unenforcedLock: true }],
  ] as const)('%s %s fails the unit, on record, and the next unit passes', async (code, _, faults) => {
    const bench = await openBench();
    const [bad, good] = [factory.makeBoard(), factory.makeBoard()];
    // Something to erase, so that an erase that does nothing shows.
    bench.fixture.bay.insert(bad.chip);
    await bench.fixture.driver.program({ address: IMAGE_ADDRESS, image: new Uint8Array(64).fill(0x55) });
    bad.chip.inject(faults);
    expect(verdict(await bench.program(bad))).toBe(`failed ${code}`);
    expect(await stateOf(bad)).toBe('failed');
    expect(factory.verify(await evidenceOf(bad))).toMatchObject({ verdict: 'FAILED', code: 'EV-113' });
    expect(verdict(await bench.program(good))).toBe('passed');
    expect(factory.verify(await evidenceOf(good)).verdict).toBe('VERIFIED');
  });

  it('UF-07 a device that is exchanged after programming holds the unit that was begun and locks nothing', async () => {
    const [board, swapped] = [factory.makeBoard(), factory.makeBoard()];
    let hook = (): void => undefined;
    const bench = await openBench({
      alterDriver: (driver) =>
        beforeOperation(driver, 'readBack', () => {
          hook();
        }),
    });
    hook = () => {
      bench.fixture.bay.insert(swapped.chip);
    };
    expect(verdict(await bench.program(board))).toBe('interrupted UF-07');
    expect(await stateOf(board)).toBe('held');
    expect(isUntouched(swapped)).toBe(true);
    hook = () => undefined;
    expect(verdict(await bench.program(swapped))).toBe('passed');
  });
});

describe('content', () => {
  it('A15 one changed byte between repository and use stops the station before the line is asked', async () => {
    const board = factory.makeBoard();
    const bench = await openBench({ ports: { releases: imagesFrom((image) => flipBit(image, 9)) } });
    expect(verdict(await bench.program(board))).toBe('stopped LS-201');
    expect(isUntouched(board)).toBe(true);
    const honest = await openBench({ ports: { releases: imagesFrom((image) => image) } });
    expect(verdict(await honest.program(board))).toBe('passed');
  });

  it('A15 a valid image of another release is not the one of this release', async () => {
    const bench = await openBench({ ports: { releases: imagesFrom(() => simImage(2)) } });
    expect(verdict(await bench.program(factory.makeBoard()))).toBe('stopped LS-201');
  });

  it('A16 bytes exchanged between verifying and writing are not the bytes that are written', async () => {
    const board = factory.makeBoard();
    const shared = Uint8Array.from(factory.image);
    const bench = await openBench({
      ports: { releases: imagesFrom(() => shared) },
      // What backs the image changes at the last moment before the programmer gets its order.
      alterDriver: (driver) =>
        beforeOperation(driver, 'program', () => {
          shared.fill(0x66);
        }),
    });
    expect(verdict(await bench.program(board))).toBe('passed');
    expect(inspectBoard(board, IMAGE_ADDRESS, factory.image).holdsImage).toBe(true);
  });

  it('A16 bytes exchanged before the order is made are refused', async () => {
    const board = factory.makeBoard();
    const shared = Uint8Array.from(factory.image);
    const bench = await openBench({
      ports: {
        releases: imagesFrom(() => shared),
        line: afterwards(factory.wire, () => {
          shared.fill(0x66);
        }),
      },
    });
    expect(verdict(await bench.program(board))).toBe('interrupted HD-02');
    expect(isUntouched(board)).toBe(true);
    expect(await stateOf(board)).toBe('held');
  });

  it('A16 a programmer that writes other bytes than it was given is found by reading back', async () => {
    const bench = await openBench({
      alterDriver: (driver) => ({
        ...bindDriver(driver),
        program: (order, options) => driver.program({ ...order, image: simImage(3) }, options),
      }),
    });
    expect(verdict(await bench.program(factory.makeBoard()))).toBe('failed UF-03');
  });
});

describe('the clock', () => {
  it('A17 set back over the night shift: stopped, recorded, and stopped again after a restart', async () => {
    const bench = await openBench();
    const [first, second] = [factory.makeBoard(), factory.makeBoard()];
    expect(verdict(await bench.program(first))).toBe('passed');
    bench.clock.skewMs = -2 * HOUR_MS;
    const result = await bench.program(second);
    expect(verdict(result)).toBe('stopped LS-301');
    const recorded = recordedRefusal(result);
    expect(recorded).toMatchObject({ code: 'LS-301', kind: 'LINE_STOP' });
    // I6: the record of the wrong clock does not bear the wrong time.
    expect(Date.parse(recorded.refusedAt)).toBeGreaterThan(factory.clock.now() - HOUR_MS);
    await bench.restart();
    expect(verdict(await bench.program(second))).toBe('stopped LS-301');
    expect(isUntouched(second)).toBe(true);
    bench.clock.skewMs = 0;
    await bench.restart();
    expect(verdict(await bench.program(second))).toBe('passed');
  });

  it('A17 holds after a restart even while the line is away: the floor is on the disk', async () => {
    const bench = await openBench();
    expect(verdict(await bench.program(factory.makeBoard()))).toBe('passed');
    bench.clock.skewMs = -2 * HOUR_MS;
    const { line } = factory.wire;
    factory.wire.line = null;
    await bench.restart();
    expect(verdict(await bench.program(factory.makeBoard()))).toBe('stopped LS-301');
    factory.wire.line = line;
  });

  it('A18 set forward by a year: stopped, and right again as soon as the clock is', async () => {
    const bench = await openBench();
    bench.clock.skewMs = 365 * 24 * HOUR_MS;
    expect(verdict(await bench.program(factory.makeBoard()))).toBe('stopped LS-301');
    bench.clock.skewMs = 0;
    expect(verdict(await bench.program(factory.makeBoard()))).toBe('passed');
  });

  it('A17 set back in the middle of a unit: nothing is signed, the intent stays open, recovery finishes it', async () => {
    const board = factory.makeBoard();
    let hook = (): void => undefined;
    const bench = await openBench({
      alterDriver: (driver) =>
        beforeOperation(driver, 'readBack', () => {
          hook();
        }),
    });
    hook = () => {
      bench.clock.skewMs = -2 * HOUR_MS;
    };
    expect(verdict(await bench.program(board))).toBe('stopped LS-301');
    expect(await stateOf(board)).toBe('open');
    hook = () => undefined;
    expect((await bench.station.recover()).units.map(verdict)).toEqual(['stopped LS-301']);
    bench.clock.skewMs = 0;
    await bench.restart();
    const { units, pending } = await bench.station.recover();
    expect([units.map(verdict), pending]).toEqual([['passed'], 0]);
  });

  it('E-14 a wrong clock is named before the metadata it would make look expired', async () => {
    const bench = await openBench();
    bench.clock.skewMs = 100 * 365 * 24 * HOUR_MS;
    expect(verdict(await bench.program(factory.makeBoard()))).toBe('stopped LS-301');
  });
});

describe('people and places', () => {
  it('A5 nobody signed in, and a session that ended: LS-501; signed in: passes', async () => {
    const board = factory.makeBoard();
    const bench = await openBench({ isUnattended: true });
    expect(verdict(await bench.program(board))).toBe('stopped LS-501');
    await bench.station.signIn(await factory.session('ST-07', true));
    bench.station.signOut();
    expect(verdict(await bench.program(board))).toBe('stopped LS-501');
    await bench.station.signIn(await factory.session('ST-07', true));
    expect(verdict(await bench.program(board))).toBe('passed');
  });

  it('A5 a session of another station or signed by somebody else does not open this one', async () => {
    const bench = await openBench({ isUnattended: true });
    await expect(bench.station.signIn(await factory.session('ST-08', true))).rejects.toMatchObject({ code: 'LS-501' });
    const session = await factory.session('ST-07', true);
    const forged = { ...session, signatures: (await factory.session('ST-08', true)).signatures };
    await expect(bench.station.signIn(forged)).rejects.toMatchObject({ code: 'LS-501' });
    await bench.station.signIn(session);
  });

  it('LS-304 a token that was taken out stops the station; with it the unit passes', async () => {
    const board = factory.makeBoard();
    const { key } = factory.people.stations['ST-07'];
    let isThere = true;
    const bench = await openBench({
      ports: {
        signer: {
          publicKey: key.publicKey,
          custody: key.custody,
          sign: (message) =>
            isThere ? key.sign(message) : Promise.reject(new CustodyError('ERR_CUSTODY_SIGN', 'the token was removed')),
        },
      },
    });
    isThere = false;
    expect(verdict(await bench.program(board))).toBe('stopped LS-304');
    expect(isUntouched(board)).toBe(true);
    isThere = true;
    expect(verdict(await bench.program(board))).toBe('passed');
  });

  it('HD-01 the line goes away in the middle: the open unit is finished later, no new unit is begun', async () => {
    const [board, next] = [factory.makeBoard(), factory.makeBoard()];
    const line = cutOnce();
    const finished: string[] = [];
    const bench = await openBench({
      alterDriver: (driver) => beforeOperation(driver, 'readBack', line.cut),
      ports: { onRecovered: (result) => finished.push(verdict(result)) },
    });
    expect(verdict(await bench.program(board))).toBe('interrupted HD-01');
    expect(verdict(await bench.program(next))).toBe('interrupted HD-01');
    expect(isUntouched(next)).toBe(true);
    line.restore();
    // The event had been signed while its board was in the fixture; that another one is there now does not matter.
    expect(verdict(await bench.program(next))).toBe('passed');
    expect(finished).toContain('passed');
    expect([await stateOf(board), await stateOf(next)]).toEqual(['passed', 'passed']);
  });

  it('I12 a refusal that cannot be delivered waits in the journal, once, and is delivered first thing later', async () => {
    const bench = await openBench();
    const board = factory.makeBoard();
    const { line } = factory.wire;
    bench.clock.skewMs = -2 * HOUR_MS;
    factory.wire.line = null;
    expect(verdict(await bench.program(board))).toBe('stopped LS-301');
    for (let scan = 0; scan < 5; scan += 1) {
      expect(await bench.program(board)).toMatchObject({ code: 'HD-01', record: null });
    }
    expect([...bench.disk.keys()].filter((path) => path.endsWith('.journal'))).toHaveLength(1);
    factory.wire.line = line;
    bench.clock.skewMs = 0;
    const before = factory.line.log.size;
    expect(verdict(await bench.program(board))).toBe('passed');
    const first = parseEnvelope(await factory.line.log.readEntry(before));
    expect(parseStatement(refusal, first.payload).predicate.code).toBe('LS-301');
  });
});

describe('another device, another station', () => {
  it('A10 a copied hardware identifier is the same device to us: the second unit is refused', async () => {
    const bench = await openBench();
    const board = factory.makeBoard();
    const clone = withUniqueId(board, board.chip.uniqueId);
    expect(verdict(await bench.program(board))).toBe('passed');
    expect(verdict(await bench.program(clone))).toBe('stopped LS-102');
    expect(isUntouched(clone)).toBe(true);
  });

  it('a unit that waits for its recovery at one station is not begun at another', async () => {
    const board = factory.makeBoard();
    const line = cutOnce();
    const bench = await openBench({ alterDriver: (driver) => beforeOperation(driver, 'readBack', line.cut) });
    expect(verdict(await bench.program(board))).toBe('interrupted HD-01');
    line.restore();
    const other = await SimBench.open(factory, { name: 'ST-08' });
    expect(verdict(await other.program(board))).toBe('stopped LS-105');
    expect((await bench.station.recover()).units.map(verdict)).toEqual(['passed']);
  });

  it('A67 a power cut between lock and manifest: the record is made from what is read back, and says so', async () => {
    const board = factory.makeBoard();
    const bench = await openBench({ alterDriver: (driver) => beforeOperation(driver, 'readLockState', powerCut) });
    await expect(bench.program(board)).rejects.toThrow('power');
    expect(inspectBoard(board, IMAGE_ADDRESS, factory.image)).toMatchObject({ holdsImage: true, isLocked: true });
    expect(await stateOf(board)).toBe('open');
    const next = await SimBench.open(factory, { disk: bench.disk });
    next.fixture.bay.insert(board.chip);
    const { units } = await next.station.recover();
    expect(units.map(({ phase, resumed }) => [phase, resumed])).toEqual([['passed', true]]);
    expect(factory.verify(await evidenceOf(board)).verdict).toBe('VERIFIED');
  });

  it('A67 twin: with another board in the fixture the unit is held, and the other board is not touched', async () => {
    const [board, other] = [factory.makeBoard(), factory.makeBoard()];
    const bench = await openBench({ alterDriver: (driver) => beforeOperation(driver, 'readLockState', powerCut) });
    await expect(bench.program(board)).rejects.toThrow('power');
    const next = await SimBench.open(factory, { disk: bench.disk });
    next.fixture.bay.insert(other.chip);
    expect((await next.station.recover()).units.map(verdict)).toEqual(['interrupted HD-02']);
    expect(isUntouched(other)).toBe(true);
    expect(await stateOf(board)).toBe('held');
    expect(verdict(await next.program(other))).toBe('passed');
  });
});

type Hook = () => void;

/** The factory's releases, with images as `alter` makes them. */
function imagesFrom(alter: (image: Bytes) => Bytes): ReleaseSource {
  const source = factory.releaseSource('ST-07');
  return {
    refresh: (now) => source.refresh(now),
    releaseInEffect: async (query) => {
      const release = await source.releaseInEffect(query);
      return { ...release, readImage: async (component) => alter(await release.readImage(component)) };
    },
  };
}

/** The line, with something that happens once an intent is logged. */
function afterwards(line: LineService, hook: Hook): LineService {
  return {
    requestPermit: (request) => line.requestPermit(request),
    submit: async (statement, attachments) => {
      const entry = await line.submit(statement, attachments);
      if (attachments?.permit !== undefined) hook();
      return entry;
    },
    time: () => line.time(),
    unitEvidence: (unit) => line.unitEvidence(unit),
  };
}

/** Takes the line away at a moment, and gives it back. */
function cutOnce(): { readonly cut: Hook; readonly restore: Hook } {
  const { line } = factory.wire;
  let isCut = false;
  return {
    cut: () => {
      if (!isCut) factory.wire.line = null;
      isCut = true;
    },
    restore: () => {
      factory.wire.line = line;
    },
  };
}

function powerCut(): never {
  throw new Error('the power is gone');
}

function flipBit(image: Bytes, at: number): Bytes {
  const copy = Uint8Array.from(image);
  copy[at] = (copy[at] as number) ^ 1;
  return copy;
}

/** A blank board with that identifier, and the label of the given one. */
function withUniqueId(board: SimBoard, uniqueId: Bytes): SimBoard {
  return { ...board, chip: new SpiNorChip(blankChip({ ...SIM_BOARD, uniqueId })) };
}

async function evidenceOf(board: SimBoard): Promise<Bytes> {
  const evidence = await factory.evidence(board);
  if (evidence === null) throw new Error('the line knows no such unit');
  return evidence;
}

async function allowRetry(board: SimBoard): Promise<void> {
  const last = (await factory.line.store.views.chain(board.deviceId)).at(-1);
  if (last === undefined) throw new Error('the unit has no event');
  await factory.decide(
    {
      refusalId: last.event_id,
      refusalDigest: last.payload_digest,
      code: 'HD-02',
      deviceId: board.deviceId,
      station: last.station,
      line: LINE,
    },
    'allowRetry',
  );
}
