// SPDX-License-Identifier: Apache-2.0
export { deriveLabelSerial, deviceSubject, HARDWARE_ID_SCHEMES, parseLabelSerial, toDeviceId } from './device-id.ts';
export { formatDocument, parseDocument } from './documents/document.ts';
export { effectivityRule, effectivitySchema, formatEffectivity, parseEffectivity } from './documents/effectivity.ts';
export {
  formatReleaseManifest,
  parseReleaseManifest,
  RECIPE_STEPS,
  RELEASE_CLASSES,
  releaseClassOf,
  releaseManifestSchema,
  toComponentReferences,
  toRecipeReference,
  toSealedImageReferences,
} from './documents/release-manifest.ts';
export {
  CUSTODY_KINDS,
  formatTrustedRoot,
  HOLDER_USES,
  isValidAt,
  KEY_ROLES,
  parseTrustedRoot,
  toTrustedKeys,
  toTrustedNoteKeys,
  trustedRootSchema,
} from './documents/trusted-root.ts';
export { AttestationError } from './error.ts';
export { GRADES, identifier, instantText, sha256Text, uuid } from './fields.ts';
export { imageUnsealing } from './predicates/image-unsealing.ts';
export {
  BREAK_GLASS_SCOPES,
  BREAK_GLASS_VERDICTS,
  breakGlassClosing,
  breakGlassOpening,
  breakGlassReview,
  MAX_BREAK_GLASS_MINUTES,
} from './predicates/break-glass.ts';
export { GATE_ACTIONS, gateRefusal } from './predicates/gate-refusal.ts';
export { debugBundle, MAX_DEBUG_BUNDLE_FILES, MAX_DEBUG_BUNDLE_RECIPIENTS } from './predicates/debug-bundle.ts';
export {
  MAX_MEDIA_FINDINGS,
  MEDIA_DIRECTIONS,
  MEDIA_EXPORT_ROLES,
  MEDIA_INGEST_ROLES,
  mediaTransfer,
  MEDIUM_FORMS,
  MEDIUM_ID_SOURCES,
} from './predicates/media-transfer.ts';
export { ceremony, CEREMONY_OUTCOMES, CEREMONY_TYPES, STEP_ORIGINS } from './predicates/ceremony.ts';
export { operatorSession } from './predicates/operator-session.ts';
export { permit, permitRequest } from './predicates/permit.ts';
export { isGoodUnit, MEASUREMENT_RESULTS, OUTCOMES, provisioningEvent } from './predicates/provisioning-event.ts';
export { provisioningIntent } from './predicates/provisioning-intent.ts';
export { disposition, DISPOSITION_ACTIONS, refusal, REFUSAL_KINDS, toRefusalKind } from './predicates/refusal.ts';
export { counterException, releaseApproval, releaseCandidate, releaseWithdrawal } from './predicates/release.ts';
export { CLOCK_VERDICTS, IDENTITY_MATCHES } from './predicates/shared.ts';
export { keyEnrolment, trustApproval, trustChange } from './predicates/trust-change.ts';
export {
  buildStatement,
  describeIssues,
  parseStatement,
  parseStatementHeader,
  PREDICATE_TYPES,
  readPredicateType,
  STATEMENT_TYPE,
  toStatement,
} from './statement.ts';

export type { HardwareId, HardwareIdScheme, LabelSerial } from './device-id.ts';
export type { Effectivity, EffectivityRule } from './documents/effectivity.ts';
export type {
  ComponentReference,
  RecipeReference,
  ReleaseClass,
  ReleaseComponent,
  ReleaseManifest,
  SealedImage,
  SealedImageReference,
} from './documents/release-manifest.ts';
export type {
  HolderUse,
  KeyRole,
  TrustedKey,
  TrustedNoteKey,
  TrustedRoot,
  TrustedRootKey,
  TrustRepositoryKeys,
} from './documents/trusted-root.ts';
export type { AttestationErrorCode } from './error.ts';
export type { Grade } from './fields.ts';
export type {
  BreakGlassClosing,
  BreakGlassOpening,
  BreakGlassReview,
  BreakGlassScope,
} from './predicates/break-glass.ts';
export type { ImageUnsealing } from './predicates/image-unsealing.ts';
export type {
  DebugBundle,
  DebugBundleDecision,
  DebugBundleProposal,
  DebugBundleSeal,
} from './predicates/debug-bundle.ts';
export type { MediaTransfer } from './predicates/media-transfer.ts';
export type { GateAction, GateRefusal } from './predicates/gate-refusal.ts';
export type { Ceremony, CeremonyType } from './predicates/ceremony.ts';
export type { OperatorSession } from './predicates/operator-session.ts';
export type { Permit, PermitRequest } from './predicates/permit.ts';
export type { Outcome, ProvisioningEvent } from './predicates/provisioning-event.ts';
export type { ProvisioningIntent } from './predicates/provisioning-intent.ts';
export type { Disposition, Refusal } from './predicates/refusal.ts';
export type { CounterException, ReleaseApproval, ReleaseCandidate, ReleaseWithdrawal } from './predicates/release.ts';
export type { ChainedEvent, ClockEvidence, Environment, Identity, ReleaseReference } from './predicates/shared.ts';
export type { KeyEnrolment, TrustApproval, TrustChange } from './predicates/trust-change.ts';
export type { PredicateDefinition, PredicateType, Statement, StatementHeader, Subject, Subjects } from './statement.ts';
