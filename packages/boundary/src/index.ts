// SPDX-License-Identifier: Apache-2.0
export { detectArchive, readArchive } from './archive/archive.ts';
export { BytesSource } from './archive/byte-source.ts';
export { parseIdentityFile } from './debug-bundle/age.ts';
export { ContentsRefused } from './debug-bundle/contents.ts';
export { ContentsList, formatContentsList } from './debug-bundle/contents-list.ts';
export { DEFAULT_DEBUG_CONTENTS } from './debug-bundle/default-contents.ts';
export { DebugBundleDesk, MAX_BUNDLE_LIFETIME_MS } from './debug-bundle/desk.ts';
export { openDebugBundle } from './debug-bundle/open.ts';
export { REQUIRED_APPROVALS } from './debug-bundle/statements.ts';
export { traceWatermark, WATERMARK_BYTES } from './debug-bundle/watermark.ts';
export { BoundaryError } from './error.ts';
export { BOUNDARY_LIMITS } from './limits.ts';
export { BATCH_FILE } from './medium/batch.ts';
export { checkMedium } from './medium/check.ts';
export { expectAll, expectTree, parseTree } from './medium/expectation.ts';
export { openMedium } from './medium/medium.ts';
export { MEDIUM_ID_FILE, parseMediumId } from './medium/medium-id.ts';
export { exportMedium, ingestMedium } from './medium/transfer.ts';
export { formatTree, toTree } from './medium/tree-digest.ts';
export { DEFAULT_SECRET_CLASSES } from './secrets/default-classes.ts';
export { Examiner } from './secrets/examine.ts';
export { markersOfImage, parseMarkers } from './secrets/markers.ts';
export { formatSecretClasses, SECRET_CLASSES, SECRET_PLACES, SecretClasses } from './secrets/secret-classes.ts';
export { ImageUnsealer } from './sealing/image-unsealer.ts';
export { findRecipient, openSealedImage, rewrapContentKey } from './sealing/open.ts';
export { sealImage, SEED_BYTES } from './sealing/seal.ts';
export {
  formatRecipient,
  parseRecipient,
  parseSealedImage,
  SEALED_IMAGE_MEDIA_TYPE,
  SEALING_LIMITS,
} from './sealing/sealed-image.ts';
export { newTransportKey } from './sealing/transport-key.ts';
export { UnsealingAccount } from './sealing/unsealing-account.ts';

export type { ArchiveForm, Member } from './archive/archive.ts';
export type { ByteSource } from './archive/byte-source.ts';
export type { ContentPolicies } from './debug-bundle/contents.ts';
export type { ContentsListDocument, ContentsRule } from './debug-bundle/contents-list.ts';
export type {
  BundleDecision,
  BundleRequest,
  BundleState,
  BundleStatus,
  DebugBundleDeskOptions,
  SealedBundle,
  SealRequest,
} from './debug-bundle/desk.ts';
export type { OpenBundleRequest, OpenedBundle } from './debug-bundle/open.ts';
export type { BoundaryErrorCode } from './error.ts';
export type { BoundaryFiles, FoundEntry, OpenedFile } from './files.ts';
export type { BoundaryLimits } from './limits.ts';
export type { Expectation } from './medium/expectation.ts';
export type { Medium, OpenMediumOptions } from './medium/medium.ts';
export type { MediumIdentity } from './medium/medium-id.ts';
export type { ExportRequest, IngestRequest, Transfer, TransferRequest } from './medium/transfer.ts';
export type { Tree, TreeFile } from './medium/tree-digest.ts';
export type { Finding } from './refused-file.ts';
export type { Examination, ExamineOptions } from './secrets/examine.ts';
export type { Marker } from './secrets/markers.ts';
export type { SecretClass, SecretClassesDocument, SecretForm, SecretPlace } from './secrets/secret-classes.ts';
export type { ImageToSeal, SealedContent } from './sealing/seal.ts';
export type { ContentKeyRecipient, SealedImageEnvelope } from './sealing/sealed-image.ts';
export type { ImageUnsealerOptions } from './sealing/image-unsealer.ts';
export type { TransportKey } from './sealing/transport-key.ts';
export type { UnitPass, UnsealingFinding, UnsealingReconciliation } from './sealing/unsealing-account.ts';
