// SPDX-License-Identifier: Apache-2.0
/** The streams and the environment of this process; the one file that touches them. */
import { createInterface, type Interface } from 'node:readline';
import { Writable } from 'node:stream';
import { styleText } from 'node:util';
import { concatBytes, type Bytes } from '@witnessmark/core';
import { CliError } from './error.ts';

export type StreamName = 'stdout' | 'stderr';
export type Style = 'bold' | 'dim' | 'green' | 'red' | 'yellow';

export interface Terminal {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Whether a person can be asked: both ends are a terminal. */
  readonly isInteractive: boolean;
  /** Whether a line on stderr may be redrawn. */
  readonly isAnimated: boolean;
  readonly columns: number;
  write(stream: StreamName, text: string): void;
  /** Decoration only: the text stays the same without it. */
  style(stream: StreamName, style: Style, text: string): string;
  /** Asks on stderr, so that stdout holds data only. */
  ask(question: string): Promise<string>;
  /** As `ask`, and what is typed is not shown. */
  askSecret(question: string): Promise<string>;
  /** All of stdin; throws `ERR_CLI_INPUT` above the limit. */
  readInput(maxBytes: number): Promise<Bytes>;
  /** Stdin line by line, until it ends or the signal aborts. */
  lines(signal: AbortSignal): AsyncIterable<string>;
}

export function processTerminal(): Terminal {
  const { stdin, stdout, stderr, env } = process;
  const streams = { stdout, stderr };
  // A reader that went away (`| head`) must not change the exit code.
  for (const stream of [stdout, stderr]) stream.on('error', ignoreBrokenPipe);
  const isPlain = (env['ACCESSIBLE'] ?? '') !== '' || env['TERM'] === 'dumb';
  return {
    environment: env,
    isInteractive: stdin.isTTY && stderr.isTTY,
    isAnimated: stderr.isTTY && !isPlain,
    get columns() {
      // A terminal that does not know its size says 0.
      return stderr.isTTY && stderr.columns > 0 ? stderr.columns : 80;
    },
    write: (stream, text) => void streams[stream].write(text),
    style: (stream, style, text) => styleText(style, text, { stream: streams[stream], validateStream: true }),
    ask: (question) => readAnswer(createInterface({ input: stdin, output: stderr }), question),
    async askSecret(question) {
      // In terminal mode readline turns the echo of the terminal off and draws the line itself: here into nothing.
      const nowhere = new Writable({
        write: (_chunk, _encoding, done) => {
          done();
        },
      });
      const lines = createInterface({ input: stdin, output: nowhere, terminal: true, historySize: 0 });
      // Only now: what is typed at once is not shown either.
      stderr.write(question);
      try {
        return await readAnswer(lines, '');
      } finally {
        stderr.write('\n');
      }
    },
    async readInput(maxBytes) {
      const parts: Bytes[] = [];
      let length = 0;
      for await (const part of stdin as AsyncIterable<Buffer>) {
        length += part.length;
        if (length > maxBytes) throw new CliError('ERR_CLI_INPUT', `more than ${maxBytes} bytes on stdin`);
        parts.push(part);
      }
      return concatBytes(...parts);
    },
    async *lines(signal) {
      const lines = createInterface({ input: stdin, signal });
      yield* lines;
    },
  };
}

async function readAnswer(lines: Interface, question: string): Promise<string> {
  try {
    return await new Promise<string>((resolve, reject) => {
      lines.once('close', () => {
        reject(new CliError('ERR_CLI_INTERRUPTED', 'the question was not answered'));
      });
      lines.question(question, resolve);
    });
  } finally {
    lines.close();
  }
}

function ignoreBrokenPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}
