// SPDX-License-Identifier: Apache-2.0
/**
 * Proposals on disk, one directory each: what was proposed, and a file for what each person decided. Nothing here says
 * where a proposal stands; that follows from signatures and from the repository, so that an edited file changes nothing.
 */
import { join } from 'node:path';
import { formatJson, RefusedError, WitnessmarkError, type Bytes } from '@witnessmark/core';
import { readFile, replaceFile, type Files } from '@witnessmark/trust';
import { GATE_LIMITS } from './limits.ts';
import { NumberedStore } from './numbered-store.ts';

const STAGING = '.staging';
const DECISIONS = 'decisions';
const DECISION_FILE = /^[0-9a-f]{64}\.json$/;

export interface ProposalKind {
  readonly letter: string;
  /** What people call one. */
  readonly noun: string;
  /** Refuses one that is not here. */
  readonly unknownCode: 'PL-112' | 'PL-122';
}

export abstract class ProposalStore extends NumberedStore {
  readonly #kind: ProposalKind;

  protected constructor(directory: string, files: Files, kind: ProposalKind) {
    super(directory, files, { letter: kind.letter, kind: 'directory', suffix: '' });
    this.#kind = kind;
  }

  /** Makes an empty place for a proposal that does not exist yet; what an earlier attempt left is removed. */
  protected async stage(): Promise<void> {
    await this.files.remove(this.stagedPath());
    await this.files.makeDirectory(this.stagedPath());
  }

  /**
   * Makes what was staged and `contents`, by file name, a proposal, in one step: before it there is nothing, after it
   * everything. A null is no file.
   */
  protected async createStaged(id: string, contents: Readonly<Record<string, Bytes | null>>): Promise<void> {
    for (const [name, bytes] of Object.entries(contents)) {
      if (bytes !== null) await this.files.write(this.stagedPath(name), [bytes]);
    }
    await this.files.syncDirectory(this.stagedPath());
    await this.files.rename(this.stagedPath(), this.path(id));
    await this.files.syncDirectory(this.directory);
  }

  /** What `load` finds; throws the kind's code for an unknown proposal and PL-103 for one whose files cannot be read. */
  protected async readStored<T>(id: string, load: () => Promise<T>): Promise<T> {
    const { noun, unknownCode } = this.#kind;
    if (!(await this.list()).includes(id)) {
      throw new RefusedError(unknownCode, `there is no ${noun} ${id.slice(0, 32)} here`);
    }
    try {
      return await load();
    } catch (cause) {
      if (!(cause instanceof WitnessmarkError)) throw cause;
      throw new RefusedError('PL-103', `${id} cannot be read: ${cause.message}`, { cause });
    }
  }

  /** Null when there is no such file. */
  protected find(id: string, name: string, maxBytes: number): Promise<Bytes | null> {
    return readFile(this.files, this.path(id, name), maxBytes);
  }

  /** Stores one person's decision, durably. */
  protected async writeDecision(id: string, keyid: string, decision: object): Promise<void> {
    await this.files.makeDirectory(this.path(id, DECISIONS));
    await this.files.syncDirectory(this.path(id));
    await replaceFile(this.files, this.decisionPath(id, keyid), [formatJson(decision)]);
  }

  /** A decision that cannot be read counts for nothing; it must not keep the others from counting. */
  protected async readDecisions<T>(id: string, parse: (bytes: Bytes) => T): Promise<readonly T[]> {
    const names = (await this.files.list(this.path(id, DECISIONS)))
      .filter(({ name, kind }) => kind === 'file' && DECISION_FILE.test(name))
      .slice(0, GATE_LIMITS.maxDecisions);
    const decisions: T[] = [];
    for (const { name } of names) {
      const bytes = await readFile(this.files, this.path(id, DECISIONS, name), GATE_LIMITS.maxDecisionBytes);
      if (bytes !== null) decisions.push(...readable(() => parse(bytes)));
    }
    return decisions;
  }

  /** The file of one person's decision. */
  decisionPath(id: string, keyid: string): string {
    return this.path(id, DECISIONS, `${keyid}.json`);
  }

  protected stagedPath(...names: readonly string[]): string {
    return this.path(STAGING, ...names);
  }

  protected path(id: string, ...names: readonly string[]): string {
    return join(this.directory, id, ...names);
  }
}

function readable<T>(parse: () => T): readonly T[] {
  try {
    return [parse()];
  } catch (cause) {
    if (cause instanceof WitnessmarkError) return [];
    throw cause;
  }
}
