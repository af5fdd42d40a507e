// SPDX-License-Identifier: Apache-2.0
/** Bounds of everything that is read at the boundary, in one place. Above a bound is refused, never cut off. */

const MIB = 1024 * 1024;

export interface BoundaryLimits {
  /** Files and directories of one medium or archive. */
  readonly maxEntries: number;
  /** One file, as it is unpacked. It is held in memory once. */
  readonly maxFileBytes: number;
  /** All files together, as they are unpacked. */
  readonly maxTotalBytes: number;
  /** Bytes of a whole path and of one name in it, as UTF-8. */
  readonly maxPathBytes: number;
  readonly maxNameBytes: number;
  readonly maxDepth: number;
  /** Archives and encodings inside each other that are still examined. */
  readonly maxNesting: number;
  /** Bytes examined for one file, with everything unpacked and decoded from it. */
  readonly maxExaminedBytes: number;
}

/** Firmware is small; a medium that needs more than this is two media. */
export const BOUNDARY_LIMITS: BoundaryLimits = {
  maxEntries: 10_000,
  maxFileBytes: 256 * MIB,
  maxTotalBytes: 1024 * MIB,
  maxPathBytes: 240,
  maxNameBytes: 200,
  maxDepth: 12,
  maxNesting: 4,
  maxExaminedBytes: 1024 * MIB,
};
