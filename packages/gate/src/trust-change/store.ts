// SPDX-License-Identifier: Apache-2.0
/** Trust changes on disk, as promotions are: signed bytes, and nothing about where a change stands. */
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
import type { Files, MetadataSignature } from '@witnessmark/trust';
import { GateError } from '../error.ts';
import { GATE_LIMITS } from '../limits.ts';
import { ProposalStore } from '../proposal-store.ts';
import { asObject, toSignature } from '../stored-signature.ts';

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

export class TrustChangeStore extends ProposalStore {
  constructor(directory: string, files: Files) {
    super(directory, files, { letter: 'T', noun: 'change', unknownCode: 'PL-122' });
  }

  async create(proposed: Omit<StoredChange, 'decisions'>): Promise<void> {
    const { changeId, change, document, root, targets, enrolments } = proposed;
    await this.stage();
    await this.createStaged(changeId, {
      [CHANGE_FILE]: formatEnvelope(change),
      [DOCUMENT_FILE]: document,
      [TARGETS_FILE]: targets,
      [ROOT_FILE]: root,
      ...Object.fromEntries(enrolments.map((enrolment, index) => [enrolmentFile(index), formatEnvelope(enrolment)])),
    });
  }

  /** Throws PL-122 for an unknown change and PL-103 for one whose files cannot be read. */
  read(changeId: string): Promise<StoredChange> {
    const { maxTrustedRootBytes, maxStagedBytes } = GATE_LIMITS;
    return this.readStored(changeId, async () => ({
      changeId,
      enrolments: await this.#readEnrolments(changeId),
      change: parseEnvelope(await this.#read(changeId, CHANGE_FILE, MAX_ENVELOPE_BYTES)),
      document: await this.#read(changeId, DOCUMENT_FILE, maxTrustedRootBytes),
      root: await this.find(changeId, ROOT_FILE, maxStagedBytes),
      targets: await this.#read(changeId, TARGETS_FILE, maxStagedBytes),
      decisions: await this.readDecisions(changeId, parseDecision),
    }));
  }

  /** Stores one holder's decision, durably. */
  async addDecision(changeId: string, keyid: string, decision: StoredChangeDecision): Promise<void> {
    const { envelope, rootSignature, targetsSignature } = decision;
    await this.writeDecision(changeId, keyid, { envelope: fromEnvelope(envelope), rootSignature, targetsSignature });
  }

  async #readEnrolments(changeId: string): Promise<readonly Envelope[]> {
    const enrolments: Envelope[] = [];
    for (let index = 0; index < GATE_LIMITS.maxEnrolments; index += 1) {
      const bytes = await this.find(changeId, enrolmentFile(index), MAX_ENVELOPE_BYTES);
      if (bytes === null) break;
      enrolments.push(parseEnvelope(bytes));
    }
    return enrolments;
  }

  async #read(changeId: string, name: string, maxBytes: number): Promise<Bytes> {
    const bytes = await this.find(changeId, name, maxBytes);
    if (bytes === null) throw new GateError('ERR_GATE_FILE', `${name} of ${changeId} is missing`);
    return bytes;
  }
}

function parseDecision(bytes: Bytes): StoredChangeDecision {
  const { envelope, rootSignature, targetsSignature } = asObject(parseStrictJson(bytes)) ?? {};
  return {
    envelope: toEnvelope(envelope),
    rootSignature: toSignature(rootSignature),
    targetsSignature: toSignature(targetsSignature),
  };
}
