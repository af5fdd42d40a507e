// SPDX-License-Identifier: Apache-2.0
export { LogError } from './error.ts';
export { EvidenceLog } from './evidence-log.ts';
export { fsck } from './fsck/fsck.ts';
export { LOG_LIMITS } from './limits.ts';
export { rebuildStore } from './fsck/rebuild.ts';
export { systemScheduler } from './scheduler.ts';
export { TileStorage } from './tiles/tile-storage.ts';
export { VerifyPool } from './verify/verify-pool.ts';

export type { LogErrorCode } from './error.ts';
export type { AppendRequest, ConsistencyEvidence, EvidenceLogOptions } from './evidence-log.ts';
export type { FilePort } from './tiles/file-port.ts';
export type { Finding } from './fsck/finding.ts';
export type { FsckOptions, FsckReport } from './fsck/fsck.ts';
export type { LogLimits } from './limits.ts';
export type { RebuildOptions } from './fsck/rebuild.ts';
export type { Projection } from './fsck/replay.ts';
export type { Scheduler } from './scheduler.ts';
export type { Receipt } from './sequencer.ts';
export type { VerifiedEntry, VerifyPoolOptions } from './verify/verify-pool.ts';
