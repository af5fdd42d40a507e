// SPDX-License-Identifier: Apache-2.0
/** The real program on a pseudo terminal that answers what it reads there, and can be pulled away from under it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { MAIN, SOURCE_CONDITION } from './run.ts';

/** A question is a line that ends in a colon and a space, and waits. */
const QUESTION = /(?:^|\n)([^\n]*: )$/;

export class OnTerminal {
  seen = '';
  readonly exit: Promise<number>;
  readonly #child: ChildProcess;
  #isOver = false;
  #woken = (): void => undefined;

  constructor(argv: readonly string[]) {
    const line = [process.execPath, SOURCE_CONDITION, MAIN, ...argv].map(shellQuote).join(' ');
    // exec: the shell becomes the program, so that it is the only child of `script`.
    this.#child = spawn('script', ['-qec', `exec ${line}`, '/dev/null'], { env: { ...process.env, NO_COLOR: '1' } });
    this.#child.stdout?.setEncoding('utf8').on('data', (part: string) => {
      this.seen += part.replaceAll('\r', '');
      this.#woken();
    });
    this.exit = new Promise((resolve) => {
      this.#child.once('close', (code) => {
        this.#isOver = true;
        this.#woken();
        resolve(code ?? -1);
      });
    });
  }

  /** Answers each question until the program ends, or `say` wants to stop; null means that nobody answers. */
  async answer(say: (question: string, seen: string) => string | null): Promise<void> {
    let answered = 0;
    while (!this.#isOver) {
      const question = QUESTION.exec(plain(this.seen.slice(answered)))?.[1];
      if (question === undefined) {
        await new Promise<void>((resolve) => {
          this.#woken = resolve;
        });
        continue;
      }
      const said = say(question, plain(this.seen));
      if (said === 'STOP') return;
      if (said === null) throw new Error(`nobody answers "${question}"`);
      answered = this.seen.length;
      this.#child.stdin?.write(`${said}\n`);
    }
  }

  /** SIGKILL: no handler runs, nothing is finished. */
  async kill(): Promise<void> {
    const pid = String(this.#child.pid);
    const [program] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
    process.kill(Number(program), 'SIGKILL');
    await this.exit;
  }
}

/** Without what moves the cursor: readline draws its line itself. */
function plain(text: string): string {
  return text.replaceAll(/\u001b\[[0-9;?]*[A-Za-z]/g, '');
}

function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
