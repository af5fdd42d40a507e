// SPDX-License-Identifier: Apache-2.0
/** What a time service says about this machine's clock (spec/clock-evidence.md), and the port it is asked through. */

/** How a source proves that it is the one it is taken for; null when the service does not tell us. */
export type SourceAuthentication = 'nts' | 'symmetric key' | 'none' | null;

/** The service's own view of a source, worst last. */
export type SourceState = 'selected' | 'combined' | 'spare' | 'unusable' | 'too variable' | 'falseticker';

export interface SourceReading {
  readonly name: string;
  readonly state: SourceState;
  readonly stratum: number;
  /** The last eight polls, one bit each, the newest lowest; 0 when none was answered. */
  readonly reach: number;
  /** Since the last good measurement, in milliseconds; null when there was none. */
  readonly lastSampleAgeMs: number | null;
  /** Own time less the source's at that measurement, in milliseconds. */
  readonly offsetMs: number;
  /** Measurements the service holds of this source. */
  readonly samples: number;
  readonly authentication: SourceAuthentication;
}

export interface TimeReading {
  /** Whether the service says that it is synchronised. Stays true long after every source is gone. */
  readonly claimsSynchronised: boolean;
  /** Null while it is not synchronised. */
  readonly stratum: number | null;
  /** Own time less the time the service believes in, in milliseconds. */
  readonly offsetMs: number;
  readonly rootDelayMs: number;
  readonly rootDispersionMs: number;
  readonly sources: readonly SourceReading[];
}

export type TimeSourceAnswer =
  | { readonly state: 'answered'; readonly reading: TimeReading }
  /** Nothing, or nothing that can be understood, came back in time. */
  | { readonly state: 'silent'; readonly detail: string };

export interface TimeSource {
  /** Names the service in clock evidence. */
  readonly name: string;
  /** Ends within a bound of its own, and never rejects for what the service does. */
  read(): Promise<TimeSourceAnswer>;
}
