// SPDX-License-Identifier: Apache-2.0
/** Reading a device profile (spec/device-profile.md): byte limit, UTF-8, strict JSON, schema, meaning. */
import { CoreError, decodeHex, parseStrictJson, type Bytes, type JsonLimits } from '@witnessmark/core';
import { z } from 'zod';
import { DeviceError } from './error.ts';
import type { AnyProfile, AvrProfile, BoardProfile, DeviceProfile, McuProfile } from './profile.ts';

export const PROFILE_MEDIA_TYPE = 'application/vnd.witnessmark.device-profile.v1';
export const PROFILE_LIMITS: JsonLimits = { maxBytes: 16 * 1024, maxDepth: 4, maxValues: 200 };

const MAX_TIME_MS = 3_600_000;
/** Serial flash is addressed with three bytes. */
const MAX_FLASH_BYTES = 16 * 1024 * 1024;

const name = z.string().regex(/^[a-z0-9][a-z0-9.-]{0,63}$/);
const label = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9 ._()+/-]{0,63}$/);
const bytes = z.int().min(1).max(MAX_FLASH_BYTES);
const address = z.int().min(0);
const octet = z.int().min(0).max(0xff);
const time = z.int().min(1).max(MAX_TIME_MS);
const hexadecimal = z.string().regex(/^(?:[0-9a-f]{2}){1,64}$/);
const register = z.strictObject({ mask: octet, value: octet });

const common = {
  mediaType: z.literal(PROFILE_MEDIA_TYPE),
  id: name,
  model: label,
  sizeBytes: bytes,
  pageBytes: bytes,
  eraseBlockBytes: bytes,
  regions: z
    .array(z.strictObject({ name, address, length: bytes }))
    .min(1)
    .max(16),
  hardwareIdBytes: z.int().min(4).max(64),
  placeholderIds: z.array(hexadecimal).max(32),
  measurement: z.strictObject({ method: z.literal('flash-range'), readBy: z.enum(['programmer', 'target']) }),
  timeLimitsMs: z.strictObject({
    identify: time,
    readHardwareId: time,
    erase: time,
    program: time,
    readBack: time,
    lock: time,
    readLockState: time,
    reset: time,
  }),
  maxToolStarts: z.int().min(1).max(5),
};

const schema = z.discriminatedUnion('kind', [
  z.strictObject({
    ...common,
    kind: z.literal('spi-nor'),
    jedecId: z.string().regex(/^[0-9a-f]{6}$/),
    hardwareIdScheme: z.literal('spi-nor-uid'),
    hardwareIdSource: z.strictObject({
      kind: z.literal('spi-instruction'),
      opcode: octet,
      dummyBytes: z.int().min(0).max(8),
    }),
    lockRecipe: z.strictObject({
      kind: z.literal('spi-nor-status-registers'),
      statusRegister1: register,
      statusRegister2: register,
    }),
    flashromChip: label,
  }),
  z.strictObject({
    ...common,
    kind: z.literal('stm32f1'),
    jedecId: z.string().regex(/^[0-9a-f]{8}$/),
    debugPortId: z.string().regex(/^[0-9a-f]{8}$/),
    hardwareIdScheme: z.literal('mcu-uid'),
    hardwareIdSource: z.strictObject({ kind: z.literal('memory'), address: z.int().min(0).max(0xffff_ffff) }),
    lockRecipe: z.strictObject({ kind: z.literal('stm32-readout-protection'), level: z.literal(1) }),
  }),
  z.strictObject({
    ...common,
    kind: z.literal('avr'),
    jedecId: z.string().regex(/^[0-9a-f]{6}$/),
    hardwareIdScheme: z.literal('stored-id'),
    hardwareIdSource: z.strictObject({ kind: z.literal('eeprom'), address }),
    lockRecipe: z.strictObject({ kind: z.literal('none'), reason: z.string().min(1).max(200) }),
    avrdudePart: name,
    avrdudeProgrammer: z.enum(['arduino', 'urclock', 'stk500v1']),
    baudRate: z.int().min(300).max(2_000_000),
    flashBytes: bytes,
    eepromBytes: z.int().min(1).max(8192),
    bootLoader: z.strictObject({ sha256: z.string().regex(/^[0-9a-f]{64}$/) }).nullable(),
  }),
]);

/** Throws `ERR_DEVICE_PROFILE` for anything that is not a profile a driver can work by. */
export function parseProfile(file: Bytes): AnyProfile {
  try {
    return toProfile(parseStrictJson(file, PROFILE_LIMITS));
  } catch (cause) {
    if (!(cause instanceof CoreError)) throw cause;
    throw new DeviceError('ERR_DEVICE_PROFILE', `the device profile cannot be read: ${cause.message}`, { cause });
  }
}

/** The same for JSON that was read already. */
export function toProfile(value: unknown): AnyProfile {
  const result = schema.safeParse(value);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw unusable(`it breaks its schema at "${issue?.path.join('.') ?? ''}" (${issue?.code ?? ''})`);
  }
  const profile: AnyProfile = result.data;
  checkFlash(profile);
  checkHardwareId(profile);
  if (profile.kind === 'spi-nor') checkLockRecipe(profile);
  if (profile.kind === 'stm32f1') checkMcu(profile);
  if (profile.kind === 'avr') checkAvr(profile);
  return profile;
}

function checkFlash({ sizeBytes, pageBytes, eraseBlockBytes, regions }: BoardProfile): void {
  if (sizeBytes % eraseBlockBytes !== 0) throw unusable('the flash is not made of whole erase blocks');
  if (eraseBlockBytes % pageBytes !== 0) throw unusable('an erase block is not made of whole pages');
  const ordered = regions.toSorted((left, right) => left.address - right.address);
  for (const [index, region] of ordered.entries()) {
    if (region.address + region.length > sizeBytes)
      throw unusable(`the region "${region.name}" ends outside the flash`);
    const next = ordered[index + 1];
    if (next !== undefined && region.address + region.length > next.address) {
      throw unusable(`the regions "${region.name}" and "${next.name}" overlap`);
    }
  }
  if (new Set(regions.map((region) => region.name)).size !== regions.length) throw unusable('two regions share a name');
}

function checkHardwareId({ hardwareIdBytes, placeholderIds }: BoardProfile): void {
  const odd = placeholderIds.find((id) => decodeHex(id).length !== hardwareIdBytes);
  if (odd !== undefined)
    throw unusable(`the placeholder "${odd}" has not the ${hardwareIdBytes} bytes of an identifier`);
}

function checkLockRecipe({ eraseBlockBytes, pageBytes, lockRecipe }: DeviceProfile): void {
  for (const { mask, value } of [lockRecipe.statusRegister1, lockRecipe.statusRegister2]) {
    if ((value & ~mask) !== 0) throw unusable('the lock recipe sets bits outside its mask');
  }
  if (lockRecipe.statusRegister1.value === 0) throw unusable('the lock recipe protects nothing');
  if (pageBytes !== 256 || (eraseBlockBytes !== 4096 && eraseBlockBytes !== 65_536)) {
    throw unusable('serial flash has pages of 256 bytes and erase blocks of 4 or 64 KiB');
  }
}

function checkMcu({ sizeBytes }: McuProfile): void {
  if (sizeBytes > 1024 * 1024) throw unusable('an STM32F1 has at most 1 MiB of flash');
}

function checkAvr(profile: AvrProfile): void {
  const { sizeBytes, flashBytes, eepromBytes, hardwareIdBytes, hardwareIdSource, bootLoader } = profile;
  // Files in Intel hexadecimal without extended addresses.
  if (flashBytes > 0x1_0000) throw unusable('an AVR board has at most 64 KiB of flash here');
  if (sizeBytes > flashBytes) throw unusable('the application does not fit the flash');
  if (bootLoader !== null && sizeBytes === flashBytes) throw unusable('there is no room for the boot loader it names');
  if (hardwareIdSource.address + hardwareIdBytes > eepromBytes)
    throw unusable('the hardware id ends outside the EEPROM');
}

function unusable(what: string): DeviceError {
  return new DeviceError('ERR_DEVICE_PROFILE', `the device profile cannot be used: ${what}`);
}
