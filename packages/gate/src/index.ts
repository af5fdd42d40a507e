// SPDX-License-Identifier: Apache-2.0
export { CounterExceptions } from './counter-exceptions.ts';
export { GateError } from './error.ts';
export { Gate } from './gate.ts';
export { approvalIndicators, HABIT_LIMITS } from './indicators.ts';
export { GATE_LIMITS } from './limits.ts';
export { OfficeLog } from './office-log.ts';
export { makeEnrolment, vetKeyEnrolment } from './trust-change/enrolment.ts';
export { TrustChanges } from './trust-change/trust-changes.ts';

export type { Change, ComponentChange, NamedChange, PromotionReview } from './changes.ts';
export type { ExceptionRequest, ExceptionSignature, ExceptionStatus } from './counter-exceptions.ts';
export type { GateErrorCode } from './error.ts';
export type { ApprovalRequest, DenialRequest } from './gate.ts';
export type { GateOptions } from './gate-context.ts';
export type { ApprovalIndicators, ApproverIndicators, HabitLimits } from './indicators.ts';
export type { KeyDemands } from './key-demands.ts';
export type { OfficeLogOptions } from './office-log.ts';
export type { ProposalRequest } from './proposal.ts';
export type { SealingOptions } from './sealing.ts';
export type { DecisionSummary, EligiblePerson, PromotionState, PromotionStatus, ProposalSummary } from './status.ts';
export type { EnrolmentClaims, EnrolmentContext, VettedEnrolment } from './trust-change/enrolment.ts';
export type { TrustDifference } from './trust-change/inspection.ts';
export type { HolderSummary, KeySummary, TrustOverview } from './trust-change/overview.ts';
export type { TrustChangeRequest } from './trust-change/preparation.ts';
export type { TrustSignature } from './trust-change/signing.ts';
export type { ChangeDecisionSummary, TrustChangeState, TrustChangeStatus } from './trust-change/status.ts';
export type {
  IncomingSigners,
  TrustChangeReview,
  TrustChangesOptions,
  TrustDenial,
} from './trust-change/trust-changes.ts';
export type { Withdrawal, WithdrawalRequest } from './withdrawal.ts';
export type { Site } from './workspace.ts';
