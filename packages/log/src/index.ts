// SPDX-License-Identifier: Apache-2.0
export { LogError } from './error.ts';
export { EvidenceLog } from './evidence-log.ts';
export { fsck } from './fsck.ts';
export { LOG_LIMITS } from './limits.ts';
export { rebuildStore } from './rebuild.ts';
export { systemScheduler } from './scheduler.ts';
export { TileStorage } from './tile-storage.ts';
export { VerifyPool } from './verify-pool.ts';

export type { LogErrorCode } from './error.ts';
export type { AppendRequest, ConsistencyEvidence, EvidenceLogOptions } from './evidence-log.ts';
export type { FilePort } from './file-port.ts';
export type { Finding } from './finding.ts';
export type { FsckOptions, FsckReport } from './fsck.ts';
export type { LogLimits } from './limits.ts';
export type { RebuildOptions } from './rebuild.ts';
export type { Projection } from './replay.ts';
export type { Scheduler } from './scheduler.ts';
export type { Receipt } from './sequencer.ts';
export type { VerifiedEntry, VerifyPoolOptions } from './verify-pool.ts';
