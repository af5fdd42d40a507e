// SPDX-License-Identifier: Apache-2.0
export { defineAct, KEY_CHANGES, RESULT_LIMITS, toActTable } from './act.ts';
export { ceremonyActs } from './acts/index.ts';
export { RegistryFile } from './acts/registry/registry-file.ts';
export { WorkFolder } from './acts/work-folder.ts';
export { Ceremony, checkClock, JOURNAL_FILE } from './ceremony.ts';
export { closeCeremony, transcriptName } from './close.ts';
export { conductCeremony } from './conduct.ts';
export { formatHexGroups, formatWords } from './display.ts';
export { formatCeremonyDocument, markOf } from './document.ts';
export { lockCeremony, nodeCeremonyFiles } from './node-files.ts';
export { replayTranscript } from './replay.ts';
export { digestOfResult, TYPED_CHARACTERS } from './result.ts';
export { checkParticipants, findParticipant, PERSON_REF, ROLES } from './roles.ts';
export { checkActs, parseScript, SCRIPT_LIMITS, SCRIPT_MEDIA_TYPE } from './script.ts';
export { currentStep, personWith, PROGRAM } from './state.ts';
export { formatTranscriptFile, MAX_TRANSCRIPT_FILE_BYTES, parseTranscriptFile } from './transcript-file.ts';

export type {
  ActContext,
  ActInspection,
  ActPlan,
  ActPrompts,
  ActResult,
  ActTable,
  AnyAct,
  CeremonyAct,
  CeremonyKey,
  ResultDigest,
  ResultFact,
  SecretRequest,
} from './act.ts';
export type { ActPorts } from './acts/ports.ts';
export type {
  BreakGlassOrder,
  BreakGlassPort,
  BreakGlassRecord,
  ResealOrder,
} from './acts/break-glass/break-glass-port.ts';
export type { BeginOptions, CeremonyStore } from './ceremony.ts';
export type { CeremonyFile, CeremonyFiles } from './ceremony-files.ts';
export type { CloseOptions } from './close.ts';
export type { ConductOptions, ConductOutcome } from './conduct.ts';
export type { DocumentOptions } from './document.ts';
export type { CeremonyFact, JournalRecord } from './facts.ts';
export type { ReplayCheck, ReplayOptions, ReplayReport, VouchedKey } from './replay.ts';
export type { Participant, PersonRef, Role, RoleDemand } from './roles.ts';
export type { BeginView, DecideView, Digression, ResultView, Room, StepView } from './room.ts';
export type { EquipmentBinding, InputBinding, RunSettings } from './run-settings.ts';
export type { CeremonyScript, ReviewedScript, ScriptStep } from './script.ts';
export type { CeremonyBreak, CeremonyException, CeremonyState, StepPhase, StepState } from './state.ts';
export type { TranscriptFile } from './transcript-file.ts';
