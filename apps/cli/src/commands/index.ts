// SPDX-License-Identifier: Apache-2.0
/** The command table, in the order people meet the commands. */
import type { CommandDefinition } from '../command.ts';
import { makeCompletionCommand } from './completion.ts';
import { demoCommand } from './demo.ts';
import { doctorCommand } from './doctor.ts';
import { explainCommand } from './explain.ts';
import { initCommand } from './init.ts';
import { lineDecideCommand, lineServeCommand, lineStopsCommand } from './line.ts';
import { logFsckCommand, logShowCommand } from './log.ts';
import {
  releaseApproveCommand,
  releaseMirrorCommand,
  releaseProposeCommand,
  releaseRefreshCommand,
  releaseReviewCommand,
  releaseStatusCommand,
  releaseWithdrawCommand,
} from './release.ts';
import { stationLabelCommand, stationProgramCommand, stationRunCommand } from './station.ts';
import { traceCommand } from './trace.ts';
import { verifyCommand } from './verify.ts';

export const commands: readonly CommandDefinition[] = [
  initCommand,
  releaseProposeCommand,
  releaseReviewCommand,
  releaseApproveCommand,
  releaseStatusCommand,
  releaseMirrorCommand,
  releaseWithdrawCommand,
  releaseRefreshCommand,
  lineServeCommand,
  lineStopsCommand,
  lineDecideCommand,
  stationLabelCommand,
  stationProgramCommand,
  stationRunCommand,
  verifyCommand,
  traceCommand,
  logShowCommand,
  logFsckCommand,
  doctorCommand,
  demoCommand,
  explainCommand,
  makeCompletionCommand(() => commands),
];
