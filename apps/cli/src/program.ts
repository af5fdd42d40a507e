// SPDX-License-Identifier: Apache-2.0
/** One run of the program: read the line, run the command, say how it ended. */
import type { Clock } from '@witnessmark/core';
import type { CommandDefinition } from './command.ts';
import { describeError, formatErrorReport, type ErrorReport } from './error-report.ts';
import { CliError } from './error.ts';
import { EXIT, exitCodeOfSignal, type ExitCode } from './exit-codes.ts';
import { Output } from './output.ts';
import { guessOutput, parseCommandLine, type ParsedLine } from './parse.ts';
import type { Terminal } from './terminal.ts';

interface ProgramOptions {
  readonly commands: readonly CommandDefinition[];
  readonly terminal: Terminal;
  readonly clock: Clock;
  readonly newId: () => string;
  /** Aborted with the name of the signal that asks the program to end. */
  readonly signal: AbortSignal;
  readonly version: string;
}

/** Never rejects: every error becomes text, a JSON document and an exit code. */
export async function runProgram(argv: readonly string[], options: ProgramOptions): Promise<ExitCode> {
  const { terminal, signal } = options;
  let line: ParsedLine | null = null;
  let output = new Output(terminal, guessOutput(argv));
  try {
    line = parseCommandLine(argv, { ...options, environment: terminal.environment });
    if (line.kind === 'text') {
      terminal.write('stdout', line.text);
      return EXIT.yes;
    }
    output = new Output(terminal, line.output);
    const { clock, newId, version } = options;
    const session = { terminal, output, clock, newId, signal, version };
    const result = await line.command.run({ args: line.args, options: line.options, session });
    output.document(result.exit, { command: line.command.path.join(' '), ...result.document });
    return result.exit;
  } catch (error) {
    const command = line?.kind === 'command' ? line.command.path.join(' ') : null;
    const report = signal.aborted ? describeInterruption(signal) : describeError(error);
    output.error(formatErrorReport(report));
    if (line?.kind === 'command' && line.verbose) output.error(describeCauses(error));
    const { exit, ...rest } = report;
    output.document(exit, { command, error: rest });
    return exit;
  }
}

/** Whatever breaks off after Ctrl-C or SIGTERM broke off because of it. */
function describeInterruption(signal: AbortSignal): ErrorReport {
  const error = new CliError('ERR_CLI_INTERRUPTED', `ended by ${String(signal.reason)}`);
  return { ...describeError(error), exit: exitCodeOfSignal(signal) };
}

/** The chain of causes with their places, for `--verbose`. */
function describeCauses(error: unknown): string {
  const lines: string[] = [];
  for (let at = error; at !== undefined && at !== null; at = at instanceof Error ? at.cause : undefined) {
    lines.push(`caused by: ${at instanceof Error ? (at.stack ?? at.message) : typeof at}`);
  }
  return lines.join('\n');
}
