// SPDX-License-Identifier: Apache-2.0
/** A small log with a fixed key: entries, checkpoints and proofs that are the same on every run. */
import {
  decodeUtf8,
  encodeUtf8,
  formatNote,
  toNoteVerifierKey,
  type Bytes,
  type NoteVerifierKey,
} from '@witnessmark/core';
import { formatCheckpoint, formatLogProof, hashLeaf, Prover, type LogProof } from '@witnessmark/tlog';
import { fixedEd25519, type FixedKey } from '../../core/test/fixed-keys.ts';
import { NaiveReader } from './naive-tree.ts';

export class FixedLog {
  readonly verifierKey: NoteVerifierKey;
  readonly entries: readonly Bytes[];
  readonly #key: FixedKey;

  constructor(origin: string, size: number) {
    this.#key = fixedEd25519(origin);
    this.verifierKey = toNoteVerifierKey(origin, this.#key.publicKey);
    this.entries = Array.from({ length: size }, (_, index) => encodeUtf8(`entry ${index} of ${origin}`));
  }

  rootHash(size = this.entries.length): Bytes {
    return this.#prover(size).rootHash();
  }

  checkpointText(size = this.entries.length): string {
    return formatCheckpoint({ origin: this.verifierKey.name, treeSize: size, rootHash: this.rootHash(size) });
  }

  /** Signs any text under the log's name. */
  signNote(text: string): Bytes {
    const { name, keyId } = this.verifierKey;
    return formatNote({ text, signatures: [{ name, keyId, signature: this.#key.sign(encodeUtf8(text)) }] });
  }

  checkpoint(size = this.entries.length): Bytes {
    return this.signNote(this.checkpointText(size));
  }

  proof(index: number, size = this.entries.length): LogProof {
    return { index, proof: this.#prover(size).inclusionProof(index), checkpoint: this.checkpoint(size) };
  }

  proofText(index: number, size = this.entries.length): string {
    return formatLogProof(this.proof(index, size));
  }

  checkpointNote(size = this.entries.length): string {
    return decodeUtf8(this.checkpoint(size));
  }

  #prover(size: number): Prover {
    return new Prover(size, new NaiveReader(this.entries.slice(0, size).map((entry) => hashLeaf(entry))));
  }
}
