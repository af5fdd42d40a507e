// SPDX-License-Identifier: Apache-2.0
export { VerifyError } from './error.ts';
export { formatPolicy, parsePolicy, policySchema } from './policy.ts';
export { inspectBundle, Verifier, verifyBundle } from './verifier.ts';

export type { TrustInput } from './examiner.ts';
export type { Policy } from './policy.ts';
export type { CheckResult, UnitSummary, VerificationReport, Verdict } from './report.ts';
export type { VerifiedUnit, VerifyInput } from './verifier.ts';
