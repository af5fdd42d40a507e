// SPDX-License-Identifier: Apache-2.0
export { ChronyTimeSource } from './chrony-time-source.ts';
export { judgeTimeSource } from './judge-time-source.ts';
export { parseTimeHierarchy, requireNewest } from './time-hierarchy.ts';
export { DEFAULT_TIME_POLICY, timePolicySchema } from './time-policy.ts';

export type { ChronyTimeSourceOptions } from './chrony-time-source.ts';
export type { TimeJudgement } from './judge-time-source.ts';
export type { OpenHierarchy } from './time-hierarchy.ts';
export type { TimePolicy } from './time-policy.ts';
export type { TimeReading, TimeSource, TimeSourceAnswer } from './time-reading.ts';
