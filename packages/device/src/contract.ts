// SPDX-License-Identifier: Apache-2.0
/**
 * The driver contract (spec/device-driver.md): what a station may ask of a device in a fixture. Every operation is
 * bounded in time, can be cancelled, and ends in one of three ways; "could not tell" is never folded into "no".
 */
import type { Bytes, ReasonCode } from '@witnessmark/core';
import type { BoardProfile, ProfileIdScheme } from './profile.ts';

/**
 * `DONE`: the programmer and the device say so (only a separate read proves content). `FAILED`: they answered, and the
 * answer is no. `UNKNOWN`: no answer – the device may or may not have changed and has to be read back.
 */
export type DriverOutcome<T> =
  | { readonly state: 'DONE'; readonly value: T }
  | { readonly state: 'FAILED'; readonly code: ReasonCode; readonly detail: string }
  | { readonly state: 'UNKNOWN'; readonly detail: string };

/** A start of a tool that ended before it had spoken to the part; nothing was sent, and it was started again. */
export interface Retry {
  readonly operation: string;
  /** The number of the start that failed, from 1 on. */
  readonly start: number;
  readonly detail: string;
}

export interface OperationOptions {
  /** Cancels the operation; it then ends in `UNKNOWN`. */
  readonly signal?: AbortSignal;
  /** Replaces the profile's time limit. */
  readonly timeoutMs?: number;
  /** Hears of every start that was repeated; at most `maxToolStarts` of the profile are made. Must not throw. */
  readonly onRetry?: (retry: Retry) => void;
}

export interface DeviceIdentity {
  readonly model: string;
  readonly sizeBytes: number;
  /** Lower-case hexadecimal: the answer to RDID, the JTAG IDCODE of a microcontroller, or an AVR's signature. */
  readonly jedecId: string;
}

/** The raw identifier that names the part itself (spec/device-id.md). */
export interface HardwareIdReading {
  readonly scheme: ProfileIdScheme;
  readonly value: Bytes;
}

export interface ProgrammerInfo {
  readonly model: string;
  readonly serial: string | null;
  readonly firmware: string | null;
}

/** A byte range of the device's flash. */
export interface FlashRange {
  readonly address: number;
  readonly length: number;
}

/** Phases come in this order; a driver may leave one out. */
export const PROGRAM_PHASES = ['prepare', 'erase', 'program'] as const;
export type ProgramPhase = (typeof PROGRAM_PHASES)[number];

export interface ProgramProgress {
  readonly phase: ProgramPhase;
  /** Never falls within a phase. May repeat as a sign of life. */
  readonly doneBytes: number;
  readonly totalBytes: number;
}

export interface ProgramOrder {
  /** First byte address in the flash. */
  readonly address: number;
  readonly image: Bytes;
  readonly onProgress?: (progress: ProgramProgress) => void;
}

/** `unknown` when the lock could not be put to the test. */
export type LockState = 'locked' | 'open' | 'unknown';

export interface DeviceDriver {
  readonly profile: BoardProfile;
  readonly programmer: ProgrammerInfo;
  /** Whether the device is a model; such units are marked in their records. */
  readonly simulated: boolean;

  /** Asks the part what it is; `UF-01` when nothing answers or another part does, `LS-403` without a programmer. */
  identify(options?: OperationOptions): Promise<DriverOutcome<DeviceIdentity>>;
  /** Reads the hardware identifier; `UF-01` for placeholders and for answers that change. */
  readHardwareId(options?: OperationOptions): Promise<DriverOutcome<HardwareIdReading>>;
  /** Erases whole erase blocks; throws `RangeError` for any other range. */
  erase(range: FlashRange, options?: OperationOptions): Promise<DriverOutcome<undefined>>;
  /**
   * Brings the range to `image`, erasing what has to be erased and keeping every byte outside the range. `UF-02` when
   * the device refuses, `UF-07` when it was exchanged meanwhile. Throws `RangeError` when the image does not fit.
   */
  program(order: ProgramOrder, options?: OperationOptions): Promise<DriverOutcome<undefined>>;
  /** Reads the range in a run of its own, not from anything programming left behind. The bytes are the caller's own. */
  readBack(range: FlashRange, options?: OperationOptions): Promise<DriverOutcome<Bytes>>;
  /** Applies the profile's lock recipe; `UF-04` when the registers do not take it, or when the board has none. */
  lock(options?: OperationOptions): Promise<DriverOutcome<undefined>>;
  /** What the part says and, when it says locked, whether what must be refused is refused; `unknown` without a lock recipe. */
  readLockState(options?: OperationOptions): Promise<DriverOutcome<LockState>>;
  /** Takes power or at least every volatile setting from the device, so that the next answer is what stays. */
  reset(options?: OperationOptions): Promise<DriverOutcome<undefined>>;
}
