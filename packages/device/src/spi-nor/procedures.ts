// SPDX-License-Identifier: Apache-2.0
/**
 * What a driver of an SPI-NOR board does over the bus alone: identify, read the hardware identifier, open for writing,
 * lock, and put a lock to the test. A "no" is a `RefusedError` with its reason code.
 */
import { encodeHex, RefusedError } from '@witnessmark/core';
import type { DeviceIdentity, FlashRange, HardwareIdReading, LockState } from '../contract.ts';
import { DeviceError } from '../error.ts';
import { expectHardwareId, expectSameId } from '../hardware-id.ts';
import type { DeviceProfile, LockRecipe, RegisterSetting } from '../profile.ts';
import { isSilent, type SpiNorFlash } from './flash.ts';
import { formatStatusRegisters, overlaps, protectedRange, type StatusRegisters } from './status-register.ts';

/** Where the lock test looks for a byte that a write would change. */
const LOCK_TEST_BYTES = 64 * 1024;

export async function identifyFlash(flash: SpiNorFlash, profile: DeviceProfile): Promise<DeviceIdentity> {
  const jedecId = await flash.readJedecId();
  if (isSilent(jedecId)) throw new RefusedError('UF-01', `no device answers: RDID reads ${jedecId}`);
  if (jedecId !== profile.jedecId) {
    throw new RefusedError('UF-01', `expected a ${profile.model} (RDID ${profile.jedecId}), found RDID ${jedecId}`);
  }
  return { model: profile.model, sizeBytes: profile.sizeBytes, jedecId };
}

/** Reads the identifier twice: a loose contact gives answers that change. */
export async function readFlashHardwareId(flash: SpiNorFlash, profile: DeviceProfile): Promise<HardwareIdReading> {
  await identifyFlash(flash, profile);
  const { hardwareIdBytes, hardwareIdSource } = profile;
  const first = await flash.readUniqueId(hardwareIdBytes, hardwareIdSource);
  const value = expectHardwareId(profile, [first, await flash.readUniqueId(hardwareIdBytes, hardwareIdSource)]);
  return { scheme: profile.hardwareIdScheme, value };
}

/**
 * Throws `UF-07` when the part in the fixture is not the one that was there `before`, and a `DeviceError` when none
 * answers any more: the one from before may have been changed.
 */
export async function expectSameDevice(
  flash: SpiNorFlash,
  profile: DeviceProfile,
  before: HardwareIdReading,
): Promise<void> {
  if (isSilent(await flash.readJedecId())) throw new DeviceError('ERR_DEVICE_LINK', 'the device stopped answering');
  const now = await readFlashHardwareId(flash, profile);
  expectSameId(before.value, now.value);
}

/** Clears the protection of `range` where nothing holds it; throws `UF-02` where something does. */
export async function openForWriting(flash: SpiNorFlash, profile: DeviceProfile, range: FlashRange): Promise<void> {
  const found = await flash.readStatus();
  if (!overlaps(range, protectedRange(found, profile.sizeBytes))) return;
  await flash.writeStatus(withoutLock(found, profile.lockRecipe), 'kept');
  const now = await flash.readStatus();
  if (overlaps(range, protectedRange(now, profile.sizeBytes))) {
    throw new RefusedError(
      'UF-02',
      `the device is write-protected: its status registers stay ${formatStatusRegisters(now)}`,
    );
  }
}

/** Writes the recipe's settings and reads them back; throws `UF-04` when they differ. */
export async function lockFlash(flash: SpiNorFlash, recipe: LockRecipe): Promise<void> {
  const wanted = withLock(await flash.readStatus(), recipe);
  await flash.writeStatus(wanted, 'kept');
  const found = await flash.readStatus();
  if (!showsLock(found, recipe)) {
    throw new RefusedError(
      'UF-04',
      `expected status registers ${formatStatusRegisters(wanted)}, found ${formatStatusRegisters(found)}`,
    );
  }
}

/**
 * Reads the registers and, when they say locked, tries what a locked part must refuse: clearing the registers, then
 * programming one bit. A part that lets the second one through is damaged by it – it is refused for that anyway.
 */
export async function testLock(flash: SpiNorFlash, profile: DeviceProfile): Promise<LockState> {
  await identifyFlash(flash, profile);
  const found = await flash.readStatus();
  if (!showsLock(found, profile.lockRecipe)) return 'open';
  await flash.writeStatus(withoutLock(found, profile.lockRecipe), 'volatile');
  const afterClearing = await flash.readStatus();
  if (!showsLock(afterClearing, profile.lockRecipe)) {
    await flash.writeStatus(found, 'volatile');
    return 'open';
  }
  return refusesProgramming(flash, profile);
}

async function refusesProgramming(flash: SpiNorFlash, profile: DeviceProfile): Promise<LockState> {
  const found = await findProgrammableByte(flash, profile.sizeBytes);
  // A part of zeroes looks the same whether it takes the write or not.
  if (found === null) return 'unknown';
  const { address, before } = found;
  await flash.programPage(address, Uint8Array.of(before & (before - 1)));
  await flash.disableWrites();
  const [after] = await flash.read({ address, length: 1 });
  return after === before ? 'locked' : 'open';
}

/** The first byte that still has a bit to program; images of boot ROMs begin with long runs of zeroes. */
async function findProgrammableByte(
  flash: SpiNorFlash,
  sizeBytes: number,
): Promise<{ readonly address: number; readonly before: number } | null> {
  for (let start = 0; start < sizeBytes; start += LOCK_TEST_BYTES) {
    const content = await flash.read({ address: start, length: Math.min(LOCK_TEST_BYTES, sizeBytes - start) });
    const at = content.findIndex((byte) => byte !== 0);
    if (at !== -1) return { address: start + at, before: content[at] as number };
  }
  return null;
}

/** Reads a block that was just erased; throws `UF-02` at the first byte that is not erased. */
export async function expectErased(flash: SpiNorFlash, range: FlashRange): Promise<void> {
  const content = await flash.read(range);
  const at = content.findIndex((byte) => byte !== 0xff);
  if (at !== -1) {
    const address = (range.address + at).toString(16).padStart(6, '0');
    throw new RefusedError(
      'UF-02',
      `erasing failed at 0x${address}: expected ff, found ${encodeHex(content.slice(at, at + 1))}`,
    );
  }
}

function showsLock(registers: StatusRegisters, recipe: LockRecipe): boolean {
  return (
    shows(registers.statusRegister1, recipe.statusRegister1) && shows(registers.statusRegister2, recipe.statusRegister2)
  );
}

function shows(register: number, setting: RegisterSetting): boolean {
  return (register & setting.mask) === setting.value;
}

function withLock(registers: StatusRegisters, recipe: LockRecipe): StatusRegisters {
  return {
    statusRegister1: (registers.statusRegister1 & ~recipe.statusRegister1.mask) | recipe.statusRegister1.value,
    statusRegister2: (registers.statusRegister2 & ~recipe.statusRegister2.mask) | recipe.statusRegister2.value,
  };
}

function withoutLock(registers: StatusRegisters, recipe: LockRecipe): StatusRegisters {
  return {
    statusRegister1: registers.statusRegister1 & ~recipe.statusRegister1.mask,
    statusRegister2: registers.statusRegister2 & ~recipe.statusRegister2.mask,
  };
}
