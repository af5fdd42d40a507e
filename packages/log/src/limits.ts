// SPDX-License-Identifier: Apache-2.0

const MIB = 1024 * 1024;

/** Bounds of one log. */
export const LOG_LIMITS = {
  /** An entry's length is a uint16 in an entry bundle (https://c2sp.org/tlog-tiles). */
  maxEntryBytes: 65_535,
  /** Entries of one group commit. */
  maxGroupEntries: 1_024,
  maxGroupBytes: 4 * MIB,
  /**
   * After a group this large, in a flood of entries, the next one waits until it is twice as large: a transaction costs as
   * much as a hundred entries do.
   */
  largeGroupEntries: 256,
  /** It waits no longer than this, which is less than such a queue takes anyway. */
  maxGroupWaitMs: 4,
  /** Entries that may wait for a commit; more are answered with ERR_LOG_OVERLOADED. */
  maxQueuedEntries: 16_384,
  maxQueuedBytes: 64 * MIB,
  /** How long entries may be durable in the journal before tiles and checkpoint are published. */
  publishIntervalMs: 1_000,
  /** Publishing begins early when so much waits for it. */
  publishEarlyBytes: 16 * MIB,
  /** When so much waits, the next group waits for publishing; when that is refused, so is the group. */
  maxUnpublishedBytes: 256 * MIB,
  /** The wall clock may step back this far: the record repeats its last time. More is refused. */
  maxClockStepBackMs: 1_000,
};

export type LogLimits = typeof LOG_LIMITS;
