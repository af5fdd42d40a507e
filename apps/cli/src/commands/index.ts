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
import { initCommand } from './init.ts';
import {
  custodyServeCommand,
  keysCheckCommand,
  keysExportCommand,
  keysListCommand,
  keysQualifyCommand,
  keysReconcileCommand,
} from './keys.ts';
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
  breakGlassOpenCommand,
  breakGlassResealCommand,
  breakGlassReviewCommand,
  breakGlassStatusCommand,
  stationLabelCommand,
  stationProgramCommand,
  stationRunCommand,
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
