// SPDX-License-Identifier: Apache-2.0
/**
 * The driver conformance suite (docs/drivers.md): what every driver has to do and how it has to end when the device,
 * the wire or the power does not play along. It drives the model behind the driver's own wire through a bay; what
 * differs from one kind of part to another is in a `PartKit`.
 */
import { equalBytes, sha256Hex, type Bytes } from '@witnessmark/core';
import { describe, it, type ExpectStatic } from 'vitest';
import {
  PROGRAM_PHASES,
  type BoardProfile,
  type ChipFaults,
  type DeviceDriver,
  type DriverOutcome,
  type FlashRange,
  type ProgramProgress,
} from '../src/index.ts';

export interface DriverHarness {
  readonly driver: DeviceDriver;
  /** Throws when the driver left a process or a file behind. */
  readonly expectNothingLeft: () => void;
  readonly close: () => Promise<void>;
}

/** A model of a part, as the suite handles it. */
export interface TestPart {
  readonly uniqueId: Bytes;
  readonly revision: number;
  readonly awaitsPowerCut: boolean;
  snapshot(): { readonly memory: Bytes };
  inject(faults: ChipFaults): void;
}

/** The place it sits in, which goes on working when the part is exchanged. */
export interface TestBay<Part> {
  readonly chip: Part | null;
  insert(chip: Part | null): Part | null;
  powerOn(): void;
  /** Breaks the link once, after that much further traffic. */
  dropLinkAfter(amount: number): void;
}

/** One kind of part: how to make it and how large things are on it. */
export interface PartKit<Part extends TestPart, Bay extends TestBay<Part>> {
  readonly profile: BoardProfile;
  /** Two images as large as `image`; both start at address 0. */
  readonly image: Bytes;
  readonly otherImage: Bytes;
  /** A part of the image that starts and ends within an erase block, and a range that overlaps it to be read. */
  readonly partial: { readonly address: number; readonly length: number; readonly read: FlashRange };
  /** Whole erase blocks inside the image. */
  readonly eraseRange: FlashRange;
  readonly powerCutAfter: { readonly program: number; readonly erase: number };
  readonly linkDropAfter: number;
  uniqueId(seed: string, index: number): Bytes;
  newBay(part: Part): Bay;
  newPart(uniqueId: Bytes, content?: Bytes): Part;
  /** A part of another kind. */
  newOtherPart(uniqueId: Bytes): Part;
  /** Refuses to be written, and nothing a driver may do changes that. */
  newProtectedPart(uniqueId: Bytes): Part;
  /** Takes no lock. */
  newUnlockablePart(uniqueId: Bytes): Part;
}

/** Builds the driver under test on a bay that holds a part of the kit. */
export type MakeHarness<Bay> = (bay: Bay) => Promise<DriverHarness>;

export interface ConformanceOptions {
  /** Time limit for operations that would never end; long enough for the driver to have begun its work. */
  readonly stuckMs: number;
  /** The tool gives up on a busy device by itself, before the limit. */
  readonly givesUp?: boolean;
}

export interface Bench<Part, Bay> extends DriverHarness {
  readonly bay: Bay;
  readonly chip: Part;
}

/** Runs a test on a fresh part in a fresh bay, and looks afterwards whether the driver has put its things away. */
export function onBench<Part extends TestPart, Bay extends TestBay<Part>>(
  kit: PartKit<Part, Bay>,
  makeHarness: MakeHarness<Bay>,
  makePart: () => Part,
  test: (bench: Bench<Part, Bay>, expect: ExpectStatic) => Promise<void>,
): (context: { expect: ExpectStatic }) => Promise<void> {
  return async ({ expect }) => {
    const chip = makePart();
    const bay = kit.newBay(chip);
    const harness = await makeHarness(bay);
    try {
      await test({ ...harness, bay, chip }, expect);
      harness.expectNothingLeft();
    } finally {
      await harness.close();
    }
  };
}

export function driverConformance<Part extends TestPart, Bay extends TestBay<Part>>(
  name: string,
  kit: PartKit<Part, Bay>,
  makeHarness: MakeHarness<Bay>,
  { stuckMs, givesUp = false }: ConformanceOptions,
): void {
  const { profile, image: IMAGE, otherImage: OTHER_IMAGE } = kit;
  const WHOLE = { address: 0, length: profile.sizeBytes };
  /** The whole flash of a part that was blank before it got the image. */
  const FILLED = new Uint8Array(profile.sizeBytes).fill(0xff);
  FILLED.set(IMAGE);
  /** An address with a byte in which bit 0 is written as 0, and one in which it stays 1. */
  const middle = IMAGE.length / 2;
  const CLEARED_AT = IMAGE.findIndex((byte, at) => at > middle && (byte & 1) === 0);
  const KEPT_AT = IMAGE.findIndex((byte, at) => at > middle && (byte & 1) === 1);
  const withPart = (test: (bench: Bench<Part, Bay>, expect: ExpectStatic) => Promise<void>) =>
    onBench(kit, makeHarness, () => kit.newPart(kit.uniqueId(name, 0)), test);

  describe.concurrent(`driver conformance: ${name}`, { timeout: 120_000 }, () => {
    it(
      'names the part in the fixture',
      withPart(async ({ driver }, expect) => {
        const { model, sizeBytes, jedecId } = profile;
        expect(await driver.identify()).toEqual({ state: 'DONE', value: { model, sizeBytes, jedecId } });
      }),
    );

    it(
      'says UF-01 for an empty fixture and for another part',
      withPart(async ({ driver, bay }, expect) => {
        bay.insert(null);
        expect(await driver.identify()).toMatchObject({ state: 'FAILED', code: 'UF-01' });
        expect(await driver.readHardwareId()).toMatchObject({ state: 'FAILED', code: 'UF-01' });
        expect(await driver.readLockState()).toMatchObject({ state: 'FAILED', code: 'UF-01' });
        expect(await driver.readBack(WHOLE)).toMatchObject({ state: 'FAILED', code: 'UF-01' });
        bay.insert(kit.newOtherPart(kit.uniqueId(name, 1)));
        expect(await driver.identify()).toMatchObject({ state: 'FAILED', code: 'UF-01' });
        expect(await driver.program({ address: 0, image: IMAGE })).toMatchObject({ state: 'FAILED', code: 'UF-01' });
      }),
    );

    it(
      'reads the hardware id, and refuses placeholders',
      withPart(async ({ driver, bay, chip }, expect) => {
        expect(await driver.readHardwareId()).toEqual({
          state: 'DONE',
          value: { scheme: profile.hardwareIdScheme, value: chip.uniqueId },
        });
        for (const placeholder of [
          new Uint8Array(profile.hardwareIdBytes),
          new Uint8Array(profile.hardwareIdBytes).fill(0xff),
          Uint8Array.from({ length: profile.hardwareIdBytes }, (_, at) => at + 1),
        ]) {
          bay.insert(kit.newPart(placeholder));
          expect(await driver.readHardwareId()).toMatchObject({ state: 'FAILED', code: 'UF-01' });
        }
      }),
    );

    it(
      'A16: programs the bytes it was handed over an older image, with progress that never falls, and reads them back',
      withPart(async ({ driver, chip, bay }, expect) => {
        bay.insert(kit.newPart(chip.uniqueId, OTHER_IMAGE));
        const progress: ProgramProgress[] = [];
        const image = IMAGE.slice();
        const outcome = driver.program({ address: 0, image, onProgress: (step) => progress.push(step) });
        // Whatever the caller does to its buffer from here on.
        image.fill(0);
        expect(await outcome).toEqual({ state: 'DONE', value: undefined });
        expectProgress(expect, progress, IMAGE.length);
        expectContent(expect, await driver.readBack(WHOLE), FILLED);
      }),
    );

    it(
      'programs a part of the flash and keeps every other byte',
      withPart(async ({ driver, bay, chip }, expect) => {
        bay.insert(kit.newPart(chip.uniqueId, OTHER_IMAGE));
        const { address, length, read } = kit.partial;
        const part = IMAGE.subarray(0, length);
        expect(await driver.program({ address, image: part })).toEqual({ state: 'DONE', value: undefined });
        const wanted = FILLED.slice();
        wanted.set(OTHER_IMAGE);
        wanted.set(part, address);
        expectContent(expect, await driver.readBack(read), wanted.subarray(read.address, read.address + read.length));
        expect(equalBytes(chipIn(bay).snapshot().memory, wanted)).toBe(true);
      }),
    );

    it(
      'erases whole blocks only, and nothing else',
      withPart(async ({ driver, bay, chip }, expect) => {
        bay.insert(kit.newPart(chip.uniqueId, IMAGE));
        const { address, length } = kit.eraseRange;
        await expect(driver.erase({ address: 1, length: profile.eraseBlockBytes })).rejects.toThrow(RangeError);
        await expect(driver.erase({ address: profile.eraseBlockBytes, length: WHOLE.length })).rejects.toThrow(
          RangeError,
        );
        expect(await driver.erase({ address, length })).toEqual({ state: 'DONE', value: undefined });
        const wanted = FILLED.slice().fill(0xff, address, address + length);
        expect(equalBytes(chipIn(bay).snapshot().memory, wanted)).toBe(true);
      }),
    );

    it(
      'refuses images that do not fit, before anything is sent',
      withPart(async ({ driver, chip }, expect) => {
        const before = chip.revision;
        await expect(driver.program({ address: WHOLE.length - 1, image: IMAGE })).rejects.toThrow(RangeError);
        await expect(driver.program({ address: -1, image: IMAGE.subarray(0, 16) })).rejects.toThrow(RangeError);
        await expect(driver.program({ address: 0, image: new Uint8Array(0) })).rejects.toThrow(RangeError);
        await expect(driver.readBack({ address: 0, length: WHOLE.length + 1 })).rejects.toThrow(RangeError);
        expect(chip.revision).toBe(before);
      }),
    );

    it(
      'ends UNKNOWN when cancelled while it programs, and the device can be programmed again',
      withPart(async ({ driver, expectNothingLeft }, expect) => {
        const controller = new AbortController();
        const cancelled = await driver.program(
          {
            address: 0,
            image: IMAGE,
            onProgress: ({ phase, doneBytes }) => {
              if (phase === 'program' && doneBytes > 0) controller.abort();
            },
          },
          { signal: controller.signal },
        );
        expect(cancelled).toMatchObject({ state: 'UNKNOWN', detail: 'program was cancelled' });
        expectNothingLeft();
        await expectRecovery(expect, driver, IMAGE, FILLED);
      }),
    );

    it(
      'ends UNKNOWN when cancelled before it began, and sends nothing',
      withPart(async ({ driver, chip }, expect) => {
        const before = chip.revision;
        const options = { signal: AbortSignal.abort() };
        expect(await driver.program({ address: 0, image: IMAGE }, options)).toMatchObject({ state: 'UNKNOWN' });
        expect(await driver.erase(WHOLE, options)).toMatchObject({ state: 'UNKNOWN' });
        expect(await driver.lock(options)).toMatchObject({ state: 'UNKNOWN' });
        expect(chip.revision).toBe(before);
      }),
    );

    it(
      'ends UNKNOWN within its time limit when the device stays busy for ever',
      withPart(async ({ driver, chip, expectNothingLeft }, expect) => {
        chip.inject({ hangs: true });
        const outcome = await driver.program({ address: 0, image: IMAGE }, { timeoutMs: stuckMs });
        const detail = `program did not end within ${stuckMs} ms`;
        expect(outcome).toMatchObject(givesUp ? { state: 'UNKNOWN' } : { state: 'UNKNOWN', detail });
        expectNothingLeft();
      }),
    );

    it(
      'shows a stuck bit in what is read back',
      withPart(async ({ driver, chip }, expect) => {
        chip.inject({ stuckBits: [{ address: CLEARED_AT, bit: 0, value: 1 }] });
        await driver.program({ address: 0, image: IMAGE });
        const wanted = FILLED.slice();
        wanted[CLEARED_AT] = (IMAGE[CLEARED_AT] as number) | 1;
        expectContent(expect, await driver.readBack(WHOLE), wanted);
      }),
    );

    it(
      'says UF-02 when a cell cannot be erased',
      withPart(async ({ driver, chip }, expect) => {
        chip.inject({ stuckBits: [{ address: KEPT_AT, bit: 0, value: 0 }] });
        expect(await driver.program({ address: 0, image: IMAGE })).toMatchObject({ state: 'FAILED', code: 'UF-02' });
      }),
    );

    it(
      'says UF-02 when erasing does nothing',
      withPart(async ({ driver, bay, chip }, expect) => {
        bay.insert(withFaults(kit.newPart(chip.uniqueId, OTHER_IMAGE), { deadErase: true }));
        expect(await driver.program({ address: 0, image: IMAGE })).toMatchObject({ state: 'FAILED', code: 'UF-02' });
        expect(await driver.erase(WHOLE)).toMatchObject({ state: 'FAILED', code: 'UF-02' });
      }),
    );

    it(
      'shows a silent write protection in what is read back',
      withPart(async ({ driver, chip }, expect) => {
        chip.inject({ ignoresProgram: true });
        await driver.program({ address: 0, image: IMAGE });
        expectContent(expect, await driver.readBack(WHOLE), new Uint8Array(WHOLE.length).fill(0xff));
      }),
    );

    it(
      'says UF-02 for a part whose write protection is held',
      withPart(async ({ driver, bay, chip }, expect) => {
        bay.insert(kit.newProtectedPart(chip.uniqueId));
        const refused = { state: 'FAILED', code: 'UF-02' };
        expect(await driver.program({ address: 0, image: IMAGE })).toMatchObject(refused);
        expect(await driver.erase(WHOLE)).toMatchObject(refused);
        expect(bay.chip?.snapshot().memory.every((byte) => byte === 0xff)).toBe(true);
      }),
    );

    it(
      'ends UNKNOWN within its time limit when the link drops while it programs, and leaves nothing running',
      withPart(async ({ driver, bay, expectNothingLeft }, expect) => {
        bay.dropLinkAfter(kit.linkDropAfter);
        const outcome = await driver.program({ address: 0, image: IMAGE }, { timeoutMs: stuckMs });
        expect(outcome).toMatchObject({ state: 'UNKNOWN' });
        expectNothingLeft();
        expect(await driver.identify()).toMatchObject({ state: 'DONE' });
      }),
    );

    it(
      'ends UNKNOWN when power goes while it programs; the device holds a part of the image and can be programmed again',
      withPart(async ({ driver, bay, chip, expectNothingLeft }, expect) => {
        chip.inject({ powerCut: { during: 'program', afterBytes: kit.powerCutAfter.program } });
        const { signal, stopWatching } = abortAfterPowerCut(chip);
        const outcome = await driver.program({ address: 0, image: IMAGE }, { signal });
        stopWatching();
        expect(outcome).toMatchObject({ state: 'UNKNOWN' });
        expectNothingLeft();
        const { memory } = chip.snapshot();
        const end = memory.findIndex((byte, at) => byte !== FILLED[at]);
        expect(end).toBeGreaterThanOrEqual(kit.powerCutAfter.program);
        expect(memory.subarray(end).every((byte) => byte === 0xff)).toBe(true);
        bay.powerOn();
        await expectRecovery(expect, driver, IMAGE, FILLED);
      }),
    );

    it(
      'ends UNKNOWN when power goes while it erases',
      withPart(async ({ driver, bay, chip }, expect) => {
        bay.insert(
          withFaults(kit.newPart(chip.uniqueId, OTHER_IMAGE), {
            powerCut: { during: 'erase', afterBytes: kit.powerCutAfter.erase },
          }),
        );
        expect(await driver.erase(WHOLE, { timeoutMs: stuckMs })).toMatchObject({ state: 'UNKNOWN' });
      }),
    );

    it(
      'shows a device exchanged between programming and reading back by its hardware id',
      withPart(async ({ driver, bay, chip }, expect) => {
        const before = await driver.readHardwareId();
        expect(await driver.program({ address: 0, image: IMAGE })).toMatchObject({ state: 'DONE' });
        bay.insert(kit.newPart(kit.uniqueId(name, 2), chip.snapshot().memory));
        const after = await driver.readHardwareId();
        expect(before).not.toEqual(after);
      }),
    );

    it(
      'says UF-07 when the device is exchanged while it programs',
      withPart(async ({ driver, bay }, expect) => {
        let exchanged = false;
        const outcome = await driver.program({
          address: 0,
          image: IMAGE,
          onProgress: ({ phase, doneBytes }) => {
            if (exchanged || phase !== 'program' || doneBytes === 0) return;
            exchanged = true;
            bay.insert(kit.newPart(kit.uniqueId(name, 3)));
          },
        });
        expect(outcome).toMatchObject({ state: 'FAILED', code: 'UF-07' });
      }),
    );

    it(
      'locks, and reads locked after a reset; nothing can be written then',
      withPart(async ({ driver, bay, chip }, expect) => {
        bay.insert(kit.newPart(chip.uniqueId, IMAGE));
        expect(await driver.readLockState()).toEqual({ state: 'DONE', value: 'open' });
        expect(await driver.lock()).toEqual({ state: 'DONE', value: undefined });
        expect(await driver.reset()).toEqual({ state: 'DONE', value: undefined });
        expect(await driver.readLockState()).toEqual({ state: 'DONE', value: 'locked' });
        expect(await driver.lock()).toMatchObject({ state: 'DONE' });
        expect(await driver.erase(WHOLE)).toMatchObject({ state: 'FAILED', code: 'UF-02' });
        expect(equalBytes(chipIn(bay).snapshot().memory, FILLED)).toBe(true);
      }),
    );

    it(
      'A54: reads open after a reset when the device kept its lock only until then',
      withPart(async ({ driver, chip }, expect) => {
        chip.inject({ volatileLock: true });
        expect(await driver.lock()).toMatchObject({ state: 'DONE' });
        expect(await driver.reset()).toMatchObject({ state: 'DONE' });
        expect(await driver.readLockState()).toEqual({ state: 'DONE', value: 'open' });
      }),
    );

    it(
      'A54: reads open when the device shows a lock and lets writes through',
      withPart(async ({ driver, bay, chip }, expect) => {
        bay.insert(withFaults(kit.newPart(chip.uniqueId, IMAGE), { unenforcedLock: true }));
        expect(await driver.lock()).toMatchObject({ state: 'DONE' });
        expect(await driver.reset()).toMatchObject({ state: 'DONE' });
        expect(await driver.readLockState()).toEqual({ state: 'DONE', value: 'open' });
      }),
    );

    it(
      'says UF-04 when the part does not take the lock',
      withPart(async ({ driver, bay, chip }, expect) => {
        bay.insert(kit.newUnlockablePart(chip.uniqueId));
        expect(await driver.lock()).toMatchObject({ state: 'FAILED', code: 'UF-04' });
      }),
    );
  });
}

function withFaults<Part extends TestPart>(chip: Part, faults: ChipFaults): Part {
  chip.inject(faults);
  return chip;
}

function chipIn<Part>(bay: { readonly chip: Part | null }): Part {
  if (bay.chip === null) throw new Error('the bay is empty');
  return bay.chip;
}

/** Compares by digest: a difference in a mebibyte has no readable printout. */
function expectContent(expect: ExpectStatic, outcome: DriverOutcome<Bytes>, wanted: Bytes): void {
  const found = outcome.state === 'DONE' ? sha256Hex(outcome.value) : outcome;
  expect(found).toEqual(sha256Hex(wanted));
}

function expectProgress(expect: ExpectStatic, progress: readonly ProgramProgress[], totalBytes: number): void {
  const order = progress.map(({ phase, doneBytes }) => PROGRAM_PHASES.indexOf(phase) * 2 ** 32 + doneBytes);
  expect(order).toEqual(order.toSorted((left, right) => left - right));
  expect(progress.every((step) => step.totalBytes === totalBytes && step.doneBytes <= totalBytes)).toBe(true);
  expect(new Set(progress.map(({ doneBytes }) => doneBytes)).size).toBeGreaterThan(4);
  expect(progress.at(-1)).toEqual({ phase: 'program', doneBytes: totalBytes, totalBytes });
}

/** Some tools wait for ever on a part that has lost power; this ends them once it has. */
function abortAfterPowerCut(chip: TestPart): { signal: AbortSignal; stopWatching: () => void } {
  const controller = new AbortController();
  const watch = setInterval(() => {
    if (!chip.awaitsPowerCut) controller.abort();
  }, 10);
  return {
    signal: controller.signal,
    stopWatching: () => {
      clearInterval(watch);
    },
  };
}

async function expectRecovery(expect: ExpectStatic, driver: DeviceDriver, image: Bytes, filled: Bytes): Promise<void> {
  expect(await driver.reset()).toEqual({ state: 'DONE', value: undefined });
  expect(await driver.program({ address: 0, image })).toEqual({ state: 'DONE', value: undefined });
  expectContent(expect, await driver.readBack({ address: 0, length: filled.length }), filled);
}
