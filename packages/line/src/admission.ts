// SPDX-License-Identifier: Apache-2.0
/**
 * Whether a device may be programmed here and now. Pure: what was looked up goes in, a grant or a `RefusedError` comes
 * out. The same rules judge the permit request and, later, the intent that uses the permit. Clock trouble is named before
 * anything that a wrong clock could cause.
 */
import type { Permit } from '@witnessmark/attestation';
import type { UnitRow } from '@witnessmark/store';
import type { AdmissionFacts, Claim, StationFacts } from './claim.ts';
import { checkFailures, checkGolden, checkProduct, checkRetest } from './conduct-rules.ts';
import { checkDevice, checkLabel, checkUnit } from './device-rules.ts';
import type { ReleaseInForce } from './release-book.ts';
import { checkAttempts, checkQuota, checkRelease, checkSeparation } from './release-rules.ts';
import { checkSession } from './session-rules.ts';
import { checkBreakGlass, checkClock, checkStart, checkStop } from './station-rules.ts';

export interface Grant {
  readonly inForce: ReleaseInForce;
  readonly labelSerial: string;
  readonly chain: Permit['chain'];
  readonly attempt: number;
}

export function admit(claim: Claim, facts: AdmissionFacts): Grant {
  admitStation(claim, facts);
  checkDevice(claim, facts.unit);
  const labelSerial = checkLabel(claim, facts);
  checkProduct(facts.past);
  checkUnit(facts);
  const inForce = checkRelease(claim, facts);
  checkSeparation(claim, inForce);
  const attempt = nextAttempt(facts.unit, inForce);
  checkAttempts(facts, inForce);
  checkRetest(facts.past, { attempt, retestReason: claim.retestReason ?? null }, facts);
  checkQuota(attempt, inForce, facts.unitsBegun);
  return { inForce, labelSerial, chain: nextLink(facts.unit), attempt };
}

/** What has to hold whatever the device: clock, marks, stops, the instance of the station, its operator. */
export function admitStation(
  claim: Pick<Claim, 'at' | 'clock' | 'environment' | 'startDigest' | 'operator' | 'slot'>,
  facts: StationFacts,
): void {
  checkClock(claim.at, claim.clock, facts);
  checkBreakGlass(claim, facts);
  checkStop(facts);
  if (facts.breakGlass?.scope.has('openStop') !== true) checkFailures(facts.conduct, facts);
  checkStart(claim, facts);
  checkSession(claim.operator, facts);
  checkGolden(facts.conduct, { ...facts, slot: claim.slot ?? null });
}

function nextAttempt(unit: UnitRow | null, { release }: ReleaseInForce): number {
  return unit !== null && unit.release_id === release.manifest.releaseId ? unit.attempts + 1 : 1;
}

function nextLink(unit: UnitRow | null): Permit['chain'] {
  if (unit === null) return { nextSeq: 1, previousEventDigest: null };
  return { nextSeq: unit.head_seq + 1, previousEventDigest: { sha256: unit.head_digest } };
}
