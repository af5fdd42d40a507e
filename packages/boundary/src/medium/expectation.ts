// SPDX-License-Identifier: Apache-2.0
/** What a medium has to carry, and nothing else: the default is that nothing is allowed. */
import type { MediaTransfer } from '@witnessmark/attestation';
import { decodeUtf8, type Bytes } from '@witnessmark/core';
import { BoundaryError } from '../error.ts';
import { toTree, type Tree, type TreeFile } from './tree-digest.ts';

const LINE = /^([0-9a-f]{64}) (0|[1-9]\d{0,14}) ([^\n\0]{1,240})$/;
const FIRST_LINE = 'witnessmark-tree-v1';
const MAX_LIST_BYTES = 4 * 1024 * 1024;

export interface Expectation {
  readonly kind: NonNullable<MediaTransfer['expected']>['kind'];
  /** Whether it has to read a file of the medium to know what belongs on it. */
  needs(path: string): boolean;
  /**
   * The files that must be there. `read` gives the needed ones, null when they are missing. Throws a `RefusedError` when what
   * it read does not verify.
   */
  resolve(read: (path: string) => Bytes | null): Promise<readonly TreeFile[]>;
}

/** The files of a list that came by another way than the medium. */
export function expectTree(tree: Tree): Expectation {
  return { kind: 'list', needs: () => false, resolve: () => Promise.resolve(tree.files) };
}

/** Everything that any of these expects; a file that two of them name must be the same for both. */
export function expectAll(parts: readonly Expectation[]): Expectation {
  return {
    kind: parts.some(({ kind }) => kind === 'trustRepository') ? 'trustRepository' : 'list',
    needs: (path) => parts.some((part) => part.needs(path)),
    resolve: async (read) => {
      const files = new Map<string, TreeFile>();
      for (const part of parts) for (const file of await part.resolve(read)) files.set(file.path, file);
      return [...files.values()];
    },
  };
}

/** Reads the text of a tree (spec/tree-digest.md); throws `ERR_BOUNDARY_LIST`. */
export function parseTree(bytes: Bytes): Tree {
  if (bytes.length > MAX_LIST_BYTES) throw listError(`it has more than ${MAX_LIST_BYTES} bytes`);
  const lines = decodeUtf8(bytes).split('\n');
  if (lines[0] !== FIRST_LINE || lines.at(-1) !== '')
    throw listError(`it does not begin with ${FIRST_LINE} or is cut off`);
  const files = lines.slice(1, -1).map((line, index): TreeFile => {
    const [, sha256, size, path] = LINE.exec(line) ?? [];
    if (sha256 === undefined || path === undefined) throw listError(`line ${index + 2} is malformed`);
    return { sha256, bytes: Number(size), path };
  });
  const tree = toTreeOrThrow(files);
  if (tree.files.some((file, index) => file !== files[index])) throw listError('it is not sorted');
  return tree;
}

function toTreeOrThrow(files: readonly TreeFile[]): Tree {
  try {
    return toTree(files);
  } catch (cause) {
    throw listError('it lists a file twice', cause);
  }
}

function listError(what: string, cause?: unknown): BoundaryError {
  return new BoundaryError('ERR_BOUNDARY_LIST', `not a list of files: ${what}`, { cause });
}
