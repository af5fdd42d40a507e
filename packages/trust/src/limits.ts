// SPDX-License-Identifier: Apache-2.0
import type { JsonLimits } from '@witnessmark/core';

/** How much is read before anything is believed, and the floors no root may go below. */
export const TRUST_LIMITS = {
  /** Largest file of each metadata type; those of tuf-js, which asks for no more. */
  maxMetadataBytes: { root: 512_000, timestamp: 16_384, snapshot: 2_000_000, targets: 5_000_000 },
  /** Root rotations one update follows. */
  maxRootRotations: 256,
  /** Largest target: the largest image a release manifest may name. */
  maxTargetBytes: 256 * 1024 * 1024,
  maxTargetPathLength: 256,
  /** What a client remembers is a few hundred bytes. */
  maxMemoryBytes: 16_384,
  /** Root and targets metadata count for nothing below this many different keys. */
  thresholdFloor: 2,
  /** Time for one metadata file, and for one target, over HTTP. */
  metadataTimeoutMs: 30_000,
  targetTimeoutMs: 600_000,
} as const;

/** Metadata is shallow; a targets file of 5 MB holds some 30,000 targets of six values. */
export const METADATA_JSON_LIMITS: JsonLimits = {
  maxBytes: TRUST_LIMITS.maxMetadataBytes.targets,
  maxDepth: 12,
  maxValues: 250_000,
};
