// SPDX-License-Identifier: Apache-2.0
/**
 * What the station needs from a disk, at the level of the calls that make bytes durable, so that a simulated disk can
 * lose, keep or tear whatever was not synced.
 */
import type { Bytes } from '@witnessmark/core';

export interface OpenFile {
  /** Appends; not durable before {@link sync}. */
  write(bytes: Bytes): Promise<void>;
  /** Makes everything written so far durable; rejects when any of it may be lost. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** Paths are relative to the directory this was made for. */
export interface FileSystem {
  /** Creates the directory and its parents; not an error when it exists. */
  makeDirectory(path: string): Promise<void>;
  list(path: string): Promise<readonly string[]>;
  /** The whole file, or null when there is none. */
  read(path: string): Promise<Bytes | null>;
  /** `create` starts an empty file, `append` goes on at the end of an existing one. */
  open(path: string, mode: 'create' | 'append'): Promise<OpenFile>;
  /** Replaces `to`; the new name is durable after {@link syncDirectory}. */
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  syncDirectory(path: string): Promise<void>;
}
