// SPDX-License-Identifier: Apache-2.0
/**
 * Where the office keeps the statements of debug bundles: one directory for each, `proposal.dsse.json`, one file for each
 * decision, `sealed/`. What counts follows from signatures, never from a name here. Contents are not kept.
 */
import { join } from 'node:path';
import {
  formatEnvelope,
  MAX_ENVELOPE_BYTES,
  parseEnvelope,
  RefusedError,
  type Bytes,
  type Envelope,
} from '@witnessmark/core';
import { BoundaryError } from '../error.ts';
import { readWhole, type BoundaryFiles } from '../files.ts';
import { Staging } from '../staging.ts';

const BUNDLE_ID = /^DB-(\d{4,9})$/;
const PROPOSAL_FILE = 'proposal.dsse.json';
const SEAL_FILE = 'seal.dsse.json';
const SEALED_DIRECTORY = 'sealed';
const DECISION_FILE = /^decision-\d{1,9}-[0-9a-f]{16}\.dsse\.json$/;

export interface StoredBundle {
  readonly bundleId: string;
  readonly proposal: Envelope;
  readonly decisions: readonly Envelope[];
  readonly seal: Envelope | null;
}

export class BundleStore {
  readonly #directory: string;
  readonly #files: BoundaryFiles;

  constructor(directory: string, files: BoundaryFiles) {
    this.#directory = directory;
    this.#files = files;
  }

  /** Ids, oldest first. */
  async list(): Promise<readonly string[]> {
    const ids = (await this.#names(this.#directory)).filter((name) => BUNDLE_ID.test(name));
    return ids.sort((left, right) => numberOf(left) - numberOf(right));
  }

  async nextId(): Promise<string> {
    const last = (await this.list()).at(-1);
    return `DB-${String(last === undefined ? 1 : numberOf(last) + 1).padStart(4, '0')}`;
  }

  /** Throws BX-139 when there is no such bundle. */
  async load(bundleId: string): Promise<StoredBundle> {
    if (!BUNDLE_ID.test(bundleId)) throw new RefusedError('BX-139', `there is no debug bundle ${bundleId}`);
    const directory = this.#bundle(bundleId);
    const proposal = await this.#readEnvelope(join(directory, PROPOSAL_FILE));
    if (proposal === null) throw new RefusedError('BX-139', `there is no debug bundle ${bundleId}`);
    const decisions: Envelope[] = [];
    for (const name of (await this.#names(directory)).sort()) {
      const decision = DECISION_FILE.test(name) ? await this.#readEnvelope(join(directory, name)) : null;
      if (decision !== null) decisions.push(decision);
    }
    const seal = await this.#readEnvelope(join(directory, SEALED_DIRECTORY, SEAL_FILE));
    return { bundleId, proposal, decisions, seal };
  }

  /** Makes a proposal visible after `record`; a second one with the same number fails. */
  async addProposal(bundleId: string, envelope: Envelope, record: () => Promise<void>): Promise<void> {
    await this.#files.makeDirectory(this.#directory);
    const staging = await Staging.open(this.#bundle(bundleId), this.#files);
    await staging.add(PROPOSAL_FILE, formatEnvelope(envelope));
    await staging.seal();
    await record();
    await staging.publish();
  }

  async addDecision(bundleId: string, envelope: Envelope, keyid: string, record: () => Promise<void>): Promise<void> {
    const directory = this.#bundle(bundleId);
    const count = (await this.#names(directory)).filter((name) => DECISION_FILE.test(name)).length;
    const path = join(directory, `decision-${count + 1}-${keyid.slice(0, 16)}.dsse.json`);
    const partial = `${path}.partial`;
    await this.#files.remove(partial);
    await this.#files.writeNew(partial, formatEnvelope(envelope));
    await record();
    await this.#files.rename(partial, path);
    await this.#files.syncDirectory(directory);
  }

  /** Makes sealed files visible after `record`. */
  async addSeal(
    bundleId: string,
    envelope: Envelope,
    files: ReadonlyMap<string, Bytes>,
    record: () => Promise<void>,
  ): Promise<string> {
    const target = join(this.#bundle(bundleId), SEALED_DIRECTORY);
    const staging = await Staging.open(target, this.#files);
    for (const [name, content] of files) await staging.add(name, content);
    await staging.add(SEAL_FILE, formatEnvelope(envelope));
    await staging.seal();
    await record();
    await staging.publish();
    return target;
  }

  async #readEnvelope(path: string): Promise<Envelope | null> {
    const bytes = await readWhole(this.#files, path, MAX_ENVELOPE_BYTES);
    return bytes === null ? null : parseEnvelope(bytes);
  }

  async #names(directory: string): Promise<string[]> {
    const entries = (await this.#files.list(directory)) ?? [];
    return entries.map(({ name }) => new TextDecoder().decode(name));
  }

  #bundle(bundleId: string): string {
    if (BUNDLE_ID.test(bundleId)) return join(this.#directory, bundleId);
    throw new BoundaryError('ERR_BOUNDARY_FILE', `${bundleId} is no number of a debug bundle`);
  }
}

function numberOf(bundleId: string): number {
  return Number(bundleId.slice('DB-'.length));
}
