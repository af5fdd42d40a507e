// SPDX-License-Identifier: Apache-2.0
/**
 * One digest for a tree of files (spec/tree-digest.md): the SHA-256 of a text with one line for each file, which stock tools
 * can write. Directories, times and modes are not part of it.
 */
import { encodeUtf8, sha256Hex, type Bytes } from '@witnessmark/core';

const FIRST_LINE = 'witnessmark-tree-v1';

export interface TreeFile {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface Tree {
  /** Sorted by path, as UTF-8 bytes. */
  readonly files: readonly TreeFile[];
  /** Bytes of all files. */
  readonly bytes: number;
  /** SHA-256 of {@link formatTree}. */
  readonly digest: string;
}

/** The tree of files that have distinct, plain names; throws `TypeError` for others. */
export function toTree(files: Iterable<TreeFile>): Tree {
  const sorted = [...files].sort((left, right) => comparePaths(left.path, right.path));
  for (const [index, { path }] of sorted.entries()) {
    if (path === '' || /[\n\0]/.test(path)) throw new TypeError('a path of a tree has no line breaks');
    if (path === sorted[index + 1]?.path) throw new TypeError(`the tree lists ${path} twice`);
  }
  return {
    files: sorted,
    bytes: sorted.reduce((sum, file) => sum + file.bytes, 0),
    digest: sha256Hex(formatTree(sorted)),
  };
}

/** The text that is hashed: the format's name, then `SHA-256 SP bytes SP path` for each file. */
export function formatTree(files: readonly TreeFile[]): Bytes {
  const lines = files.map(({ path, bytes, sha256 }) => `${sha256} ${bytes} ${path}`);
  return encodeUtf8([FIRST_LINE, ...lines, ''].join('\n'));
}

/** Order of UTF-8 bytes, which is the order of code points and not that of JavaScript strings. */
export function comparePaths(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}
