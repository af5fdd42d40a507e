// SPDX-License-Identifier: Apache-2.0
/**
 * Promotions on disk, one directory each: what was proposed, and what people decided. Nothing here says where a promotion
 * stands; that follows from signatures and from the repository, so that an edited file changes nothing.
 */
import { basename, join } from 'node:path';
import {
  formatEnvelope,
  formatJson,
  fromEnvelope,
  parseEnvelope,
  parseStrictJson,
  RefusedError,
  toEnvelope,
  WitnessmarkError,
  MAX_ENVELOPE_BYTES,
  type Bytes,
  type Envelope,
} from '@witnessmark/core';
import { readFile, replaceFile, type Files, type MetadataSignature, type OpenFile } from '@witnessmark/trust';
import { GateError } from './error.ts';
import { GATE_LIMITS } from './limits.ts';
import { nextNumbered, sortNumbered } from './numbered-id.ts';
import { asObject, toSignature } from './stored-signature.ts';

const PROMOTION_ID = /^P-[0-9]{4,9}$/;
const STAGING = '.staging';
const CANDIDATE_FILE = 'candidate.dsse.json';
const MANIFEST_FILE = 'release.json';
const STAGED_FILE = 'targets.json';
const EXCEPTION_FILE = 'exception.dsse.json';
const SEED_FILE = 'sealing.seed';

/** What an author proposed, as it was stored; nothing of it has been checked. */
export interface StoredPromotion {
  readonly promotionId: string;
  readonly candidate: Envelope;
  readonly manifest: Bytes;
  /** The targets metadata that approvers sign, without signatures. */
  readonly staged: Bytes;
  /** The exception for a lower security counter; null for a promotion without one. */
  readonly exception: Envelope | null;
  /** The secret that a sealed image's envelope follows from; null for a promotion without one. */
  readonly seed: Bytes | null;
  readonly decisions: readonly StoredDecision[];
}

export interface StoredDecision {
  readonly envelope: Envelope;
  /** The approver's signature over the staged targets metadata; null for a denial. */
  readonly targetsSignature: MetadataSignature | null;
}

export type ProposedFiles = Omit<StoredPromotion, 'decisions'>;

export class PromotionStore {
  readonly #directory: string;
  readonly #files: Files;

  constructor(directory: string, files: Files) {
    this.#directory = directory;
    this.#files = files;
  }

  /** Ids of all promotions, oldest first. */
  async list(): Promise<readonly string[]> {
    const entries = await this.#files.list(this.#directory);
    return sortNumbered(
      entries.filter(({ name, kind }) => kind === 'directory' && PROMOTION_ID.test(name)).map(({ name }) => name),
    );
  }

  async nextId(): Promise<string> {
    return nextNumbered('P', await this.list());
  }

  /** A place to put an image before its promotion exists; what an earlier attempt left is removed. */
  async stageImage(targetPath: string, chunks: AsyncIterable<Bytes>): Promise<void> {
    await this.#files.remove(join(this.#directory, STAGING));
    await this.#files.makeDirectory(join(this.#directory, STAGING));
    await this.#files.write(join(this.#directory, STAGING, basename(targetPath)), chunks);
  }

  /** Makes what was staged a promotion, in one step: before it there is nothing, after it everything. */
  async create({ promotionId, candidate, manifest, staged, exception, seed }: ProposedFiles): Promise<void> {
    const staging = join(this.#directory, STAGING);
    await this.#files.write(join(staging, CANDIDATE_FILE), [formatEnvelope(candidate)]);
    await this.#files.write(join(staging, MANIFEST_FILE), [manifest]);
    await this.#files.write(join(staging, STAGED_FILE), [staged]);
    if (exception !== null) await this.#files.write(join(staging, EXCEPTION_FILE), [formatEnvelope(exception)]);
    if (seed !== null) await this.#files.write(join(staging, SEED_FILE), [seed]);
    await this.#files.syncDirectory(staging);
    await this.#files.rename(staging, join(this.#directory, promotionId));
    await this.#files.syncDirectory(this.#directory);
  }

  /** Throws PL-112 for an unknown promotion and PL-103 for one whose files cannot be read. */
  async read(promotionId: string): Promise<StoredPromotion> {
    if (!PROMOTION_ID.test(promotionId) || !(await this.list()).includes(promotionId)) {
      throw new RefusedError('PL-112', `there is no promotion ${promotionId.slice(0, 32)} here`);
    }
    try {
      return {
        promotionId,
        candidate: parseEnvelope(await this.#read(promotionId, CANDIDATE_FILE, MAX_ENVELOPE_BYTES)),
        manifest: await this.#read(promotionId, MANIFEST_FILE, GATE_LIMITS.maxManifestBytes),
        staged: await this.#read(promotionId, STAGED_FILE, GATE_LIMITS.maxStagedBytes),
        exception: await this.#readException(promotionId),
        seed: await readFile(this.#files, join(this.#directory, promotionId, SEED_FILE), GATE_LIMITS.maxSeedBytes),
        decisions: await this.#readDecisions(promotionId),
      };
    } catch (cause) {
      if (!(cause instanceof WitnessmarkError)) throw cause;
      throw new RefusedError('PL-103', `${promotionId} cannot be read: ${cause.message}`, { cause });
    }
  }

  /** The image that was staged last; null when there is none. */
  openStaged(targetPath: string): Promise<OpenFile | null> {
    return this.#files.open(join(this.#directory, STAGING, basename(targetPath)));
  }

  /** Null when the image is missing. */
  openImage(promotionId: string, targetPath: string): Promise<OpenFile | null> {
    return this.#files.open(join(this.#directory, promotionId, basename(targetPath)));
  }

  /** The file of one person's decision: what is carried from an approver's machine to the office. */
  decisionPath(promotionId: string, keyid: string): string {
    return join(this.#decisions(promotionId), `${keyid}.json`);
  }

  /** Stores one person's decision, durably. */
  async addDecision(promotionId: string, keyid: string, decision: StoredDecision): Promise<void> {
    const directory = this.#decisions(promotionId);
    await this.#files.makeDirectory(directory);
    await this.#files.syncDirectory(join(this.#directory, promotionId));
    const { envelope, targetsSignature } = decision;
    const bytes = formatJson({ envelope: fromEnvelope(envelope), targetsSignature });
    await replaceFile(this.#files, join(directory, `${keyid}.json`), [bytes]);
  }

  async #readDecisions(promotionId: string): Promise<readonly StoredDecision[]> {
    const directory = this.#decisions(promotionId);
    const names = (await this.#files.list(directory))
      .filter(({ name, kind }) => kind === 'file' && /^[0-9a-f]{64}\.json$/.test(name))
      .slice(0, GATE_LIMITS.maxDecisions);
    const decisions: StoredDecision[] = [];
    for (const { name } of names) {
      const bytes = await readFile(this.#files, join(directory, name), GATE_LIMITS.maxDecisionBytes);
      if (bytes !== null) decisions.push(...readableDecision(bytes));
    }
    return decisions;
  }

  async #readException(promotionId: string): Promise<Envelope | null> {
    const path = join(this.#directory, promotionId, EXCEPTION_FILE);
    const bytes = await readFile(this.#files, path, MAX_ENVELOPE_BYTES);
    return bytes === null ? null : parseEnvelope(bytes);
  }

  async #read(promotionId: string, name: string, maxBytes: number): Promise<Bytes> {
    const path = join(this.#directory, promotionId, name);
    const bytes = await readFile(this.#files, path, maxBytes);
    if (bytes === null) throw new GateError('ERR_GATE_FILE', `${path} is missing`);
    return bytes;
  }

  #decisions(promotionId: string): string {
    return join(this.#directory, promotionId, 'decisions');
  }
}

/** Reads a decision as it is stored, and as it travels; throws `ERR_JSON_*` and `ERR_DSSE_*` codes. */
export function parseDecision(bytes: Bytes): StoredDecision {
  const { envelope, targetsSignature } = asObject(parseStrictJson(bytes)) ?? {};
  return { envelope: toEnvelope(envelope), targetsSignature: toSignature(targetsSignature) };
}

/** A decision that cannot be read counts for nothing; it must not keep the others from counting. */
function readableDecision(bytes: Bytes): readonly StoredDecision[] {
  try {
    return [parseDecision(bytes)];
  } catch (cause) {
    if (cause instanceof WitnessmarkError) return [];
    throw cause;
  }
}
