// SPDX-License-Identifier: Apache-2.0
export { readBySchema } from './conformance.ts';
export { deriveLabelSerial, deviceSubject, HARDWARE_ID_SCHEMES, parseLabelSerial, toDeviceId } from './device-id.ts';
export { formatDocument, parseDocument } from './documents/document.ts';
export { effectivityRule, effectivitySchema, formatEffectivity, parseEffectivity } from './documents/effectivity.ts';
export {
  bootComponentOf,
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
export { CREDENTIAL_KINDS, GRADES, identifier, instantText, sha256Text, uuid } from './fields.ts';
export { CACHE_PURGE_REASONS, cachePurge, MAX_PURGED_ENTRIES } from './predicates/cache-purge.ts';
export { imageUnsealing } from './predicates/image-unsealing.ts';
export {
  MAX_OFFLINE_HOURS,
  MAX_OFFLINE_UNITS,
  offlineAllowance,
  offlineDelivery,
  offlineRequest,
} from './predicates/offline.ts';
export { spoolName } from './predicates/spool.ts';
export {
  BUILD_APPROVAL_ROLES,
  BUILD_PROPOSAL_ROLES,
  MAX_TOLERATED_PATTERNS,
  stationBuild,
} from './predicates/station-build.ts';
export { stationAdmission, stationEnrolment, stationRetirement } from './predicates/station-identity.ts';
export {
  DRIFT_CHANGES,
  MAX_DRIFT_LINES,
  MAX_PENDING_STATEMENTS,
  START_REASONS,
  stationStart,
  toQuotedData,
} from './predicates/station-start.ts';
export { LABEL_ACTIONS, labelEvent, LIVE_LABEL_STATES } from './predicates/label-event.ts';
export { SOURCE_AUTHENTICATIONS, timeHierarchy } from './predicates/time-hierarchy.ts';
export { UNIT_CHECK_RESULTS, unitCheck } from './predicates/unit-check.ts';
export {
  BREAK_GLASS_SCOPES,
  BREAK_GLASS_VERDICTS,
  breakGlassClosing,
  breakGlassOpening,
  breakGlassReview,
  MAX_BREAK_GLASS_MINUTES,
} from './predicates/break-glass.ts';
export { GOLDEN_KINDS, goldenCheck, goldenUnit } from './predicates/golden.ts';
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
export { BADGE_ACTIONS, badgeEvent } from './predicates/badge-event.ts';
export { badgeSignIn, operatorSession, SESSION_ENDINGS, sessionEnd } from './predicates/operator-session.ts';
export { permit, permitRequest } from './predicates/permit.ts';
export { isGoodUnit, MEASUREMENT_RESULTS, OUTCOMES, provisioningEvent } from './predicates/provisioning-event.ts';
export { provisioningIntent } from './predicates/provisioning-intent.ts';
export { disposition, DISPOSITION_ACTIONS, refusal, REFUSAL_KINDS, toRefusalKind } from './predicates/refusal.ts';
export { counterException, releaseApproval, releaseCandidate, releaseWithdrawal } from './predicates/release.ts';
export { CLOCK_VERDICTS, IDENTITY_MATCHES, MAX_PANEL_POSITIONS, MAX_SLOTS } from './predicates/shared.ts';
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
export type { CredentialKind, Grade } from './fields.ts';
export type {
  BreakGlassClosing,
  BreakGlassOpening,
  BreakGlassReview,
  BreakGlassScope,
} from './predicates/break-glass.ts';
export type { CachePurge } from './predicates/cache-purge.ts';
export type { ImageUnsealing } from './predicates/image-unsealing.ts';
export type { OfflineAllowance, OfflineDelivery, OfflineRequest } from './predicates/offline.ts';
export type { SpoolHead, SpoolPlace } from './predicates/spool.ts';
export type { StationBuild } from './predicates/station-build.ts';
export type { StationAdmission, StationEnrolment, StationRetirement } from './predicates/station-identity.ts';
export type { StartReason, StationStart } from './predicates/station-start.ts';
export type { LabelAction, LabelEvent, LiveLabelState } from './predicates/label-event.ts';
export type { TimeHierarchy } from './predicates/time-hierarchy.ts';
export type { UnitCheck } from './predicates/unit-check.ts';
export type {
  DebugBundle,
  DebugBundleDecision,
  DebugBundleProposal,
  DebugBundleSeal,
} from './predicates/debug-bundle.ts';
export type { MediaTransfer } from './predicates/media-transfer.ts';
export type { GoldenCheck, GoldenKind, GoldenUnit } from './predicates/golden.ts';
export type { GateAction, GateRefusal } from './predicates/gate-refusal.ts';
export type { Ceremony, CeremonyType } from './predicates/ceremony.ts';
export type { BadgeEvent } from './predicates/badge-event.ts';
export type { BadgeSignIn, OperatorSession, SessionEnd } from './predicates/operator-session.ts';
export type { Permit, PermitRequest } from './predicates/permit.ts';
export type { Outcome, ProvisioningEvent } from './predicates/provisioning-event.ts';
export type { ProvisioningIntent } from './predicates/provisioning-intent.ts';
export type { Disposition, Refusal } from './predicates/refusal.ts';
export type { CounterException, ReleaseApproval, ReleaseCandidate, ReleaseWithdrawal } from './predicates/release.ts';
export type {
  ChainedEvent,
  ClockEvidence,
  Environment,
  Identity,
  PanelPlace,
  ReleaseReference,
} from './predicates/shared.ts';
export type { KeyEnrolment, TrustApproval, TrustChange } from './predicates/trust-change.ts';
export type { PredicateDefinition, PredicateType, Statement, StatementHeader, Subject, Subjects } from './statement.ts';
