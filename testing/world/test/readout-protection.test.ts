// SPDX-License-Identifier: Apache-2.0
/** Boards whose lock forbids reading: what was measured before the lock has to outlive the process that measured it. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { concatBytes, encodeUtf8, sha256 } from '@witnessmark/core';
import { deriveLabelSerial, toDeviceId } from '@witnessmark/attestation';
import { signEnvelope } from '@witnessmark/custody';
import {
  blankChip,
  blankMcu,
  McuBay,
  OpenocdDriver,
  RemoteBitbangServer,
  SpiNorChip,
  Stm32Mcu,
  STM32F103C8_BOARD,
  type DeviceDriver,
} from '@witnessmark/device';
import { Journal, type UnitResult } from '@witnessmark/station';
import { CrashFs, type DiskImage } from '../src/crash/crash-fs.ts';
import type { Run } from '../src/crash/run.ts';
import { Sweep } from '../src/crash/sweep.ts';
import { SimBench } from '../src/sim/sim-bench.ts';
import { beforeOperation, closedWhenLocked, SIM_BOARD, type SimBoard } from '../src/sim/sim-device.ts';
import { SKU } from '../src/sim/sim-release.ts';
import { SimFactory } from '../src/sim/sim-factory.ts';

let factory: SimFactory;

beforeAll(async () => {
  factory = await SimFactory.open();
});

afterAll(async () => {
  await factory.close();
});

function lastVerdict({ told, board }: Run): string {
  const last = told.findLast(({ deviceId }) => deviceId === board.deviceId);
  return [last?.phase, last?.code, last?.resumed === true ? 'resumed' : null].filter((word) => word != null).join(' ');
}

function describeResult({ phase, code, resumed }: UnitResult): string {
  return [phase, code, resumed ? 'resumed' : null].filter((word) => word !== null).join(' ');
}

/** The power goes when the lock is set and before it was read back. */
function dyingBehindTheLock(driver: DeviceDriver): DeviceDriver {
  return beforeOperation(driver, 'readLockState', () => {
    throw new Error('the power is gone');
  });
}

/** The disk of a station that has locked the board and no longer knows it. */
async function interrupt(board: SimBoard): Promise<DiskImage> {
  // Only the station's own question about the lock ends it, not the one of the model.
  const alterDriver = (driver: DeviceDriver): DeviceDriver => ({
    ...closedWhenLocked(driver),
    readLockState: (options) => dyingBehindTheLock(driver).readLockState(options),
  });
  const bench = await SimBench.open(factory, { alterDriver });
  await expect(bench.program(board)).rejects.toThrow('power');
  return bench.disk;
}

async function recover(disk: DiskImage, board: SimBoard): Promise<string[]> {
  const bench = await SimBench.open(factory, { disk, alterDriver: closedWhenLocked });
  bench.fixture.bay.insert(board.chip);
  return (await bench.station.recover()).units.map(describeResult);
}

/** The same journal with another measurement in it, signed by somebody else's key or left out. */
async function alterMeasurement(disk: DiskImage, how: 'forge' | 'remove'): Promise<DiskImage> {
  const [transaction] = (await Journal.open(new CrashFs(disk))).transactions;
  if (transaction === undefined) throw new Error('the journal is empty');
  const files = new CrashFs(new Map([...disk].filter(([path]) => !path.endsWith('.journal'))));
  const journal = await Journal.open(files);
  for (const { seq, at, fact } of transaction.records) {
    if (seq === 1) await journal.begin(transaction.id, at, fact);
    else if (fact.kind !== 'measured') await journal.append(transaction.id, at, fact);
    else if (how === 'forge') {
      const { payloadType, payload } = fact.measurement;
      const measurement = await signEnvelope(payloadType, payload, [factory.people.stations['ST-08'].key]);
      await journal.append(transaction.id, at, { kind: 'measured', measurement });
    }
  }
  return files.currentImage();
}

describe('what was kept before the lock', { timeout: 60_000 }, () => {
  it('finishes the unit it was kept for', async () => {
    const board = factory.makeBoard();
    expect(await recover(await interrupt(board), board)).toEqual(['passed resumed']);
    const evidence = await factory.evidence(board);
    expect(factory.verify(evidence as Uint8Array)).toMatchObject({ verdict: 'VERIFIED' });
  });

  it('finishes nothing when it is not there: the unit is held', async () => {
    const board = factory.makeBoard();
    const disk = await alterMeasurement(await interrupt(board), 'remove');
    expect(await recover(disk, board)).toEqual(['interrupted HD-02']);
  });

  it('is believed only with the signature of this station', async () => {
    const board = factory.makeBoard();
    const disk = await alterMeasurement(await interrupt(board), 'forge');
    await expect(recover(disk, board)).rejects.toMatchObject({ code: 'ERR_STATION_JOURNAL_DAMAGED' });
  });

  it('says nothing about another board, however locked', async () => {
    const [board, other] = [factory.makeBoard(), factory.makeBoard()];
    await interrupt(other);
    expect(await recover(await interrupt(board), other)).toEqual(['interrupted HD-02']);
  });

  it('is not used for a board that can be read: that one is measured again', async () => {
    const board = factory.makeBoard();
    // Somebody took the lock off in the meantime, which erases such a board.
    const erased = new SpiNorChip(blankChip({ ...SIM_BOARD, uniqueId: board.chip.uniqueId }));
    expect(await recover(await interrupt(board), { ...board, chip: erased })).toEqual(['interrupted HD-02']);
  });
});

describe.skipIf(!existsSync('/usr/bin/openocd'))('needs openocd', { timeout: 120_000 }, () => {
  it('A67: an STM32F103 that was locked when the power went passes, by what was measured before', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'witnessmark-test-'));
    const uniqueId = concatBytes(Uint8Array.of(0x06), sha256(encodeUtf8('readout protection')).subarray(0, 11));
    const mcu = new Stm32Mcu(blankMcu({ ...STM32F103C8_BOARD, uniqueId }));
    const server = await RemoteBitbangServer.open({ bay: new McuBay(mcu) });
    try {
      const options = { profile: STM32F103C8_BOARD, address: server, temporaryDirectory: directory };
      const driver = await OpenocdDriver.open(options);
      const serial = deriveLabelSerial(SKU, toDeviceId({ scheme: 'mcu-uid', value: uniqueId }));
      const first = await SimBench.open(factory, { alterDriver: () => dyingBehindTheLock(driver) });
      await expect(first.scan(serial)).rejects.toThrow('power');
      // The lock acts from the next power-up on, and then nothing can be read any more.
      mcu.powerOff();
      mcu.powerOn();
      expect(await driver.readBack({ address: 0, length: 16 })).toMatchObject({ state: 'FAILED', code: 'UF-02' });
      const second = await SimBench.open(factory, { disk: first.disk, alterDriver: () => driver });
      expect((await second.station.recover()).units.map(describeResult)).toEqual(['passed resumed']);
    } finally {
      await server.close();
      rmSync(directory, { recursive: true, force: true });
    }
  });
});

describe('a board that cannot be read once it is locked', { timeout: 240_000 }, () => {
  it('A67: passes after a power cut behind every call from the lock on, by what was measured before it', async () => {
    const sweep = new Sweep(factory, { alterDriver: closedWhenLocked });
    const { calls } = await sweep.run({ fault: null, fate: 'keep' });
    const verdicts = new Set<string>();
    const signed = calls.lastIndexOf('signer.sign');
    for (let at = calls.indexOf('device.lock'); at < signed; at += 1) {
      for (const mode of ['crash-before', 'crash-after', 'fail-after'] as const) {
        verdicts.add(lastVerdict(await sweep.run({ fault: { at, mode }, fate: 'lose' })));
      }
    }
    expect(sweep.violations).toEqual([]);
    expect(verdicts).toEqual(new Set(['passed resumed']));
  });

  it('A67: keeps every promise when the recovery is cut off as well, at every one of its calls', async () => {
    const sweep = new Sweep(factory, { alterDriver: closedWhenLocked });
    const { calls } = await sweep.run({ fault: null, fate: 'keep' });
    for (const name of ['fs.sync journal', 'device.lock', 'device.readLockState']) {
      const fault = {
        at: calls.lastIndexOf(name, calls.lastIndexOf('device.readLockState')),
        mode: 'crash-after',
      } as const;
      const { recoveryCalls } = await sweep.run({ fault, fate: 'lose' });
      for (const at of recoveryCalls.keys()) {
        for (const mode of ['crash-before', 'crash-after'] as const) {
          await sweep.run({ fault, recoveryFault: { at, mode }, fate: 'lose' });
        }
      }
    }
    expect(sweep.violations).toEqual([]);
    expect([...sweep.endings.keys()]).toEqual(expect.arrayContaining(['passed', 'passed resumed']));
  });
});
