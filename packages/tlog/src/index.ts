// SPDX-License-Identifier: Apache-2.0
export { formatCheckpoint, openCheckpoint, parseCheckpoint } from './checkpoint.ts';
export { verifyConsistency } from './consistency.ts';
export { cosignedMessage, findCosignatures, formatCosignature } from './cosignature.ts';
export { formatEntryBundle, MAX_ENTRY_BYTES, parseEntryBundle } from './entry-bundle.ts';
export { TlogError } from './error.ts';
export { Frontier } from './frontier.ts';
export { EMPTY_ROOT, HASH_BYTES, hashChildren, hashLeaf } from './hashing.ts';
export { verifyInclusion } from './inclusion.ts';
export { formatLogProof, parseLogProof, verifyLogProof } from './log-proof.ts';
export { consistencyProof, inclusionProof, Prover } from './prover.ts';
export {
  entryBundlePath,
  hashSubtree,
  parseTile,
  parseTilePath,
  TILE_HEIGHT,
  TILE_WIDTH,
  TileHashReader,
  tilePath,
  tilesBetween,
  tileWidth,
} from './tile.ts';

export type { Checkpoint } from './checkpoint.ts';
export type { ConsistencyClaim } from './consistency.ts';
export type { Cosignature } from './cosignature.ts';
export type { TlogErrorCode } from './error.ts';
export type { SubtreeSink } from './frontier.ts';
export type { InclusionClaim, ProvenPath } from './inclusion.ts';
export type { LogProof } from './log-proof.ts';
export type { HashReader } from './prover.ts';
export type { Tile, TileHashReaderOptions, TilePath } from './tile.ts';
