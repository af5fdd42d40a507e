// SPDX-License-Identifier: Apache-2.0
/** A39: which keys a configuration that says "production" refuses at its start (spec/configuration.md). */
import { isValidAt, toTrustedKeys, type KeyRole, type TrustedRoot } from '@witnessmark/attestation';
import { RefusedError, type CustodyGrade, type Instant } from '@witnessmark/core';
import { isGradeAtLeast, type Signer } from '@witnessmark/custody';

/** What production asks of custody claims unless its configuration says more: the token itself says so. */
export const DEFAULT_MINIMUM_GRADE: CustodyGrade = 'selfReported';

/** A key that signs, or one that opens. */
type HeldKey = Pick<Signer, 'publicKey' | 'custody'>;

interface ProductionRules {
  readonly environment?: 'production' | undefined;
  readonly minimumCustodyGrade?: CustodyGrade | undefined;
}

interface EnrolledKey {
  readonly trustedRoot: TrustedRoot;
  readonly role: KeyRole;
  /** Line or station. */
  readonly owner: string;
  readonly now: Instant;
}

/** Throws CU-202 for a key in a file; nothing when the configuration is not for production. */
export function demandHardware(rules: ProductionRules, signer: HeldKey, what: string): void {
  if (rules.environment !== 'production' || signer.custody === 'hardware') return;
  throw new RefusedError('CU-202', `the ${what} is a software key, and the configuration says production`);
}

/** Throws CU-202 to CU-204, or CU-135 for a custody claim that is too weak. */
export function demandProductionKey(rules: ProductionRules, signer: HeldKey, enrolled: EnrolledKey): void {
  if (rules.environment !== 'production') return;
  const { trustedRoot, role, owner, now } = enrolled;
  const what = `${role} key of ${owner}`;
  demandHardware(rules, signer, what);
  const { keyid } = signer.publicKey;
  const entry = toTrustedKeys(trustedRoot).find(({ key }) => key.keyid === keyid);
  const belongs = entry?.role === role && (role === 'station' ? entry.owner : entry.scope) === owner;
  if (entry === undefined || !belongs || !isValidAt(entry, now)) {
    throw new RefusedError('CU-204', `${trustedRoot.name} does not list ${keyid} as the ${what} now`);
  }
  if (entry.custody === 'software')
    throw new RefusedError('CU-202', `${trustedRoot.name} lists the ${what} as software`);
  if (entry.isRehearsal) throw new RefusedError('CU-203', `the ${what} was made in a rehearsal`);
  const minimum = rules.minimumCustodyGrade ?? DEFAULT_MINIMUM_GRADE;
  if (!isGradeAtLeast(entry.custodyGrade, minimum)) {
    throw new RefusedError(
      'CU-135',
      `custody of the ${what} is ${entry.custodyGrade}; at least ${minimum} is demanded`,
    );
  }
}
