// SPDX-License-Identifier: Apache-2.0
import { WitnessmarkError } from '@witnessmark/core';

export type DeviceErrorCode =
  /** The programmer or the device stopped answering; what was asked for may or may not have happened. */
  | 'ERR_DEVICE_LINK'
  /** The programmer answered something its protocol does not allow. */
  | 'ERR_DEVICE_PROTOCOL'
  /** The programming tool ended in a way that says nothing about the device. */
  | 'ERR_DEVICE_TOOL'
  /** A device profile is malformed, or describes no board a driver can work with. */
  | 'ERR_DEVICE_PROFILE'
  /** A simulated chip's file is missing, damaged or another chip's. */
  | 'ERR_DEVICE_CHIP_FILE';

export class DeviceError extends WitnessmarkError<DeviceErrorCode> {}
