// SPDX-License-Identifier: Apache-2.0
/** An append-only log in memory: real leaves, real proofs, really signed checkpoints. */
import {
  encodeUtf8,
  formatNote,
  NOTE_TYPE_COSIGNATURE_ED25519,
  parseNote,
  toNoteVerifierKey,
  type Bytes,
  type Instant,
  type NoteSignature,
} from '@witnessmark/core';
import type { NoteSigner } from '@witnessmark/custody';
import {
  cosignedMessage,
  formatCheckpoint,
  formatCosignature,
  formatLogProof,
  hashChildren,
  hashLeaf,
  Prover,
  type HashReader,
} from '@witnessmark/tlog';
import type { TestWitness } from './cast.ts';

export interface ProofOptions {
  /** Prove to the head of this size instead of the newest. */
  readonly treeSize?: number;
  readonly signer?: NoteSigner;
  readonly witnesses?: readonly TestWitness[];
  readonly witnessedAt?: Instant;
}

export class TestLog implements HashReader {
  readonly #signer: NoteSigner;
  /** Hashes of complete subtrees, by level. */
  readonly #levels: Bytes[][] = [[]];

  constructor(signer: NoteSigner) {
    this.#signer = signer;
  }

  get size(): number {
    return this.#leaves.length;
  }

  /** Returns the index of the new entry. */
  append(entry: Bytes): number {
    const index = this.size;
    let hash = hashLeaf(entry);
    for (let level = 0; ; level += 1) {
      const hashes = (this.#levels[level] ??= []);
      hashes.push(hash);
      if (hashes.length % 2 !== 0) return index;
      hash = hashChildren(hashes[hashes.length - 2] as Bytes, hash);
    }
  }

  /** Entries of other units. */
  fill(count: number, what = 'entry of another unit'): void {
    for (let index = 0; index < count; index += 1) this.append(encodeUtf8(`${what} ${this.size}`));
  }

  /** A second history with the same beginning, signed by the same key. */
  fork(): TestLog {
    const copy = new TestLog(this.#signer);
    for (const [level, hashes] of this.#levels.entries()) copy.#levels[level] = [...hashes];
    return copy;
  }

  readHash(level: number, index: number): Bytes {
    const hash = this.#levels[level]?.[index];
    if (hash === undefined) throw new RangeError(`no complete subtree ${level}/${index}`);
    return hash;
  }

  /** A tlog-proof text. */
  async prove(index: number, options: ProofOptions = {}): Promise<string> {
    const treeSize = options.treeSize ?? this.size;
    const checkpoint = await this.checkpoint(options);
    return formatLogProof({ index, proof: new Prover(treeSize, this).inclusionProof(index), checkpoint });
  }

  async checkpoint({
    treeSize = this.size,
    signer = this.#signer,
    witnesses = [],
    witnessedAt = 0,
  }: ProofOptions = {}): Promise<Bytes> {
    const text = formatCheckpoint({
      origin: signer.verifierKey.name,
      treeSize,
      rootHash: new Prover(treeSize, this).rootHash(),
    });
    const signed = parseNote(await signer.sign(text));
    const cosignatures = witnesses.map((witness) => cosign(witness, text, witnessedAt));
    return formatNote({ text: signed.text, signatures: [...signed.signatures, ...cosignatures] });
  }

  get #leaves(): Bytes[] {
    return this.#levels[0] as Bytes[];
  }
}

/** https://c2sp.org/tlog-cosignature, type 0x04. */
function cosign(witness: TestWitness, text: string, at: Instant): NoteSignature {
  const { name, keyId } = toNoteVerifierKey(witness.name, witness.key.publicKey, NOTE_TYPE_COSIGNATURE_ED25519);
  return { name, keyId, signature: formatCosignature(at, witness.key.signNow(cosignedMessage(text, at))) };
}
