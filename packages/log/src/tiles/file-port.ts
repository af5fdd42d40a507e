// SPDX-License-Identifier: Apache-2.0
/**
 * What tile storage needs of a file system. Each method is a step that may fail, or be the last one before the power is
 * cut; tests replace the port with one that does both. Paths are absolute.
 */
import type { Bytes } from '@witnessmark/core';

export interface FilePort {
  /** The whole file, or undefined when there is none. */
  read(path: string): Promise<Bytes | undefined>;
  /** Names in a directory; none when it does not exist. */
  list(directory: string): Promise<readonly string[]>;
  /** Creates one directory; it may exist. */
  makeDirectory(path: string): Promise<void>;
  /** Writes a file, new or over an old one, and syncs its content to stable storage; its name is not yet durable. */
  writeSynced(path: string, parts: readonly Bytes[]): Promise<void>;
  /** Atomically replaces what `to` names. */
  rename(from: string, to: string): Promise<void>;
  /** Makes the names in a directory durable. */
  syncDirectory(path: string): Promise<void>;
  /** Removes a file or a directory with all it holds; it may be gone. */
  remove(path: string): Promise<void>;
}
