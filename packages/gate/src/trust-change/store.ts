// SPDX-License-Identifier: Apache-2.0
/** Trust changes on disk, one directory each, as promotions are: signed bytes, and nothing about where a change stands. */
import { join } from 'node:path';
import {
  formatEnvelope,
  formatJson,
  fromEnvelope,
  MAX_ENVELOPE_BYTES,
  parseEnvelope,
  parseStrictJson,
  RefusedError,
  toEnvelope,
  WitnessmarkError,
  type Bytes,
  type Envelope,
} from '@witnessmark/core';
import { readFile, replaceFile, type Files, type MetadataSignature } from '@witnessmark/trust';
import { GateError } from '../error.ts';
import { GATE_LIMITS } from '../limits.ts';
import { nextNumbered, sortNumbered } from '../numbered-id.ts';
import { asObject, toSignature } from '../stored-signature.ts';

const CHANGE_ID = /^T-[0-9]{4,9}$/;
const STAGING = '.staging';
const CHANGE_FILE = 'change.dsse.json';
const DOCUMENT_FILE = 'trusted-root.json';
const ROOT_FILE = 'root.json';
const TARGETS_FILE = 'targets.json';
const enrolmentFile = (index: number): string => `enrolment-${index + 1}.dsse.json`;

/** What was proposed, as it was stored; nothing of it has been checked. */
export interface StoredChange {
  readonly changeId: string;
  readonly change: Envelope;
  /** The new trusted root. */
  readonly document: Bytes;
  /** Staged metadata, without signatures; the root only when it changes. */
  readonly root: Bytes | null;
  readonly targets: Bytes;
  readonly enrolments: readonly Envelope[];
  readonly decisions: readonly StoredChangeDecision[];
}

export interface StoredChangeDecision {
  readonly envelope: Envelope;
  /** The holder's signatures over the staged metadata; null where the holder has no key for it. */
  readonly rootSignature: MetadataSignature | null;
  readonly targetsSignature: MetadataSignature | null;
}

export class TrustChangeStore {
  readonly #directory: string;
  readonly #files: Files;

  constructor(directory: string, files: Files) {
    this.#directory = directory;
    this.#files = files;
  }

  /** Ids of all changes, oldest first. */
  async list(): Promise<readonly string[]> {
    const entries = await this.#files.list(this.#directory);
    return sortNumbered(
      entries.filter(({ name, kind }) => kind === 'directory' && CHANGE_ID.test(name)).map(({ name }) => name),
    );
  }

  async nextId(): Promise<string> {
    return nextNumbered('T', await this.list());
  }

  /** In one step: before it there is nothing, after it everything. */
  async create({
    changeId,
    change,
    document,
    root,
    targets,
    enrolments,
  }: Omit<StoredChange, 'decisions'>): Promise<void> {
    const staging = join(this.#directory, STAGING);
    await this.#files.remove(staging);
    await this.#files.makeDirectory(staging);
    await this.#files.write(join(staging, CHANGE_FILE), [formatEnvelope(change)]);
    await this.#files.write(join(staging, DOCUMENT_FILE), [document]);
    await this.#files.write(join(staging, TARGETS_FILE), [targets]);
    if (root !== null) await this.#files.write(join(staging, ROOT_FILE), [root]);
    for (const [index, enrolment] of enrolments.entries()) {
      await this.#files.write(join(staging, enrolmentFile(index)), [formatEnvelope(enrolment)]);
    }
    await this.#files.syncDirectory(staging);
    await this.#files.rename(staging, join(this.#directory, changeId));
    await this.#files.syncDirectory(this.#directory);
  }

  /** Throws PL-122 for an unknown change and PL-103 for one whose files cannot be read. */
  async read(changeId: string): Promise<StoredChange> {
    if (!CHANGE_ID.test(changeId) || !(await this.list()).includes(changeId)) {
      throw new RefusedError('PL-122', `there is no change ${changeId.slice(0, 32)} here`);
    }
    const { maxTrustedRootBytes, maxStagedBytes } = GATE_LIMITS;
    try {
      const enrolments: Envelope[] = [];
      for (let index = 0; index < GATE_LIMITS.maxEnrolments; index += 1) {
        const bytes = await this.#find(changeId, enrolmentFile(index), MAX_ENVELOPE_BYTES);
        if (bytes === null) break;
        enrolments.push(parseEnvelope(bytes));
      }
      return {
        changeId,
        change: parseEnvelope(await this.#read(changeId, CHANGE_FILE, MAX_ENVELOPE_BYTES)),
        document: await this.#read(changeId, DOCUMENT_FILE, maxTrustedRootBytes),
        root: await this.#find(changeId, ROOT_FILE, maxStagedBytes),
        targets: await this.#read(changeId, TARGETS_FILE, maxStagedBytes),
        enrolments,
        decisions: await this.#readDecisions(changeId),
      };
    } catch (cause) {
      if (!(cause instanceof WitnessmarkError)) throw cause;
      throw new RefusedError('PL-103', `${changeId} cannot be read: ${cause.message}`, { cause });
    }
  }

  /** Stores one holder's decision, durably. */
  async addDecision(changeId: string, keyid: string, decision: StoredChangeDecision): Promise<void> {
    const directory = this.#decisions(changeId);
    await this.#files.makeDirectory(directory);
    await this.#files.syncDirectory(join(this.#directory, changeId));
    const { envelope, rootSignature, targetsSignature } = decision;
    const bytes = formatJson({ envelope: fromEnvelope(envelope), rootSignature, targetsSignature });
    await replaceFile(this.#files, join(directory, `${keyid}.json`), [bytes]);
  }

  async #readDecisions(changeId: string): Promise<readonly StoredChangeDecision[]> {
    const directory = this.#decisions(changeId);
    const names = (await this.#files.list(directory))
      .filter(({ name, kind }) => kind === 'file' && /^[0-9a-f]{64}\.json$/.test(name))
      .slice(0, GATE_LIMITS.maxDecisions);
    const decisions: StoredChangeDecision[] = [];
    for (const { name } of names) {
      const bytes = await readFile(this.#files, join(directory, name), GATE_LIMITS.maxDecisionBytes);
      if (bytes !== null) decisions.push(...readableDecision(bytes));
    }
    return decisions;
  }

  async #read(changeId: string, name: string, maxBytes: number): Promise<Bytes> {
    const bytes = await this.#find(changeId, name, maxBytes);
    if (bytes === null) throw new GateError('ERR_GATE_FILE', `${name} of ${changeId} is missing`);
    return bytes;
  }

  #find(changeId: string, name: string, maxBytes: number): Promise<Bytes | null> {
    return readFile(this.#files, join(this.#directory, changeId, name), maxBytes);
  }

  #decisions(changeId: string): string {
    return join(this.#directory, changeId, 'decisions');
  }
}

/** A decision that cannot be read counts for nothing; it must not keep the others from counting. */
function readableDecision(bytes: Bytes): readonly StoredChangeDecision[] {
  try {
    const { envelope, rootSignature, targetsSignature } = asObject(parseStrictJson(bytes)) ?? {};
    return [
      {
        envelope: toEnvelope(envelope),
        rootSignature: toSignature(rootSignature),
        targetsSignature: toSignature(targetsSignature),
      },
    ];
  } catch (cause) {
    if (cause instanceof WitnessmarkError) return [];
    throw cause;
  }
}
