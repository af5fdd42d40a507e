// SPDX-License-Identifier: Apache-2.0
export { openCacheKey, reportPurges, SealedCache } from './cache/index.ts';
export { CheckDesk } from './checks/check-desk.ts';
export { CLOCK_LIMITS, assessClock } from './clock-check.ts';
export {
  ChronyTimeSource,
  DEFAULT_TIME_POLICY,
  judgeTimeSource,
  parseTimeHierarchy,
  requireNewest,
  timePolicySchema,
} from './clock/index.ts';
export { StationError, StationRefusal } from './error.ts';
export { Journal } from './journal.ts';
export { JOURNAL_LIMITS } from './journal-format.ts';
export { LabelDesk } from './labels/label-desk.ts';
export { DeviceLabelPrinter, FolderLabelPrinter, TcpLabelPrinter } from './labels/printers.ts';
export { LineTrust } from './line-trust.ts';
export { openNodeFileSystem } from './node-file-system.ts';
export { verifyReceipt } from './receipt.ts';
export { DEFAULT_GATE_SCHEDULE, MeasuredGate } from './starts/measured-gate.ts';
export { proveStation } from './starts/prove.ts';
export { Spool } from './offline/spool.ts';
export { Station } from './station.ts';
export {
  formatDeviceAddress,
  GoldenRegister,
  leaseDevice,
  limitTools,
  PanelScan,
  shareReleases,
  shareTimeSource,
  SlotGroup,
  ToolLimit,
} from './slots/index.ts';
export { openStationDirectory } from './station-directory.ts';
export { advance, IDLE, MOVES, PHASES } from './transitions.ts';
export { TufReleaseSource } from './tuf-release-source.ts';

export type { CachedEntry, CacheFinding, CacheKey, CacheKeyGrade, Purge, SealedCacheOptions } from './cache/index.ts';
export type { UnitCheckOrder, UnitCheckResult } from './checks/check-desk.ts';
export type { CheckFinding } from './checks/examination.ts';
export type { ClockAssessment, ClockObservation, LineTimeSample } from './clock-check.ts';
export type {
  ChronyTimeSourceOptions,
  OpenHierarchy,
  TimeJudgement,
  TimePolicy,
  TimeReading,
  TimeSource,
  TimeSourceAnswer,
} from './clock/index.ts';
export type { StationErrorCode } from './error.ts';
export type { FileSystem, OpenFile } from './file-system.ts';
export type { LabelDecision, LabelResult } from './labels/label-desk.ts';
export type { LabelForm, LabelPrinter, LabelPrinting } from './labels/label-printer.ts';
export type { SeenHead, StationFloor } from './floor.ts';
export type { Transaction } from './journal.ts';
export type { OfflinePort } from './offline/offline-port.ts';
export type { SpoolBreach } from './offline/spool-breach.ts';
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
export type { BadgeOrder } from './sign-in.ts';
export type { ProgramRequest } from './station.ts';
export type {
  DeviceAddress,
  DeviceLease,
  GoldenCheckResult,
  PanelLayout,
  PanelUnit,
  SlotMachine,
} from './slots/index.ts';
export type { StartQuoter, StartReference, StationGate, StationMeasurement, StationMeasurer } from './starts/gate.ts';
export type { GateSchedule } from './starts/measured-gate.ts';
export type { StationDirectory } from './station-directory.ts';
export type { FlowState, Move, Phase, Recipe } from './transitions.ts';
export type { TufReleaseSourceOptions } from './tuf-release-source.ts';
