// SPDX-License-Identifier: Apache-2.0
/**
 * Runs the programs that administer PIV cards, under a hard time limit. Secrets go through their standard input, never
 * their arguments, which every user of the machine can read; what they print is bounded and holds no secret.
 */
import { spawn } from 'node:child_process';
import { RefusedError } from '@witnessmark/core';

export interface CardProgramOptions {
  /** For PC/SC and OpenSC; inherited when left out. */
  readonly env?: NodeJS.ProcessEnv;
  /** Generous: somebody may have to touch the card. */
  readonly timeoutMs?: number;
}

export interface ProgramOutput {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

const DEFAULT_TIMEOUT_MS = 60_000;
const MAX_OUTPUT_BYTES = 256 * 1024;

/** Throws CE-208 when the program is not there, is late, or says more than it should: what the card did is not known then. */
export function runCardProgram(
  program: string,
  args: readonly string[],
  input: string,
  options: CardProgramOptions,
): Promise<ProgramOutput> {
  const { env, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { ...(env === undefined ? {} : { env }), stdio: ['pipe', 'pipe', 'pipe'] });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    let size = 0;
    const fail = (detail: string, cause?: unknown): void => {
      child.kill('SIGKILL');
      clearTimeout(timeout);
      reject(new RefusedError('CE-208', `${program} ${detail}`, { cause }));
    };
    const timeout = setTimeout(() => {
      fail(`gave no answer within ${timeoutMs} ms`);
    }, timeoutMs);
    const collect = (chunks: Buffer[]) => (chunk: Buffer) => {
      size += chunk.length;
      if (size > MAX_OUTPUT_BYTES) fail(`printed more than ${MAX_OUTPUT_BYTES} bytes`);
      else chunks.push(chunk);
    };
    child.stdout.on('data', collect(stdout));
    child.stderr.on('data', collect(stderr));
    child.on('error', (cause) => {
      fail('cannot be run', cause);
    });
    // A program that ends before it has read everything says why itself.
    child.stdin.on('error', () => undefined);
    child.on('close', (code) => {
      clearTimeout(timeout);
      const text = (chunks: readonly Buffer[]): string => Buffer.concat(chunks).toString('utf8');
      resolve({ exitCode: code ?? -1, stdout: text(stdout), stderr: text(stderr) });
    });
    child.stdin.end(input);
  });
}
