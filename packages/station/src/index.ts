// SPDX-License-Identifier: Apache-2.0
export { CLOCK_LIMITS, assessClock } from './clock-check.ts';
export { ChronyTimeSource, DEFAULT_TIME_POLICY, timePolicySchema } from './clock/index.ts';
export { StationError, StationRefusal } from './error.ts';
export { Journal } from './journal.ts';
export { JOURNAL_LIMITS } from './journal-format.ts';
export { LineTrust } from './line-trust.ts';
export { openNodeFileSystem } from './node-file-system.ts';
export { verifyReceipt } from './receipt.ts';
export { Station } from './station.ts';
export { openStationDirectory } from './station-directory.ts';
export { advance, IDLE, MOVES, PHASES } from './transitions.ts';
export { TufReleaseSource } from './tuf-release-source.ts';

export type { ClockAssessment, ClockObservation, LineTimeSample } from './clock-check.ts';
export type { ChronyTimeSourceOptions, TimePolicy, TimeSource, TimeSourceAnswer } from './clock/index.ts';
export type { StationErrorCode } from './error.ts';
export type { FileSystem, OpenFile } from './file-system.ts';
export type { SeenHead, StationFloor, Transaction } from './journal.ts';
export type { JournalFact, JournalRecord } from './journal-format.ts';
export type {
  HeldRelease,
  Job,
  Progress,
  ProgressListener,
  ReleaseComponent,
  ReleaseQuery,
  ReleaseSource,
  ScannedLabel,
  StationIdentity,
  StationPorts,
  TransportKey,
  UnitResult,
} from './ports.ts';
export type { ReceiptExpectation } from './receipt.ts';
export type { RecoveryReport } from './recovery.ts';
export type { ProgramRequest } from './station.ts';
export type { StationDirectory } from './station-directory.ts';
export type { FlowState, Move, Phase, Recipe } from './transitions.ts';
export type { TufReleaseSourceOptions, UpdatedTargets } from './tuf-release-source.ts';
