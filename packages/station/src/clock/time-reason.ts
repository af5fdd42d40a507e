// SPDX-License-Identifier: Apache-2.0
/** Why a clock is not SANE. */
import type { ReasonCode } from '@witnessmark/core';
import type { ClockEvidence } from '@witnessmark/attestation';

type TimeVerdict = ClockEvidence['verdict'];

/** A limit the reading does not keep. */
export interface TimeReason {
  readonly subject:
    'answer' | 'synchronisation' | 'hierarchy' | 'offset' | 'rootDistance' | 'age' | 'sources' | 'falsetickers';
  /** Present where the reason has a code of its own; others are LS-301. */
  readonly code?: ReasonCode;
  readonly verdict: Exclude<TimeVerdict, 'SANE'>;
  readonly expected: string;
  readonly observed: string;
}
