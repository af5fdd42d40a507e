// SPDX-License-Identifier: Apache-2.0
/** Proofs that an entry is in a log, as text: https://c2sp.org/tlog-proof, without its optional extra data. */
import {
  decodeBase64,
  decodeUtf8,
  encodeBase64,
  encodeUtf8,
  MAX_NOTE_BYTES,
  type Bytes,
  type NoteVerifierKey,
} from '@witnessmark/core';
import { openCheckpoint, type Checkpoint } from './checkpoint.ts';
import { TlogError } from './error.ts';
import { HASH_BYTES, hashLeaf } from './hashing.ts';
import { verifyInclusion } from './inclusion.ts';
import { isTreeSize, parseDecimal } from './tree-size.ts';

const HEADER = 'c2sp.org/tlog-proof@v1';
const INDEX = 'index ';
const EXTRA = 'extra ';
/** A tree below 2^53 entries is at most 53 levels high. */
const MAX_PROOF_HASHES = 53;
const MAX_HEAD_LENGTH = 4_096;
/** Of a hash in base64. */
const HASH_LINE_LENGTH = 44;

export interface LogProof {
  readonly index: number;
  /** From the sibling of the leaf upwards. */
  readonly proof: readonly Bytes[];
  /** The checkpoint note, verbatim. */
  readonly checkpoint: Bytes;
}

/** Reads a proof without judging it; throws `ERR_TLOG_LOG_PROOF`. Extra data is refused: nothing authenticates it. */
export function parseLogProof(text: string): LogProof {
  if (text.length > MAX_HEAD_LENGTH + MAX_NOTE_BYTES) throw formatError('it is too long');
  if (!text.isWellFormed()) throw formatError('it is not well-formed text');
  const split = text.indexOf('\n\n');
  if (split < 0) throw formatError('no empty line separates proof and checkpoint');
  const [header, indexLine = '', ...hashLines] = text.slice(0, split).split('\n');
  if (header !== HEADER) throw formatError(`the first line is not ${HEADER}`);
  if (indexLine.startsWith(EXTRA)) throw formatError('it carries extra data');
  const index = indexLine.startsWith(INDEX) ? parseDecimal(indexLine.slice(INDEX.length)) : undefined;
  if (index === undefined) throw formatError('the second line is not an index below 2^53');
  if (hashLines.length > MAX_PROOF_HASHES) throw formatError(`it has more than ${MAX_PROOF_HASHES} hashes`);
  return { index, proof: hashLines.map(decodeHashLine), checkpoint: encodeUtf8(text.slice(split + 2)) };
}

export function formatLogProof({ index, proof, checkpoint }: LogProof): string {
  if (!isTreeSize(index)) throw new TypeError('an index is a whole number');
  if (!proof.every((hash) => hash.length === HASH_BYTES)) throw new TypeError('a tree hash has 32 bytes');
  const lines = [HEADER, `${INDEX}${index}`, ...proof.map(encodeBase64)];
  return `${lines.join('\n')}\n\n${decodeUtf8(checkpoint)}`;
}

/**
 * Verifies that exactly these bytes are in the log with this key: the leaf is hashed from them, the root hash comes from
 * the verified checkpoint. Returns the checkpoint. Throws as `openCheckpoint` does, or `ERR_TLOG_INCLUSION_PROOF`.
 */
export function verifyLogProof(
  entry: Bytes,
  { index, proof, checkpoint }: LogProof,
  logKey: NoteVerifierKey,
): Checkpoint {
  const opened = openCheckpoint(checkpoint, logKey);
  const { treeSize, rootHash } = opened;
  verifyInclusion({ leafHash: hashLeaf(entry), index, treeSize, proof, rootHash });
  return opened;
}

function decodeHashLine(line: string): Bytes {
  let hash: Bytes | undefined;
  try {
    hash = line.length === HASH_LINE_LENGTH ? decodeBase64(line) : undefined;
  } catch (cause) {
    throw new TlogError('ERR_TLOG_LOG_PROOF', 'not a log proof: a line is not canonical base64', { cause });
  }
  if (hash?.length !== HASH_BYTES) throw formatError(`a line is not ${HASH_BYTES} bytes of base64`);
  return hash;
}

function formatError(what: string): TlogError {
  return new TlogError('ERR_TLOG_LOG_PROOF', `not a log proof: ${what}`);
}
