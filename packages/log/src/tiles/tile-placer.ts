// SPDX-License-Identifier: Apache-2.0
/** Putting the public log's files in their places, here or in a thread. */
import type { Bytes } from '@witnessmark/core';

export interface TileFile {
  /** Relative to the log's directory. */
  readonly path: string;
  readonly parts: readonly Bytes[];
}

/** Puts files in their places. They are durable once `syncNames` has resolved, not before. */
export interface TilePlacer {
  /** Writes, syncs and names files; after an error any of them may be there or not. */
  place(files: readonly TileFile[]): Promise<void>;
  /** Makes the names of all files placed so far durable. */
  syncNames(): Promise<void>;
}
