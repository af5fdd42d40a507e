// SPDX-License-Identifier: Apache-2.0
/**
 * Answers from a file, for rehearsals and simulated sites (docs/operate/ceremonies.md): everything happens as the script says,
 * except where an answer is given. It may hold PINs of trial tokens, so only its owner may read it.
 */
import { statSync } from 'node:fs';
import { z } from 'zod';
import { loadConfig } from '../config.ts';
import { CliError } from '../error.ts';

const GROUP_AND_OTHERS = 0o077;
const text = z.string().max(1_000);

const schema = z.strictObject({
  mediaType: z.literal('application/vnd.witnessmark.ceremony-answers.v1+json'),
  /** By question, `step/question`; several are given one after the other. */
  answers: z.record(z.string().max(80), z.union([text, z.array(text).max(16)])),
});

export class Answers {
  readonly #file: string;
  readonly #left: Map<string, string[]>;

  private constructor(file: string, left: Map<string, string[]>) {
    this.#file = file;
    this.#left = left;
  }

  /** Throws `ERR_CLI_CONFIG`, or `ERR_CLI_INPUT` when others may read it. */
  static load(file: string): Answers {
    const { answers } = loadConfig(file, schema).values;
    if ((statSync(file).mode & GROUP_AND_OTHERS) !== 0) {
      throw new CliError('ERR_CLI_INPUT', `${file} can be read by others; its mode must be 0600`);
    }
    const left = Object.entries(answers).map(([id, own]) => [id, typeof own === 'string' ? [own] : [...own]] as const);
    return new Answers(file, new Map(left));
  }

  /** The next answer to a question, else what somebody says who accepts everything. Throws `ERR_CLI_ANSWER_MISSING`. */
  take(id: string, accepted: string | null): string {
    const answer = this.#left.get(id)?.shift() ?? accepted;
    if (answer !== null) return answer;
    throw new CliError('ERR_CLI_ANSWER_MISSING', `${this.#file} has no answer to ${id}`);
  }
}
