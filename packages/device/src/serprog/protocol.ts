// SPDX-License-Identifier: Apache-2.0
/** The serial flasher protocol, version 1, as far as SPI needs it (flashrom, Documentation/serprog-protocol.txt). */

export const ACK = 0x06;
export const NAK = 0x15;
export const SERPROG_VERSION = 1;
export const BUS_SPI = 0x08;
export const PROGRAMMER_NAME_BYTES = 16;
export const COMMAND_MAP_BYTES = 32;

export const COMMAND = {
  noOperation: 0x00,
  queryInterface: 0x01,
  queryCommandMap: 0x02,
  queryProgrammerName: 0x03,
  querySerialBuffer: 0x04,
  queryBusTypes: 0x05,
  queryMaxWrite: 0x08,
  synchronize: 0x10,
  queryMaxRead: 0x11,
  setBusType: 0x12,
  spiOperation: 0x13,
  setSpiFrequency: 0x14,
  setPinState: 0x15,
} as const;

/** Limits of one SPI operation, announced to the client; a longer one ends the connection. */
export const SERPROG_LIMITS = { maxWriteBytes: 64 * 1024, maxReadBytes: 64 * 1024 } as const;

/** The name by which a model's programmer is known, so that units made on it are marked. */
export const SIMULATED_PROGRAMMER_NAME = 'WITNESSMARK-SIM';

export function isCommandSupported(commandMap: Uint8Array, command: number): boolean {
  return ((commandMap[command >> 3] ?? 0) & (1 << (command & 7))) !== 0;
}

export function encodeUint16(value: number): Uint8Array {
  return Uint8Array.of(value & 0xff, (value >> 8) & 0xff);
}

export function encodeUint24(value: number): Uint8Array {
  return Uint8Array.of(value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff);
}

export function decodeUint24(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16);
}
