// SPDX-License-Identifier: Apache-2.0
export { formatDeviceAddress, leaseDevice } from './device-lease.ts';
export { GoldenRegister } from './golden-register.ts';
export { PanelScan } from './panel.ts';
export { shareReleases, shareTimeSource } from './shared-sources.ts';
export { SlotGroup } from './slot-group.ts';
export { limitTools, ToolLimit } from './tool-limit.ts';

export type { DeviceAddress, DeviceLease } from './device-lease.ts';
export type { GoldenCheckResult } from './golden-check.ts';
export type { PanelLayout, PanelUnit } from './panel.ts';
export type { SlotMachine } from './slot-group.ts';
