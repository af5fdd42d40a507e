// SPDX-License-Identifier: Apache-2.0
export { AvrdudeDriver } from './avrdude/avrdude-driver.ts';
export { measureBoot } from './boot/boot-check.ts';
export { CommandBootCheck } from './boot/command-boot-check.ts';
export { QemuBootCheck } from './boot/qemu-boot-check.ts';
export { SerialBootCheck } from './boot/serial-boot-check.ts';
export { runBounded } from './bounded.ts';
export {
  ATMEGA328P_BOARD,
  AVR_PROFILES,
  DEVICE_PROFILES,
  findAvrProfile,
  findDeviceProfile,
  findMcuProfile,
  MCU_PROFILES,
  STM32F103C4_BOARD,
  STM32F103C8_BOARD,
  W25Q128_BOARD,
  W25Q32_BOARD,
  W25Q80_BOARD,
} from './built-in-profiles.ts';
export { PROGRAM_PHASES } from './contract.ts';
export { DeviceError } from './error.ts';
export { FlashromDriver } from './flashrom/flashrom-driver.ts';
export { isPlaceholderId, isPlaceholderText } from './hardware-id.ts';
export { OpenocdDriver } from './openocd/openocd-driver.ts';
export { RemoteBitbangServer } from './openocd/server.ts';
export { RemoteBitbangProcess } from './openocd/server-process.ts';
export { canLock, isReadableWhenLocked } from './profile.ts';
export { parseProfile, PROFILE_LIMITS, PROFILE_MEDIA_TYPE } from './profile-file.ts';
export { buildSampleImage } from './sample-image.ts';
export { SerprogClient } from './serprog/client.ts';
export { SerprogServer } from './serprog/server.ts';
export { SerprogProcess } from './serprog/server-process.ts';
export { ChipFile } from './simulated/chip-file.ts';
export { DeviceBay } from './simulated/device-bay.ts';
export { openSimulatedDevice, sampleUniqueId } from './simulated/open-simulated-device.ts';
export { SimulatedDriver } from './simulated/simulated-driver.ts';
export { SpiNorChip } from './spi-nor/chip.ts';
export { blankChip, formatChipState, parseChipState } from './spi-nor/chip-state.ts';
export { SpiNorFlash } from './spi-nor/flash.ts';
export { Stm32Mcu } from './stm32/mcu.ts';
export { McuBay } from './stm32/mcu-bay.ts';
export { McuFile } from './stm32/mcu-file.ts';
export { blankMcu, formatMcuState, parseMcuState } from './stm32/mcu-state.ts';

export type { AvrdudeDriverOptions } from './avrdude/avrdude-driver.ts';
export type { AvrdudeAddress } from './avrdude/command.ts';
export type { BootCheck, BootMeasurement, BootReport } from './boot/boot-check.ts';
export type { CommandBootCheckOptions } from './boot/command-boot-check.ts';
export type { QemuBootCheckOptions } from './boot/qemu-boot-check.ts';
export type { SerialBootCheckOptions } from './boot/serial-boot-check.ts';
export type { SerialAddress } from './boot/serial-console.ts';
export type { BoundedOperation } from './bounded.ts';
export type {
  DeviceDriver,
  DeviceIdentity,
  DriverOutcome,
  FlashRange,
  HardwareIdReading,
  LockState,
  OperationOptions,
  ProgramOrder,
  ProgramPhase,
  ProgramProgress,
  ProgrammerInfo,
  Retry,
} from './contract.ts';
export type { DeviceErrorCode } from './error.ts';
export type { FlashromDriverOptions } from './flashrom/flashrom-driver.ts';
export type { NetworkAddress } from './network-address.ts';
export type { OpenocdDriverOptions } from './openocd/openocd-driver.ts';
export type { RemoteBitbangServerOptions } from './openocd/server.ts';
export type { RemoteBitbangProcessOptions } from './openocd/server-process.ts';
export type {
  AnyProfile,
  AvrProfile,
  BoardProfile,
  DeviceProfile,
  FlashRegion,
  HardwareIdSource,
  LockRecipe,
  McuProfile,
  MeasurementRecipe,
  NoLock,
  ReadoutProtectionRecipe,
  RegisterSetting,
  TimeLimits,
} from './profile.ts';
export type { SampleImageOptions } from './sample-image.ts';
export type { SerprogServerOptions } from './serprog/server.ts';
export type { SerprogProcessOptions } from './serprog/server-process.ts';
export type { ChipFileOptions } from './simulated/chip-file.ts';
export type { SimulatedDevice, SimulatedDeviceOptions } from './simulated/open-simulated-device.ts';
export type { SimulatedDriverOptions } from './simulated/simulated-driver.ts';
export type { ChipOptions } from './spi-nor/chip.ts';
export type { ChipState } from './spi-nor/chip-state.ts';
export type { ChipFaults, PowerCut, StuckBit } from './spi-nor/faults.ts';
export type { SpiBus } from './spi-nor/flash.ts';
export type { StatusRegisters } from './spi-nor/status-register.ts';
export type { McuFaults } from './stm32/faults.ts';
export type { McuFileOptions } from './stm32/mcu-file.ts';
export type { McuState } from './stm32/mcu-state.ts';
