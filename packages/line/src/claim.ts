// SPDX-License-Identifier: Apache-2.0
/** What admission judges: what a station asks for, and what the line knew before any rule was applied. */
import type { Instant, RefusedError } from '@witnessmark/core';
import type { ClockEvidence, Environment, Identity, PermitRequest, TrustedKey } from '@witnessmark/attestation';
import type { OperatorSessionRow, RefusalRow, UnitRow } from '@witnessmark/store';
import type { BreakGlassInForce } from './break-glass-book.ts';
import type { DevicePast, StationConduct } from './conduct-rules.ts';
import type { ReleaseInForce } from './release-book.ts';
import type { LineRules } from './rules.ts';
import type { KnownStart } from './start-book.ts';

/** Taken from the signed statement of a station. */
export interface Claim {
  /** The device the statement is about, as its subject says. */
  readonly subject: string;
  readonly identity: Identity;
  readonly product: PermitRequest['product'];
  readonly operator: PermitRequest['operator'];
  /** Which start of the station asks, null when it says nothing about that; absent where the permit has settled it. */
  readonly startDigest?: string | null;
  /** The place at a station that has several. */
  readonly slot?: number | undefined;
  /** Why a unit that failed is tried again. */
  readonly retestReason?: string | null | undefined;
  /** Null leaves the choice to the line. */
  readonly releaseId: string | null;
  readonly at: Instant;
  readonly clock: ClockEvidence;
  readonly environment: Environment;
}

/** What the line knows about a station and its work, whatever device lies there. */
export interface StationFacts {
  readonly now: Instant;
  readonly rules: LineRules;
  /** The owner of the key that signed; never what the statement claims. */
  readonly station: string;
  readonly openStop: RefusalRow | null;
  /** The newest logged start of the station; null when it was never measured. */
  readonly start: KnownStart | null;
  /** How the station has fared lately. */
  readonly conduct: StationConduct;
  readonly session: SessionFacts;
  /** The release in force for the claimed product, or why there is none. */
  readonly release: ReleaseInForce | RefusedError;
  /** The highest release counter this line has seen for the product. */
  readonly counterFloor: number;
  /** Which rules two people have suspended here; null when all hold. */
  readonly breakGlass: BreakGlassInForce | null;
  /** Whether a break-glass is over and not reviewed yet. */
  readonly waitsForReview: boolean;
}

/** And about the device. */
export interface AdmissionFacts extends StationFacts {
  readonly unit: UnitRow | null;
  /** What is known of the device beside that. */
  readonly past: DevicePast;
  /** The unit that carries the claimed label. */
  readonly labelOwner: UnitRow | null;
  /** A supervisor's decision about this device that still holds. */
  readonly decision: 'quarantined' | 'scrapped' | null;
  /** Units begun on this line under the release in force. */
  readonly unitsBegun: number;
}

export interface SessionFacts {
  /** The logged session the statement names. */
  readonly row: OperatorSessionRow | null;
  /** The key that signed it, as enrolled now: the operator's, or the line's for a badge. */
  readonly key: TrustedKey | null;
}
