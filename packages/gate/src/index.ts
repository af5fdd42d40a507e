// SPDX-License-Identifier: Apache-2.0
export { GateError } from './error.ts';
export { Gate } from './gate.ts';
export { GATE_LIMITS } from './limits.ts';
export { OfficeLog } from './office-log.ts';

export type { Change, ComponentChange, PromotionReview } from './changes.ts';
export type { GateErrorCode } from './error.ts';
export type { ApprovalRequest, DenialRequest, GateOptions } from './gate.ts';
export type { OfficeLogOptions } from './office-log.ts';
export type { ProposalRequest } from './proposal.ts';
export type { DecisionSummary, PromotionState, PromotionStatus, ProposalSummary } from './status.ts';
export type { Withdrawal, WithdrawalRequest } from './withdrawal.ts';
export type { Site } from './workspace.ts';
