// SPDX-License-Identifier: Apache-2.0
/**
 * Names of files that strangers chose (A38). A name is accepted only if every file system reads it the same way and it
 * stays below the directory it is written to; nothing is repaired.
 */
import { decodeUtf8, encodeUtf8, type Bytes } from '@witnessmark/core';
import type { BoundaryLimits } from '../limits.ts';
import { RefusedFile, showPathBytes } from '../refused-file.ts';

/** Control, format, private and unassigned characters, and line separators: some change how a name is displayed. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/u;
/** Backslash and colon separate on some systems; the others cannot be written there. */
const NOT_PORTABLE = /[\\:*?"<>|]/;
/** Names of devices on Windows, with or without an extension. */
const DEVICE_NAME = /^(con|prn|aux|nul|com\d|lpt\d)(\..*)?$/i;

/**
 * Reads a relative path of plain names; a slash at the end, which marks a directory, is not part of it. Throws BX-101.
 */
export function parseMemberPath(bytes: Bytes, limits: BoundaryLimits): string {
  const path = decodeName(bytes).replace(/\/$/, '');
  const problem = findProblem(path, limits);
  if (problem !== null) throw new RefusedFile('BX-101', showPathBytes(bytes), problem);
  return path;
}

function decodeName(bytes: Bytes): string {
  try {
    return decodeUtf8(bytes);
  } catch (cause) {
    throw new RefusedFile('BX-101', showPathBytes(bytes), 'the name is not UTF-8', cause);
  }
}

function findProblem(path: string, limits: BoundaryLimits): string | null {
  if (encodeUtf8(path).length > limits.maxPathBytes) return `the path has more than ${limits.maxPathBytes} bytes`;
  if (path.startsWith('/')) return 'the path is absolute';
  if (UNPRINTABLE.test(path)) return 'the name holds control or invisible characters';
  if (NOT_PORTABLE.test(path)) return 'the name holds one of \\ : * ? " < > |';
  const names = path.split('/');
  if (names.length > limits.maxDepth) return `the path is deeper than ${limits.maxDepth}`;
  for (const name of names) {
    if (name === '' || name === '.') return 'the path has an empty step';
    if (name === '..') return 'the path climbs out of its directory';
    if (encodeUtf8(name).length > limits.maxNameBytes) return `a name has more than ${limits.maxNameBytes} bytes`;
    if (/[. ]$|^ /.test(name)) return 'a name begins with a space, or ends in a dot or space';
    if (DEVICE_NAME.test(name)) return 'the name is a device on some systems';
  }
  return null;
}
