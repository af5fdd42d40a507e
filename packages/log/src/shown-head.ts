// SPDX-License-Identifier: Apache-2.0
/**
 * Comparing the log with a head somebody else was shown: a station's receipt, a witness, an export, the log's own public
 * checkpoint. A database that lost its newest transactions opens without complaint, so this is how the loss is seen.
 */
import { encodeHex, equalBytes, RefusedError, type Bytes, type NoteVerifierKey } from '@witnessmark/core';
import type { StoredHead } from '@witnessmark/store';
import { openCheckpoint, type Checkpoint } from '@witnessmark/tlog';
import type { TreeHead } from './tree/tree-reader.ts';

/** Verifies a checkpoint note with the log's key; throws `LG-105`. */
export function openHead(note: Bytes, logKey: NoteVerifierKey, what: string): Checkpoint {
  try {
    return openCheckpoint(note, logKey);
  } catch (cause) {
    throw new RefusedError('LG-105', `${what} is not a checkpoint signed by ${logKey.name}`, { cause });
  }
}

/** The stored head must be the one that its own checkpoint signs; throws `LG-105` or `LG-104`. */
export function checkStoredHead(head: StoredHead, logKey: NoteVerifierKey): void {
  const signed = openHead(head.checkpoint, logKey, 'the stored head');
  if (signed.treeSize !== head.treeSize || !equalBytes(signed.rootHash, head.rootHash)) {
    throw new RefusedError('LG-104', `the stored head of size ${head.treeSize} is not the one its checkpoint signs`);
  }
}

/**
 * Throws `LG-107` when the log is behind the shown head, `LG-108` when both have one size and two root hashes, or when
 * `rootOf` says that the log had another root hash at the shown size.
 */
export async function compareHeads(
  own: TreeHead,
  shown: TreeHead,
  rootOf: (treeSize: number) => Promise<Bytes>,
): Promise<void> {
  if (shown.treeSize > own.treeSize) {
    throw new RefusedError(
      'LG-107',
      `a head of size ${shown.treeSize} (${shortHash(shown.rootHash)}) was shown, this log has ${own.treeSize} ` +
        `entries (${shortHash(own.rootHash)})`,
    );
  }
  const root = shown.treeSize === own.treeSize ? own.rootHash : await rootOf(shown.treeSize);
  if (!equalBytes(root, shown.rootHash)) {
    throw new RefusedError(
      'LG-108',
      `at size ${shown.treeSize} the root hash is ${shortHash(root)}, but ${shortHash(shown.rootHash)} was shown`,
    );
  }
}

function shortHash(hash: Bytes): string {
  return `${encodeHex(hash.subarray(0, 8))}…`;
}
