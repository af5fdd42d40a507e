// SPDX-License-Identifier: Apache-2.0
/** The recipe step `bootDigest`: what the firmware says of itself is measured, recorded, admitted and verified. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildBootFirmware, buildBootImage, hasBootFirmware } from '@witnessmark/boards';
import { parseUnitEvidence } from '@witnessmark/bundle';
import { sha256Hex } from '@witnessmark/core';
import { parseStatement, PREDICATE_TYPES, provisioningEvent, readPredicateType } from '@witnessmark/attestation';
import {
  blankChip,
  DeviceBay,
  FlashromDriver,
  QemuBootCheck,
  SerprogServer,
  SpiNorChip,
  W25Q80_BOARD,
  type BootCheck,
  type DriverOutcome,
  type BootReport,
} from '@witnessmark/device';
import { deriveLabelSerial, toDeviceId, type ProvisioningEvent } from '@witnessmark/attestation';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CrashFs } from '../src/crash/crash-fs.ts';
import { SimBench } from '../src/sim/sim-bench.ts';
import { closedWhenLocked } from '../src/sim/sim-device.ts';
import { JOB, SimFactory } from '../src/sim/sim-factory.ts';
import { SKU } from '../src/sim/sim-release.ts';

let factory: SimFactory;
beforeAll(async () => {
  factory = await SimFactory.open({ rules: { refusalsPerMinute: 10_000, maxTrustAgeMs: 0 } });
  await factory.publish({ releaseId: 'R-boot', counter: 2, withBoot: true });
});
afterAll(() => factory.close());

/** Firmware that answers as told. */
function answering(answer: DriverOutcome<BootReport>): BootCheck {
  return { model: 'test rig', simulated: true, readBootReport: () => Promise.resolve(answer) };
}

const saying = (sha256: string): BootCheck => answering({ state: 'DONE', value: { digest: { sha256 } } });

async function lastEvent(deviceId: string): Promise<ProvisioningEvent> {
  const evidence = await factory.line.line.unitEvidence(deviceId);
  const payloads = parseUnitEvidence(evidence ?? new Uint8Array()).entries.map(({ envelope }) => envelope.payload);
  const last = payloads.findLast((payload) => readPredicateType(payload) === PREDICATE_TYPES.provisioningEvent);
  return parseStatement(provisioningEvent, last ?? new Uint8Array()).predicate;
}

async function verdict(deviceId: string): Promise<string> {
  const evidence = await factory.line.line.unitEvidence(deviceId);
  const { verdict: said, code } = factory.verify(evidence ?? new Uint8Array());
  return `${said} ${code ?? ''}`.trimEnd();
}

describe('a recipe with the step bootDigest', () => {
  it('passes a unit whose firmware names the digest of the image, graded as measured', async () => {
    const bench = await SimBench.open(factory, { ports: { bootCheck: saying(sha256Hex(factory.image)) } });
    const board = factory.makeBoard();
    expect(await bench.program(board)).toMatchObject({ phase: 'passed', code: null, detail: null });
    expect((await lastEvent(board.deviceId)).boot).toEqual({
      component: 'firmware',
      model: 'test rig',
      digest: { sha256: sha256Hex(factory.image) },
      result: 'SUCCESS',
      grade: 'measured',
    });
    expect(await verdict(board.deviceId)).toBe('VERIFIED');
  });

  it('fails a unit whose content is right and whose firmware names another one (UF-03)', async () => {
    const bench = await SimBench.open(factory, { ports: { bootCheck: saying('ab'.repeat(32)) } });
    const board = factory.makeBoard();
    expect(await bench.program(board)).toMatchObject({ phase: 'failed', code: 'UF-03' });
    const { boot, components } = await lastEvent(board.deviceId);
    expect(boot?.result).toBe('FAIL');
    expect(components[0]?.measurement.result).toBe('SUCCESS');
  });

  it('holds a unit that says nothing: nobody knows what it is (HD-02)', async () => {
    const silent = answering({ state: 'UNKNOWN', detail: 'no answer in time' });
    const bench = await SimBench.open(factory, { ports: { bootCheck: silent } });
    expect(await bench.program(factory.makeBoard())).toMatchObject({ phase: 'interrupted', code: 'HD-02' });
  });

  it('is refused by a station that cannot start its board, before the device is touched (LS-205)', async () => {
    const bench = await SimBench.open(factory);
    const board = factory.makeBoard();
    expect(await bench.program(board)).toMatchObject({ phase: 'stopped', code: 'LS-205' });
    expect(await factory.line.line.unit(board.deviceId)).toBeNull();
  });

  it('holds a unit that comes back to a fixture that lost what starts its board (HD-02)', async () => {
    const cut = new AbortController();
    const bootCheck: BootCheck = {
      ...saying(sha256Hex(factory.image)),
      readBootReport: () => {
        cut.abort();
        return Promise.resolve({ state: 'UNKNOWN', detail: 'the station was ended' });
      },
    };
    const bench = await SimBench.open(factory, { ports: { bootCheck } });
    const board = factory.makeBoard();
    bench.fixture.bay.insert(board.chip);
    expect(await bench.scan(board.serial, cut.signal)).toMatchObject({ phase: 'interrupted' });
    const poorer = await SimBench.open(factory, { disk: bench.disk });
    expect(await poorer.program(board)).toMatchObject({ phase: 'interrupted', code: 'HD-02', resumed: false });
    expect((await lastEvent(board.deviceId)).boot).toBeUndefined();
  });

  it('is asked again after a lock that forbids reading, when the station was interrupted there', async () => {
    let isCut = true;
    const board = factory.makeBoard();
    const bench = await SimBench.open(factory, {
      ports: { bootCheck: saying(sha256Hex(factory.image)) },
      alterDriver: (driver) => {
        const closed = closedWhenLocked(driver);
        return {
          ...closed,
          reset: async (options) => {
            const outcome = await closed.reset(options);
            if (!isCut) return outcome;
            isCut = false;
            return { state: 'UNKNOWN', detail: 'the link was cut' };
          },
        };
      },
    });
    expect(await bench.program(board)).toMatchObject({ phase: 'passed', resumed: true });
    expect((await lastEvent(board.deviceId)).boot?.result).toBe('SUCCESS');
  });
});

const hasTools = existsSync('/usr/bin/qemu-system-arm') && existsSync('/usr/sbin/flashrom') && hasBootFirmware();

describe.skipIf(!hasTools)('needs flashrom and qemu-system-arm: device A', { timeout: 180_000 }, () => {
  it('is programmed by flashrom, booted in QEMU, and vouches for itself', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'witnessmark-boot-'));
    const image = buildBootImage(buildBootFirmware(directory), { sizeBytes: W25Q80_BOARD.sizeBytes, seed: 'recipe' });
    const own = await SimFactory.open({ rules: { refusalsPerMinute: 10_000, maxTrustAgeMs: 0 } });
    const uniqueId = Uint8Array.of(0xd2, 1, 9, 2, 8, 3, 7, 4);
    const chip = new SpiNorChip(blankChip({ ...W25Q80_BOARD, uniqueId }));
    const server = await SerprogServer.open({ bay: new DeviceBay(chip) });
    try {
      await own.publish({ releaseId: 'R-A', counter: 2, image, address: 0, withBoot: true });
      const driver = await FlashromDriver.open({
        profile: W25Q80_BOARD,
        address: server,
        temporaryDirectory: directory,
      });
      const bootCheck = await QemuBootCheck.open({
        readChip: () => chip.snapshot().memory,
        temporaryDirectory: directory,
      });
      const station = await own.startStation({ files: new CrashFs(), driver, bootCheck });
      await station.signIn(await own.session('ST-07', true));
      const deviceId = toDeviceId({ scheme: 'spi-nor-uid', value: uniqueId });
      const label = { raw: deriveLabelSerial(SKU, deviceId), symbology: 'd2' };
      const result = await station.programUnit({ job: JOB, label });
      expect(result).toMatchObject({ phase: 'passed', code: null });
      const evidence = await own.line.line.unitEvidence(deviceId);
      const { verdict: said, checks } = own.verify(evidence ?? new Uint8Array());
      expect(said).toBe('VERIFIED');
      expect(checks.find(({ name }) => name === 'measured content')?.outcome).toBe('pass');
    } finally {
      await server.close();
      await own.close();
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
