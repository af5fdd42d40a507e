// SPDX-License-Identifier: Apache-2.0
/**
 * The driver conformance suite (docs/drivers.md): what every driver has to do and how it has to end when the device,
 * the wire or the power does not play along. It drives the model behind the driver's own wire through a bay; what
 * differs from one kind of part to another is in a `PartKit`.
 */
import { equalBytes } from '@witnessmark/core';
import { describe, it, type ExpectStatic } from 'vitest';
import { canLock, type ProgramProgress } from '../src/index.ts';
import {
  abortWhen,
  chipIn,
  expectContent,
  expectOtherContent,
  expectProgress,
  expectRecovery,
  withFaults,
} from './conformance-checks.ts';
import {
  onBench,
  type Bench,
  type ConformanceOptions,
  type MakeHarness,
  type PartKit,
  type TestBay,
  type TestPart,
} from './conformance-kit.ts';

export function driverConformance<Part extends TestPart, Bay extends TestBay<Part>>(
  name: string,
  kit: PartKit<Part, Bay>,
  makeHarness: MakeHarness<Bay>,
  { stuckMs, givesUp = false, linkDropCount = kit.linkDrops.defaultCount }: ConformanceOptions,
): void {
  const { profile, image: IMAGE, otherImage: OTHER_IMAGE, newUnlockablePart } = kit;
  const faultsShowAtOnce = kit.faultsShow === 'when written';
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
      'reads the hardware id',
      withPart(async ({ driver, chip }, expect) => {
        expect(await driver.readHardwareId()).toEqual({
          state: 'DONE',
          value: { scheme: profile.hardwareIdScheme, value: chip.uniqueId },
        });
      }),
    );

    for (const [what, placeholder] of [
      ['zeroes', new Uint8Array(profile.hardwareIdBytes)],
      ['ones', new Uint8Array(profile.hardwareIdBytes).fill(0xff)],
      ['a count', Uint8Array.from({ length: profile.hardwareIdBytes }, (_, at) => at + 1)],
    ] as const) {
      it(
        `E-21: does nothing to a part whose hardware id is ${what}`,
        withPart(async ({ driver, bay }, expect) => {
          bay.insert(kit.newPart(placeholder));
          const refused = { state: 'FAILED', code: 'UF-01' };
          expect(await driver.readHardwareId()).toMatchObject(refused);
          expect(await driver.program({ address: 0, image: IMAGE })).toMatchObject(refused);
          expect(await driver.readBack(WHOLE)).toMatchObject(refused);
          expect(
            chipIn(bay)
              .snapshot()
              .memory.every((byte) => byte === 0xff),
          ).toBe(true);
        }),
      );
    }

    it(
      'reads a duplicated id as it is: that two parts bear it is for the line to see',
      withPart(async ({ driver, bay, chip }, expect) => {
        const first = await driver.readHardwareId();
        expect(first).toMatchObject({ state: 'DONE' });
        bay.insert(kit.newPart(chip.uniqueId));
        expect(await driver.readHardwareId()).toEqual(first);
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
      faultsShowAtOnce
        ? 'says UF-02 when a cell cannot be erased'
        : 'shows a cell that cannot be erased in what is read back',
      withPart(async ({ driver, chip }, expect) => {
        chip.inject({ stuckBits: [{ address: KEPT_AT, bit: 0, value: 0 }] });
        const outcome = await driver.program({ address: 0, image: IMAGE });
        if (faultsShowAtOnce) {
          expect(outcome).toMatchObject({ state: 'FAILED', code: 'UF-02' });
          return;
        }
        const wanted = FILLED.slice();
        wanted[KEPT_AT] = (IMAGE[KEPT_AT] as number) & ~1;
        expectContent(expect, await driver.readBack(WHOLE), wanted);
      }),
    );

    it(
      'says UF-02 when erasing does nothing',
      withPart(async ({ driver, bay, chip }, expect) => {
        bay.insert(withFaults(kit.newPart(chip.uniqueId, OTHER_IMAGE), { deadErase: true }));
        expect(await driver.erase(WHOLE)).toMatchObject({ state: 'FAILED', code: 'UF-02' });
        const outcome = await driver.program({ address: 0, image: IMAGE });
        if (faultsShowAtOnce) expect(outcome).toMatchObject({ state: 'FAILED', code: 'UF-02' });
        else await expectOtherContent(expect, driver, FILLED);
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
      faultsShowAtOnce
        ? 'says UF-02 for a part whose write protection is held'
        : 'shows a write protection that is held in what is read back',
      withPart(async ({ driver, bay, chip }, expect) => {
        bay.insert(kit.newProtectedPart(chip.uniqueId));
        const refused = { state: 'FAILED', code: 'UF-02' };
        const outcome = await driver.program({ address: 0, image: IMAGE });
        if (faultsShowAtOnce) {
          expect(outcome).toMatchObject(refused);
          expect(await driver.erase(WHOLE)).toMatchObject(refused);
        } else {
          await expectOtherContent(expect, driver, FILLED);
        }
        expect(bay.chip?.snapshot().memory.every((byte) => byte === 0xff)).toBe(true);
      }),
    );

    for (let cut = 1; cut <= linkDropCount; cut += 1) {
      it(
        `A6: ends UNKNOWN when the link drops while it programs, leaves nothing running, and can begin again (${cut} of ${linkDropCount})`,
        withPart(async ({ driver, bay, expectNothingLeft }, expect) => {
          const { from, to } = kit.linkDrops;
          bay.dropLinkAfter(Math.floor(from + ((to - from) * (cut - 0.5)) / linkDropCount));
          const { signal, stopWatching } = abortWhen(() => !bay.awaitsLinkDrop);
          const outcome = await driver.program({ address: 0, image: IMAGE }, { signal });
          stopWatching();
          expect(outcome).toMatchObject({ state: 'UNKNOWN' });
          expectNothingLeft();
          await expectRecovery(expect, driver, IMAGE, FILLED);
        }),
      );
    }

    it(
      'ends UNKNOWN when power goes while it programs; the device holds a part of the image and can be programmed again',
      withPart(async ({ driver, bay, chip, expectNothingLeft }, expect) => {
        chip.inject({ powerCut: { during: 'program', afterBytes: kit.powerCutAfter.program } });
        const { signal, stopWatching } = abortWhen(() => !chip.awaitsPowerCut);
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

    if (newUnlockablePart === null) {
      it(
        'A54: says that the board has no lock: refuses to set one, and never reads locked',
        withPart(async ({ driver, chip }, expect) => {
          const before = chip.revision;
          expect(canLock(driver.profile)).toBe(false);
          expect(await driver.lock()).toMatchObject({ state: 'FAILED', code: 'UF-04' });
          expect(await driver.reset()).toMatchObject({ state: 'DONE' });
          expect(await driver.readLockState()).toEqual({ state: 'DONE', value: 'unknown' });
          expect(chip.revision).toBe(before);
        }),
      );
      return;
    }

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
        bay.insert(newUnlockablePart(chip.uniqueId));
        expect(await driver.lock()).toMatchObject({ state: 'FAILED', code: 'UF-04' });
      }),
    );
  });
}
