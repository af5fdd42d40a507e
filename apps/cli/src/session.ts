// SPDX-License-Identifier: Apache-2.0
/** What every command gets besides its own arguments. */
import type { Clock } from '@witnessmark/core';
import { CliError } from './error.ts';
import type { Output } from './output.ts';
import type { Terminal } from './terminal.ts';

export interface Session {
  readonly terminal: Terminal;
  readonly output: Output;
  readonly clock: Clock;
  /** Request and event ids: UUID version 7. */
  readonly newId: () => string;
  /** Aborted by Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
  readonly version: string;
}

interface Question {
  /** What answers it without a terminal, for example `--ticket`. */
  readonly flag: string;
  readonly text: string;
}

/** The flag's value, else the answer of the person; without a terminal a missing answer is an error, never a wait. */
export async function answerOf(session: Session, given: string | undefined, question: Question): Promise<string> {
  if (given !== undefined) return given;
  if (!session.terminal.isInteractive) {
    throw new CliError('ERR_CLI_ANSWER_MISSING', `${question.flag} is missing, and there is no terminal to ask on`);
  }
  const answer = (await session.terminal.ask(`${question.text} `)).trim();
  if (answer === '') throw new CliError('ERR_CLI_ANSWER_MISSING', `nothing was typed; ${question.flag} answers it too`);
  return answer;
}
