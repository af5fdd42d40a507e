// SPDX-License-Identifier: Apache-2.0

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** How much is read, and how long people have. */
export const GATE_LIMITS = {
  /** The largest image a release manifest may name. */
  maxImageBytes: 256 * 1024 * 1024,
  maxManifestBytes: 64 * 1024,
  /** Staged targets metadata; as much as TUF clients read. */
  maxStagedBytes: 5_000_000,
  /** An envelope and a signature in a small object. */
  maxDecisionBytes: 128 * 1024,
  /** Decisions read of one promotion. */
  maxDecisions: 64,
  /** Characters of the candidate's digest an approver types, at least. */
  minDigestPrefix: 4,
  /** A proposal nobody finished is void after this; so is an approval that was not used. */
  proposalLifetimeMs: 72 * HOUR_MS,
  approvalLifetimeMs: 72 * HOUR_MS,
  /** Expiry of the targets metadata that promotion publishes. */
  targetsLifetimeMs: 365 * DAY_MS,
} as const;
