// SPDX-License-Identifier: Apache-2.0
/** People around a terminal who read what is on it and answer as the script says; and a terminal that may go away. */
import type { Clock } from '@witnessmark/core';
import { commands } from '../src/commands/index.ts';
import { CliError } from '../src/error.ts';
import { runProgram } from '../src/program.ts';
import { systemClock, uuidSource } from '../src/system.ts';
import type { Terminal } from '../src/terminal.ts';
import type { RunResult } from './run.ts';

export interface Conversation extends RunResult {
  readonly questions: readonly string[];
}

export interface PeopleOptions {
  /** Answers otherwise where it gives one; `seen` is everything on the terminal so far. */
  readonly say?: (question: string, seen: string) => string | null;
  /** The terminal goes away at the question with this number, counted from 0. */
  readonly goneAt?: number;
  readonly clock?: Clock;
}

/** What somebody answers who finds everything as the script says; null for a question nobody foresaw. */
export function goodAnswer(question: string, seen: string): string | null {
  if (question.includes("characters of the script's digest")) return firstDigest(seen, 'sha256').slice(0, 8);
  const plan = /this plan's digest, ([0-9a-f]{4})/.exec(question)?.[1];
  if (plan !== undefined) return plan;
  if (question.includes('Enter when it was read aloud')) return '';
  if (question.includes('What was observed?')) return 'y';
  if (question.includes('did it happen as read?')) return lastDigest(seen, 'result digest').slice(0, 4);
  return null;
}

export async function converse(argv: readonly string[], options: PeopleOptions = {}): Promise<Conversation> {
  const streams = { stdout: '', stderr: '' };
  const questions: string[] = [];
  const answer = (question: string): Promise<string> => {
    if (questions.length === options.goneAt) {
      return Promise.reject(new CliError('ERR_CLI_INTERRUPTED', 'the terminal went away'));
    }
    questions.push(question);
    const said = options.say?.(question, streams.stderr) ?? goodAnswer(question, streams.stderr);
    streams.stderr += `${question}${said ?? ''}\n`;
    return said === null ? Promise.reject(new Error(`nobody answers "${question}"`)) : Promise.resolve(said);
  };
  const terminal: Terminal = {
    environment: {},
    isInteractive: true,
    isAnimated: false,
    columns: 80,
    write: (stream, text) => {
      streams[stream] += text;
    },
    style: (_stream, _style, text) => text,
    ask: answer,
    askSecret: answer,
    readInput: () => Promise.resolve(new Uint8Array(0)),
    // eslint-disable-next-line @typescript-eslint/require-await -- the contract is asynchronous
    async *lines() {
      yield* [];
    },
  };
  const clock = options.clock ?? systemClock;
  const exit = await runProgram(argv, {
    commands,
    terminal,
    clock,
    newId: uuidSource(clock),
    signal: new AbortController().signal,
    version: '0.0.0-test',
  });
  return { exit, ...streams, questions };
}

function firstDigest(seen: string, label: string): string {
  return digests(seen, label)[0] ?? '';
}

function lastDigest(seen: string, label: string): string {
  return digests(seen, label).at(-1) ?? '';
}

/** The first row of each digest with this label, without its spaces. */
function digests(seen: string, label: string): string[] {
  const rows = seen.matchAll(new RegExp(`${label} +((?:[0-9a-f]{4} ){7}[0-9a-f]{4})`, 'g'));
  return [...rows].map(([, groups]) => (groups as string).replaceAll(' ', ''));
}
