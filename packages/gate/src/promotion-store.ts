// SPDX-License-Identifier: Apache-2.0
/** Promotions on disk: what an author proposed, its image, and what people decided. */
import { basename } from 'node:path';
import {
  formatEnvelope,
  fromEnvelope,
  MAX_ENVELOPE_BYTES,
  parseEnvelope,
  parseStrictJson,
  toEnvelope,
  type Bytes,
  type Envelope,
} from '@witnessmark/core';
import type { Files, MetadataSignature, OpenFile } from '@witnessmark/trust';
import { GateError } from './error.ts';
import { GATE_LIMITS } from './limits.ts';
import { ProposalStore } from './proposal-store.ts';
import { asObject, toSignature } from './stored-signature.ts';

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

export class PromotionStore extends ProposalStore {
  constructor(directory: string, files: Files) {
    super(directory, files, { letter: 'P', noun: 'promotion', unknownCode: 'PL-112' });
  }

  /** A place to put an image before its promotion exists. */
  async stageImage(targetPath: string, chunks: AsyncIterable<Bytes>): Promise<void> {
    await this.stage();
    await this.files.write(this.stagedPath(basename(targetPath)), chunks);
  }

  /** Makes what was staged a promotion. */
  async create({ promotionId, candidate, manifest, staged, exception, seed }: ProposedFiles): Promise<void> {
    await this.createStaged(promotionId, {
      [CANDIDATE_FILE]: formatEnvelope(candidate),
      [MANIFEST_FILE]: manifest,
      [STAGED_FILE]: staged,
      [EXCEPTION_FILE]: exception === null ? null : formatEnvelope(exception),
      [SEED_FILE]: seed,
    });
  }

  /** Throws PL-112 for an unknown promotion and PL-103 for one whose files cannot be read. */
  read(promotionId: string): Promise<StoredPromotion> {
    return this.readStored(promotionId, async () => ({
      promotionId,
      candidate: parseEnvelope(await this.#read(promotionId, CANDIDATE_FILE, MAX_ENVELOPE_BYTES)),
      manifest: await this.#read(promotionId, MANIFEST_FILE, GATE_LIMITS.maxManifestBytes),
      staged: await this.#read(promotionId, STAGED_FILE, GATE_LIMITS.maxStagedBytes),
      exception: await this.#readException(promotionId),
      seed: await this.find(promotionId, SEED_FILE, GATE_LIMITS.maxSeedBytes),
      decisions: await this.readDecisions(promotionId, parseDecision),
    }));
  }

  /** The image that was staged last; null when there is none. */
  openStaged(targetPath: string): Promise<OpenFile | null> {
    return this.files.open(this.stagedPath(basename(targetPath)));
  }

  /** Null when the image is missing. */
  openImage(promotionId: string, targetPath: string): Promise<OpenFile | null> {
    return this.files.open(this.path(promotionId, basename(targetPath)));
  }

  /** Stores one person's decision, durably. */
  async addDecision(promotionId: string, keyid: string, decision: StoredDecision): Promise<void> {
    const { envelope, targetsSignature } = decision;
    await this.writeDecision(promotionId, keyid, { envelope: fromEnvelope(envelope), targetsSignature });
  }

  async #readException(promotionId: string): Promise<Envelope | null> {
    const bytes = await this.find(promotionId, EXCEPTION_FILE, MAX_ENVELOPE_BYTES);
    return bytes === null ? null : parseEnvelope(bytes);
  }

  async #read(promotionId: string, name: string, maxBytes: number): Promise<Bytes> {
    const bytes = await this.find(promotionId, name, maxBytes);
    if (bytes === null) throw new GateError('ERR_GATE_FILE', `${this.path(promotionId, name)} is missing`);
    return bytes;
  }
}

/** Reads a decision as it is stored, and as it travels; throws `ERR_JSON_*` and `ERR_DSSE_*` codes. */
export function parseDecision(bytes: Bytes): StoredDecision {
  const { envelope, targetsSignature } = asObject(parseStrictJson(bytes)) ?? {};
  return { envelope: toEnvelope(envelope), targetsSignature: toSignature(targetsSignature) };
}
