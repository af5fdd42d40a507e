// SPDX-License-Identifier: Apache-2.0
/** What production asks of a key before it may be used here (A39): in a token, for good, and known well enough. */
import type { KeyRole, TrustedKey } from '@witnessmark/attestation';
import { isCustodyGradeAtLeast, RefusedError, type CustodyGrade } from '@witnessmark/core';
import type { Signer } from '@witnessmark/custody';

/** The weakest custody claim that counts, by role; a role left out asks for none. */
export interface KeyDemands {
  readonly minimumGrades: Readonly<Partial<Record<KeyRole, CustodyGrade | undefined>>>;
}

/**
 * Throws CU-202 for a software key, CU-203 for one of a rehearsal, CU-135 for a grade below the demand. Both what is
 * enrolled and what is at hand must hold: a hardware key on paper may be a file in fact.
 */
export function checkKeyDemands(key: TrustedKey, signer: Pick<Signer, 'custody'> | null, demands: KeyDemands): void {
  const whose = `the ${key.role} key of ${key.owner}`;
  if (key.custody === 'software' || signer?.custody === 'software') {
    throw new RefusedError('CU-202', `${whose} is a software key`);
  }
  if (key.isRehearsal) throw new RefusedError('CU-203', `${whose} was made in a rehearsal`);
  const minimum = demands.minimumGrades[key.role];
  if (minimum !== undefined && !isCustodyGradeAtLeast(key.custodyGrade, minimum)) {
    throw new RefusedError('CU-135', `the custody of ${whose} is ${key.custodyGrade}; production asks for ${minimum}`);
  }
}
