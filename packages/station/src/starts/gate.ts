// SPDX-License-Identifier: Apache-2.0
/** What stands before a unit: the station as it was approved, measured, and known to be the one station of its key. */
import type { Bytes, Instant, PublicKey } from '@witnessmark/core';
import type { StationStart } from '@witnessmark/attestation';
import type { ClockAssessment } from '../clock-check.ts';

/** A logged start: which instance of the station works. */
export interface StartReference {
  /** SHA-256 of the statement's payload, lower-case hexadecimal. */
  readonly digest: string;
  readonly index: number;
}

export interface StationGate {
  /**
   * The start that units are made under now; measures first when that is due. Throws a `RefusedError` with LS-401, LS-402
   * or LS-404 to LS-407 while the station may not begin a unit, and an `ApiError` when the line is away and was not asked.
   */
  requireFit(clock: ClockAssessment): Promise<StartReference>;
  /** Somebody signed in; after a long pause the next unit is made after a new measurement. */
  beginShift(now: Instant): void;
}

/** What a station is made of now. */
export interface StationMeasurement {
  /** Without the lines that come and go. */
  readonly manifest: { readonly digest: string; readonly lines: number };
  /** Against the approved build; empty without one. */
  readonly drift: StationStart['drift'];
  /** The approved record it was compared with. */
  readonly build: { readonly digest: string; readonly version: number } | null;
  /** Of the hardware, lower-case hexadecimal. */
  readonly fingerprint: string;
}

export interface StationMeasurer {
  /** Rejects when part of the machine cannot be read. */
  measure(): Promise<StationMeasurement>;
}

/** A TPM that signs 32 bytes of ours together with its registers. */
export interface StartQuoter {
  readonly attestationKey: PublicKey;
  quote(extraData: Bytes): Promise<
    Omit<NonNullable<StationStart['quote']>, 'attestationKey' | 'registers'> & {
      readonly registers: readonly { readonly index: number; readonly value: string }[];
    }
  >;
}
