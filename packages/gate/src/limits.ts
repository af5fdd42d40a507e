// SPDX-License-Identifier: Apache-2.0

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** How much is read, and how long people have. */
export const GATE_LIMITS = {
  /** The largest image a release manifest may name. */
  maxImageBytes: 256 * 1024 * 1024,
  maxManifestBytes: 64 * 1024,
  /** A seed has 32 bytes; more is read to tell that it has not. */
  maxSeedBytes: 64,
  /** Staged targets metadata; as much as TUF clients read. */
  maxStagedBytes: 5_000_000,
  /** An envelope and a signature in a small object. */
  maxDecisionBytes: 128 * 1024,
  /** Decisions read of one promotion. */
  maxDecisions: 64,
  /** Characters of the candidate's digest an approver types, at least. */
  minDigestPrefix: 4,
  /** Approvers behind an exception for a lower counter, and how long it may be used. */
  exceptionApprovers: 2,
  exceptionLifetimeMs: 14 * DAY_MS,
  /** Refusals logged one by one in a window; more are summed up when it is over. */
  refusalsPerWindow: 20,
  refusalWindowMs: 10 * 60_000,
  maxRefusalMemoryBytes: 64 * 1024,
  /** How long an enrolled key is good for, and a root that is made now. */
  keyLifetimeMs: 730 * DAY_MS,
  rootLifetimeMs: 730 * DAY_MS,
  maxEnrolments: 64,
  /** A trusted root, as large as one may be. */
  maxTrustedRootBytes: 4 * 1024 * 1024,
  /** A proposal nobody finished is void after this; so is an approval that was not used. */
  proposalLifetimeMs: 72 * HOUR_MS,
  approvalLifetimeMs: 72 * HOUR_MS,
  /** Expiry of the targets metadata that promotion publishes. */
  targetsLifetimeMs: 365 * DAY_MS,
} as const;
