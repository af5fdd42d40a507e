// SPDX-License-Identifier: Apache-2.0
/**
 * Where a ceremony is read and answered: a terminal with people around it, who see every line whatever the output options
 * say; or a file with answers, which nobody has to watch.
 */
import type { RefusedError } from '@witnessmark/core';
import { toPlainLine } from '../plain-text.ts';
import type { Output } from '../output.ts';
import type { Style, Terminal } from '../terminal.ts';
import type { Answers } from './answers.ts';

export interface Desk {
  say(line: string, style?: Style): void;
  /** `accepted` is what somebody says who finds everything as the script says; null when nobody can know. */
  ask(id: string, question: string, accepted: string | null): Promise<string>;
  /** What is typed is not shown. */
  askSecret(id: string, question: string): Promise<string>;
  /** The question comes again; rejects where nobody could answer otherwise. */
  refused(error: RefusedError): Promise<void>;
}

/** Stands before every line, so that no photograph of a rehearsal passes for the real thing. */
const REHEARSAL_PREFIX = 'REHEARSAL | ';

interface DeskOptions {
  readonly terminal: Terminal;
  readonly output: Output;
  readonly isRehearsal: boolean;
  /** Null when people answer. */
  readonly answers: Answers | null;
}

export function openDesk({ terminal, output, isRehearsal, answers }: DeskOptions): Desk {
  const prefix = isRehearsal ? REHEARSAL_PREFIX : '';
  if (answers !== null) {
    const take = (id: string, question: string, accepted: string | null, isSecret: boolean): string => {
      const answer = answers.take(id, accepted);
      output.note(`${prefix}${question} ${isSecret ? '(from the answers file)' : answer}`);
      return answer;
    };
    return {
      say: (line) => {
        output.note(prefix + line);
      },
      // eslint-disable-next-line @typescript-eslint/require-await -- a missing answer is a rejection, as people are
      ask: async (id, question, accepted) => take(id, question, accepted, false),
      // eslint-disable-next-line @typescript-eslint/require-await -- as above
      askSecret: async (id, question) => take(id, question, null, true),
      refused: (error) => Promise.reject(error),
    };
  }
  return {
    say: (text, style) => {
      const line = toPlainLine(`${prefix}${text}`);
      const shown = style ?? (isRehearsal ? 'yellow' : undefined);
      terminal.write('stderr', `${shown === undefined ? line : terminal.style('stderr', shown, line)}\n`);
    },
    ask: async (_id, question) => (await terminal.ask(toPlainLine(`${prefix}${question} `))).trim(),
    askSecret: (_id, question) => terminal.askSecret(toPlainLine(`${prefix}${question} `)),
    refused: () => Promise.resolve(),
  };
}
