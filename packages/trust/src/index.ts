// SPDX-License-Identifier: Apache-2.0
export { TrustAuthor } from './author.ts';
export { TrustClient } from './client.ts';
export { createRepository } from './create-repository.ts';
export { releaseInEffect, supersede, withdrawRelease } from './effectivity.ts';
export { TrustError } from './error.ts';
export { readFile, replaceFile } from './files.ts';
export { collectedSigner, isStagedSignature, stageFirstRoot } from './first-root.ts';
export { DEFAULT_LIFETIMES } from './lifetimes.ts';
export { TRUST_LIMITS } from './limits.ts';
export { mirror } from './mirror.ts';
export { nodeFiles } from './node-files.ts';
export {
  approvalsCountFrom,
  checkReleaseClass,
  missingApprovals,
  partakersOf,
  readApproval,
  readCandidate,
  readRelease,
  verifyRelease,
} from './released.ts';
export { readStagedTargets, stagedEffectivityKey } from './listed-targets.ts';
export { compareRoots, missingHolders, rootKeysOf, rootThresholds } from './root-change.ts';
export { listTargets, loadRepository } from './repository.ts';
export { DirectorySource } from './source.ts';
export { parseStagedMetadata, signStagedMetadata } from './staged-metadata.ts';
export { toTargetContent, verifyContent } from './target-content.ts';
export {
  approvalPath,
  candidatePath,
  counterExceptionPath,
  effectivityPath,
  isTargetName,
  releaseManifestPath,
  targetFileName,
  trustApprovalPath,
  trustChangePath,
  TRUSTED_ROOT_PATH,
  withdrawalPath,
} from './target-path.ts';
export { checkFresh } from './trust-state.ts';
export { toTufKey } from './tuf-key.ts';

export type { Publication, RootChange, TargetsChange, TrustAuthorOptions } from './author.ts';
export type { TrustClientOptions } from './client.ts';
export type { CreateRepositoryOptions } from './create-repository.ts';
export type { EffectivityQuery } from './effectivity.ts';
export type { TrustErrorCode } from './error.ts';
export type { Chunks, DirectoryEntry, Files, OpenFile } from './files.ts';
export type { FirstRootOptions } from './first-root.ts';
export type { Lifetimes } from './lifetimes.ts';
export type { KeyHolder, RootKeys, ThresholdKeys } from './metadata-builder.ts';
export type { MirrorOptions, MirrorResult } from './mirror.ts';
export type { ApprovalRule, MissingApprovals, PublishedRelease, Requesters, SignedBy } from './released.ts';
export type { MissingHolders, RoleChange, RootDifference, RootThresholds } from './root-change.ts';
export type { Repository } from './repository.ts';
export type { RepositorySource } from './source.ts';
export type {
  MetadataSignature,
  MetadataSigner,
  RepositorySigners,
  SignedMetadata,
  StagedMetadata,
} from './staged-metadata.ts';
export type { TargetCache, TargetContent, TargetInfo, TargetReader } from './target-content.ts';
export type { TrustState, UpdatedTargets } from './trust-state.ts';
