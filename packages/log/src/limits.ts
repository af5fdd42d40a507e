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
   * A transaction costs as much as a hundred entries do. After a group of so many entries there is a pause, in which the
   * next one becomes larger; after a smaller group the next one begins at once.
   */
  busyGroupEntries: 4,
  busyPauseMs: 0.5,
  /** In a flood of entries; it ends when there are twice as many. */
  largeGroupEntries: 256,
  largePauseMs: 4,
  /** Entries that may wait for a commit; more are answered with ERR_LOG_OVERLOADED. */
  maxQueuedEntries: 16_384,
  maxQueuedBytes: 64 * MIB,
  /** How long entries may be durable in the journal before tiles and checkpoint are published. */
  publishIntervalMs: 1_000,
  /** Publishing begins early when so much waits for it: appends wait less for a few files than for many at once. */
  publishEarlyBytes: 2 * MIB,
  /** When so much waits, the next group waits for publishing; when that is refused, so is the group. */
  maxUnpublishedBytes: 256 * MIB,
  /** The wall clock may step back this far: the record repeats its last time. More is refused. */
  maxClockStepBackMs: 1_000,
};

export type LogLimits = typeof LOG_LIMITS;
