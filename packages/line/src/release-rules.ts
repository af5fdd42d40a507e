// SPDX-License-Identifier: Apache-2.0
/** What must hold of the release a unit is to get: that it is the one in force here, and that it may be used once more, by this person. */
import { RefusedError } from '@witnessmark/core';
import type { AdmissionFacts, Claim } from './claim.ts';
import { ensure } from './error.ts';
import type { ReleaseInForce } from './release-book.ts';

export function checkRelease(
  { releaseId, product }: Claim,
  { release, counterFloor, rules }: AdmissionFacts,
): ReleaseInForce {
  if (release instanceof RefusedError) throw release;
  const { releaseId: inForce, releaseCounter } = release.release.manifest;
  ensure(
    releaseCounter >= counterFloor,
    'LS-204',
    `a release counter of at least ${counterFloor} for ${product.sku}`,
    `${releaseCounter} (${inForce})`,
  );
  ensure(releaseId === null || releaseId === inForce, 'LS-203', `release ${inForce}`, String(releaseId));
  const inClear = release.release.manifest.components.find(({ sealed }) => sealed === undefined);
  ensure(
    rules.sealing === 'optional' || inClear === undefined,
    'BX-204',
    'a release whose images are sealed',
    `${inForce}, whose ${inClear?.name ?? ''} is in clear`,
  );
  return release;
}

/** LS-520: nobody makes units of a release they proposed, built or approved. */
export function checkSeparation({ operator }: Pick<Claim, 'operator'>, { release }: ReleaseInForce): void {
  const { partakers, manifest } = release;
  ensure(
    !partakers.includes(operator.id),
    'LS-520',
    `an operator who had no part in ${manifest.releaseId}`,
    `${operator.id}, who had`,
  );
}

export function checkAttempts({ unit, rules, breakGlass }: AdmissionFacts, { release }: ReleaseInForce): void {
  if (breakGlass?.scope.has('attemptLimit') === true) return;
  if (unit?.state !== 'failed' || unit.release_id !== release.manifest.releaseId) return;
  ensure(
    unit.attempts < rules.maxAttempts,
    'HD-03',
    `at most ${rules.maxAttempts} failed attempts`,
    `${unit.attempts} (event ${unit.head_seq}, ${unit.head_digest.slice(0, 16)}…)`,
  );
}

/** LS-206: a unit counts once per release; further attempts are not further units. */
export function checkQuota(attempt: number, { rule }: ReleaseInForce, unitsBegun: number): void {
  if (attempt !== 1 || rule.maxUnits === null) return;
  ensure(unitsBegun < rule.maxUnits, 'LS-206', `at most ${rule.maxUnits} units (${rule.eco})`, `${unitsBegun} begun`);
}
