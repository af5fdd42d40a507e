// SPDX-License-Identifier: Apache-2.0
import type { DirectoryEntry, Files } from '@witnessmark/trust';

const PREFIX_LENGTH = 'P-'.length;
const MIN_DIGITS = 4;
const MAX_DIGITS = 9;

export interface NumberedEntries {
  /** The kind, as ids say it. */
  readonly letter: string;
  readonly kind: DirectoryEntry['kind'];
  /** What follows the id in an entry's name. */
  readonly suffix: string;
}

/** A directory whose entries have ids that people say aloud: a letter, a dash, and a number that counts up, as in `P-0007`. */
export abstract class NumberedStore {
  protected readonly directory: string;
  protected readonly files: Files;
  readonly #entries: NumberedEntries;
  readonly #id: RegExp;

  protected constructor(directory: string, files: Files, entries: NumberedEntries) {
    this.directory = directory;
    this.files = files;
    this.#entries = entries;
    this.#id = new RegExp(`^${entries.letter}-[0-9]{${MIN_DIGITS},${MAX_DIGITS}}$`);
  }

  /** All ids, oldest first. */
  async list(): Promise<readonly string[]> {
    const { kind, suffix } = this.#entries;
    const entries = await this.files.list(this.directory);
    return entries
      .filter((entry) => entry.kind === kind && entry.name.endsWith(suffix))
      .map(({ name }) => name.slice(0, name.length - suffix.length))
      .filter((id) => this.isId(id))
      .sort((left, right) => toNumber(left) - toNumber(right));
  }

  /** The id after the newest one; the first one when there is none. */
  async nextId(): Promise<string> {
    const last = (await this.list()).at(-1);
    const number = last === undefined ? 1 : toNumber(last) + 1;
    return `${this.#entries.letter}-${String(number).padStart(MIN_DIGITS, '0')}`;
  }

  protected isId(text: string): boolean {
    return this.#id.test(text);
  }
}

function toNumber(id: string): number {
  return Number(id.slice(PREFIX_LENGTH));
}
