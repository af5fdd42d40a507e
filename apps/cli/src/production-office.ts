// SPDX-License-Identifier: Apache-2.0
/** A39 at the office: which keys it refuses to start with when its configuration says "production". */
import { RefusedError, isCustodyGradeAtLeast, type Instant } from '@witnessmark/core';
import { parseKeyReference, type Signer } from '@witnessmark/custody';
import type { KeyDemands, TrustChanges } from '@witnessmark/gate';
import type { RepositorySigners } from '@witnessmark/trust';
import type { OfficeConfig } from './config.ts';
import { DEFAULT_MINIMUM_GRADE, demandHardware } from './production.ts';

/** Throws CU-202 for a key in a file, before any key is opened. */
export function refuseKeyFiles({ environment, log, evidenceKey, publishing }: OfficeConfig): void {
  if (environment !== 'production') return;
  const references: readonly (readonly [string, string | undefined])[] = [
    ['log key', log.key],
    ['evidence key', evidenceKey],
    ['online key', publishing?.onlineKey],
    ['effectivity key', publishing?.effectivityKey],
  ];
  for (const [what, reference] of references) {
    if (reference === undefined || parseKeyReference(reference).kind !== 'file') continue;
    throw new RefusedError('CU-202', `the ${what} of the office is a file, and the configuration says production`);
  }
}

/** What is asked of the keys of people; nothing outside production. */
export function demandsOf({ environment, minimumCustodyGrade, minimumCustodyGrades }: OfficeConfig): KeyDemands | null {
  if (environment !== 'production') return null;
  const grade = minimumCustodyGrade ?? DEFAULT_MINIMUM_GRADE;
  return { minimumGrades: { author: grade, approver: grade, ...minimumCustodyGrades } };
}

interface OfficeKeys {
  readonly evidence: Signer | null;
  readonly signers: RepositorySigners | null;
  readonly changes: TrustChanges;
  readonly now: Instant;
}

/**
 * Throws CU-202, CU-203 and CU-135 by what the trusted root says of the keys at hand, and CU-204 for one it does not
 * list. Nothing outside production.
 */
export async function checkOfficeKeys(values: OfficeConfig, { evidence, signers, changes }: OfficeKeys): Promise<void> {
  if (values.environment !== 'production') return;
  if (evidence !== null) demandHardware(values, evidence, 'evidence key of the office');
  if (signers === null) return;
  const { holders } = await changes.show();
  const minimum = values.minimumCustodyGrade ?? DEFAULT_MINIMUM_GRADE;
  for (const use of ['online', 'effectivity'] as const) {
    const { keyid } = signers[use].publicKey;
    const holder = holders.find((entry) => entry.keyid === keyid && entry.uses.includes(use));
    if (holder === undefined)
      throw new RefusedError('CU-204', `the repository lists ${keyid.slice(0, 8)} as no ${use} key`);
    if (holder.isRehearsal) throw new RefusedError('CU-203', `the ${use} key was made in a rehearsal`);
    const grade = holder.custodyGrade ?? 'asserted';
    if (!isCustodyGradeAtLeast(grade, minimum)) {
      throw new RefusedError('CU-135', `the custody of the ${use} key is ${grade}; at least ${minimum} is demanded`);
    }
  }
}
