// SPDX-License-Identifier: Apache-2.0
export { deriveLabelSerial, deviceSubject, HARDWARE_ID_SCHEMES, parseLabelSerial, toDeviceId } from './device-id.ts';
export { formatDocument, parseDocument } from './documents/document.ts';
export { effectivityRule, effectivitySchema, formatEffectivity, parseEffectivity } from './documents/effectivity.ts';
export {
  formatReleaseManifest,
  parseReleaseManifest,
  RECIPE_STEPS,
  releaseManifestSchema,
  toComponentReferences,
  toRecipeReference,
} from './documents/release-manifest.ts';
export {
  CUSTODY_KINDS,
  formatTrustedRoot,
  isValidAt,
  KEY_ROLES,
  parseTrustedRoot,
  toTrustedKeys,
  toTrustedNoteKeys,
  trustedRootSchema,
} from './documents/trusted-root.ts';
export { AttestationError } from './error.ts';
export { GRADES, identifier, instantText, sha256Text, uuid } from './fields.ts';
export { operatorSession } from './predicates/operator-session.ts';
export { permit, permitRequest } from './predicates/permit.ts';
export { isGoodUnit, MEASUREMENT_RESULTS, OUTCOMES, provisioningEvent } from './predicates/provisioning-event.ts';
export { provisioningIntent } from './predicates/provisioning-intent.ts';
export { disposition, DISPOSITION_ACTIONS, refusal, REFUSAL_KINDS } from './predicates/refusal.ts';
export { releaseApproval, releaseCandidate, releaseWithdrawal } from './predicates/release.ts';
export { CLOCK_VERDICTS, IDENTITY_MATCHES } from './predicates/shared.ts';
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
export type { ComponentReference, RecipeReference, ReleaseManifest } from './documents/release-manifest.ts';
export type { KeyRole, TrustedKey, TrustedNoteKey, TrustedRoot, TrustedRootKey } from './documents/trusted-root.ts';
export type { AttestationErrorCode } from './error.ts';
export type { Grade } from './fields.ts';
export type { OperatorSession } from './predicates/operator-session.ts';
export type { Permit, PermitRequest } from './predicates/permit.ts';
export type { Outcome, ProvisioningEvent } from './predicates/provisioning-event.ts';
export type { ProvisioningIntent } from './predicates/provisioning-intent.ts';
export type { Disposition, Refusal } from './predicates/refusal.ts';
export type { ReleaseApproval, ReleaseCandidate, ReleaseWithdrawal } from './predicates/release.ts';
export type { ChainedEvent, ClockEvidence, Environment, Identity, ReleaseReference } from './predicates/shared.ts';
export type { PredicateDefinition, PredicateType, Statement, StatementHeader, Subject } from './statement.ts';
