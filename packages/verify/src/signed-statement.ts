// SPDX-License-Identifier: Apache-2.0
/** Statements as the checks see them: signed by keys of the trusted root, or not to be believed. */
import type { Instant, ReasonCode } from '@witnessmark/core';
import type {
  BreakGlassClosing,
  BreakGlassOpening,
  BreakGlassReview,
  Disposition,
  LabelEvent,
  OfflineAllowance,
  OfflineDelivery,
  OperatorSession,
  ProvisioningEvent,
  ProvisioningIntent,
  Refusal,
  ReleaseApproval,
  ReleaseCandidate,
  Subject,
  TrustedKey,
  UnitCheck,
} from '@witnessmark/attestation';

/** A statement that at least one trusted key signed. */
export interface Signed<Kind extends string, Predicate> {
  readonly kind: Kind;
  readonly payloadDigest: string;
  readonly subject: Subject;
  readonly predicate: Predicate;
  /** The trusted keys that signed, each once. */
  readonly signers: readonly TrustedKey[];
  /** Signatures in the envelope, whoever made them. */
  readonly signatureCount: number;
  /** When the maker says it was made: the time at which keys had to be valid. */
  readonly at: Instant;
}

export interface SignedCandidate extends Signed<'candidate', ReleaseCandidate> {
  /** Of the manifest in the candidate, as the trust repository holds it. */
  readonly manifestDigest: string;
}

export type SignedStatement =
  | Signed<'session', OperatorSession>
  | Signed<'intent', ProvisioningIntent>
  | Signed<'event', ProvisioningEvent>
  | Signed<'refusal', Refusal>
  | Signed<'disposition', Disposition>
  | Signed<'labelEvent', LabelEvent>
  | Signed<'unitCheck', UnitCheck>
  | Signed<'breakGlassOpening', BreakGlassOpening>
  | Signed<'breakGlassClosing', BreakGlassClosing>
  | Signed<'breakGlassReview', BreakGlassReview>
  | Signed<'offlineAllowance', OfflineAllowance>
  | Signed<'offlineDelivery', OfflineDelivery>
  | SignedCandidate
  | Signed<'approval', ReleaseApproval>;

/** A statement that may not be believed, and why. */
export interface UnreadStatement {
  readonly kind: 'unread';
  readonly code: ReasonCode;
  readonly detail: string;
}
