// SPDX-License-Identifier: Apache-2.0
/** Checkpoints of a log, as defined by https://c2sp.org/tlog-checkpoint. */
import {
  decodeBase64,
  encodeBase64,
  equalBytes,
  parseNote,
  verifyNote,
  type Bytes,
  type NoteVerifierKey,
} from '@witnessmark/core';
import { TlogError } from './error.ts';
import { EMPTY_ROOT, HASH_BYTES } from './hashing.ts';
import { parseDecimal } from './tree-size.ts';

const MAX_CHECKPOINT_LENGTH = 1_024;
const ROOT_HASH = /^[A-Za-z0-9+/]{43}=$/;
const CONTROL_CHARACTER = /\p{Cc}/u;

export interface Checkpoint {
  /** Which log it is; equal to the name of the log's key. */
  readonly origin: string;
  readonly treeSize: number;
  readonly rootHash: Bytes;
}

/**
 * Reads the text of a checkpoint note. It is the sender's until a signature over these exact bytes has been verified.
 * Throws `ERR_TLOG_CHECKPOINT`, or `ERR_TLOG_CHECKPOINT_EXTENSION` for extension lines, which nobody could audit.
 */
export function parseCheckpoint(text: string): Checkpoint {
  if (text.length > MAX_CHECKPOINT_LENGTH) throw formatError(`it has more than ${MAX_CHECKPOINT_LENGTH} characters`);
  const [origin = '', size = '', root = '', ...rest] = text.split('\n');
  if (origin === '' || CONTROL_CHARACTER.test(origin) || !origin.isWellFormed()) {
    throw formatError('the origin is missing or holds a control character');
  }
  const treeSize = parseDecimal(size);
  if (treeSize === undefined) throw formatError('the tree size is not a decimal number below 2^53');
  const rootHash = decodeRootHash(root);
  if (rest.at(-1) !== '') throw formatError('the last line is not ended');
  if (rest.length > 1) throw new TlogError('ERR_TLOG_CHECKPOINT_EXTENSION', 'a checkpoint has extension lines');
  if (treeSize === 0 && !equalBytes(rootHash, EMPTY_ROOT)) throw formatError('an empty tree has another root hash');
  return { origin, treeSize, rootHash };
}

/** The text of a checkpoint note. Throws as {@link parseCheckpoint} does, so that nothing unreadable gets signed. */
export function formatCheckpoint({ origin, treeSize, rootHash }: Checkpoint): string {
  const text = `${origin}\n${treeSize}\n${encodeBase64(rootHash)}\n`;
  parseCheckpoint(text);
  return text;
}

/**
 * Verifies the log's signature, then reads the checkpoint from the same bytes. Throws a note's `ERR_NOTE_*` codes,
 * those of {@link parseCheckpoint}, and `ERR_TLOG_CHECKPOINT_ORIGIN` when the key belongs to another log.
 */
export function openCheckpoint(note: Bytes, logKey: NoteVerifierKey): Checkpoint {
  const { text } = verifyNote(parseNote(note), [logKey]);
  const checkpoint = parseCheckpoint(text);
  if (checkpoint.origin !== logKey.name) {
    throw new TlogError('ERR_TLOG_CHECKPOINT_ORIGIN', `the checkpoint is not of the log ${logKey.name}`);
  }
  return checkpoint;
}

function decodeRootHash(text: string): Bytes {
  if (!ROOT_HASH.test(text)) throw formatError(`the root hash is not ${HASH_BYTES} bytes of base64`);
  try {
    return decodeBase64(text);
  } catch (cause) {
    throw new TlogError('ERR_TLOG_CHECKPOINT', 'not a checkpoint: the root hash is not canonical base64', { cause });
  }
}

function formatError(what: string): TlogError {
  return new TlogError('ERR_TLOG_CHECKPOINT', `not a checkpoint: ${what}`);
}
