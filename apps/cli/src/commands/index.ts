// SPDX-License-Identifier: Apache-2.0
/** The command table, in the order people meet the commands. */
import type { CommandDefinition } from '../command.ts';
import {
  ceremonyCloseCommand,
  ceremonyRehearseCommand,
  ceremonyReplayCommand,
  ceremonyResumeCommand,
  ceremonyRunCommand,
} from './ceremony.ts';
import { badgeEnrolCommand, badgeListCommand, badgeRevokeCommand, badgeUnlockCommand } from './badge.ts';
import {
  breakGlassOpenCommand,
  breakGlassResealCommand,
  breakGlassReviewCommand,
  breakGlassStatusCommand,
} from './break-glass.ts';
import { makeCompletionCommand } from './completion.ts';
import {
  debugBundleApproveCommand,
  debugBundleOpenCommand,
  debugBundleProposeCommand,
  debugBundleSealCommand,
  debugBundleStatusCommand,
} from './debug-bundle.ts';
import { demoCommand } from './demo.ts';
import { doctorCommand } from './doctor.ts';
import { explainCommand } from './explain.ts';
import { goldenCheckCommand, goldenListCommand, goldenRegisterCommand, goldenRetireCommand } from './golden.ts';
import { initCommand } from './init.ts';
import {
  custodyServeCommand,
  keysCheckCommand,
  keysExportCommand,
  keysListCommand,
  keysQualifyCommand,
  keysReconcileCommand,
} from './keys.ts';
import {
  labelPrintCommand,
  labelReprintCommand,
  labelScanCommand,
  labelVoidCommand,
  stationCheckCommand,
} from './label.ts';
import { lineDecideCommand, lineServeCommand, lineStopsCommand } from './line.ts';
import { logFsckCommand, logShowCommand, logUnsealingsCommand } from './log.ts';
import { mediaCheckCommand, mediaExportCommand, mediaIngestCommand, mediaLedgerCommand } from './media.ts';
import {
  releaseApproveCommand,
  releaseExceptCommand,
  releaseIndicatorsCommand,
  releaseMirrorCommand,
  releaseProposeCommand,
  releaseRefreshCommand,
  releaseReviewCommand,
  releaseStatusCommand,
  releaseSubmitCommand,
  releaseWithdrawCommand,
} from './release.ts';
import { stationLabelCommand, stationProgramCommand, stationRunCommand } from './station.ts';
import {
  stationEnrollCommand,
  stationInitCommand,
  stationRetireCommand,
  trustAdmitCommand,
  trustAuthorityCommand,
  trustCertifyLineCommand,
} from './station-identity.ts';
import { stationClockCommand, timeSignCommand } from './time.ts';
import { stationCacheCommand } from './station-cache.ts';
import {
  stationBuildApproveCommand,
  stationBuildProposeCommand,
  stationDiffCommand,
  stationProveCommand,
  stationRebuildCommand,
  stationSelftestCommand,
  stationVerifyProofCommand,
} from './station-build.ts';
import { stationSessionsCommand, stationSignOutCommand } from './station-sessions.ts';
import { traceCommand } from './trace.ts';
import {
  trustEnrolCommand,
  trustExportCommand,
  trustProposeCommand,
  trustPublishCommand,
  trustReviewCommand,
  trustShowCommand,
  trustSignCommand,
  trustStatusCommand,
} from './trust.ts';
import { verifyCommand } from './verify.ts';

export const commands: readonly CommandDefinition[] = [
  initCommand,
  releaseProposeCommand,
  releaseReviewCommand,
  releaseApproveCommand,
  releaseSubmitCommand,
  releaseStatusCommand,
  releaseMirrorCommand,
  releaseWithdrawCommand,
  releaseRefreshCommand,
  releaseExceptCommand,
  releaseIndicatorsCommand,
  trustShowCommand,
  trustExportCommand,
  trustEnrolCommand,
  trustProposeCommand,
  trustReviewCommand,
  trustSignCommand,
  trustStatusCommand,
  trustPublishCommand,
  trustAdmitCommand,
  trustAuthorityCommand,
  trustCertifyLineCommand,
  ceremonyRunCommand,
  ceremonyRehearseCommand,
  ceremonyResumeCommand,
  ceremonyCloseCommand,
  ceremonyReplayCommand,
  mediaIngestCommand,
  mediaExportCommand,
  mediaCheckCommand,
  mediaLedgerCommand,
  debugBundleProposeCommand,
  debugBundleApproveCommand,
  debugBundleSealCommand,
  debugBundleOpenCommand,
  debugBundleStatusCommand,
  custodyServeCommand,
  keysCheckCommand,
  keysQualifyCommand,
  keysReconcileCommand,
  keysListCommand,
  keysExportCommand,
  lineServeCommand,
  lineStopsCommand,
  lineDecideCommand,
  badgeEnrolCommand,
  badgeUnlockCommand,
  badgeRevokeCommand,
  badgeListCommand,
  breakGlassOpenCommand,
  breakGlassResealCommand,
  breakGlassReviewCommand,
  breakGlassStatusCommand,
  stationInitCommand,
  stationEnrollCommand,
  stationRetireCommand,
  stationLabelCommand,
  stationProgramCommand,
  stationRunCommand,
  stationSessionsCommand,
  stationSignOutCommand,
  stationCacheCommand,
  stationCheckCommand,
  goldenRegisterCommand,
  goldenRetireCommand,
  goldenCheckCommand,
  goldenListCommand,
  stationClockCommand,
  timeSignCommand,
  labelPrintCommand,
  labelScanCommand,
  labelReprintCommand,
  labelVoidCommand,
  stationBuildProposeCommand,
  stationBuildApproveCommand,
  stationDiffCommand,
  stationSelftestCommand,
  stationProveCommand,
  stationVerifyProofCommand,
  stationRebuildCommand,
  verifyCommand,
  traceCommand,
  logShowCommand,
  logFsckCommand,
  logUnsealingsCommand,
  doctorCommand,
  demoCommand,
  explainCommand,
  makeCompletionCommand(() => commands),
];
