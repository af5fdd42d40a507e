// SPDX-License-Identifier: Apache-2.0
/** How the keys are kept that signed: in hardware or in a file, for good or for a rehearsal, and how that is known. */
import { isCustodyGradeAtLeast } from '@witnessmark/core';
import type { TrustedKey } from '@witnessmark/attestation';
import { cannotTell, fail, list, pass, type Check, type Examination, type Finding } from '../check.ts';
import { describeRecord, type Evidence } from '../evidence.ts';

export const keyCustody: Check = {
  name: 'key custody',
  whyItMatters: 'a key in a file can be copied by whoever reads it once',
  after: ['records'],
  run: checkCustody,
};

export const realKeys: Check = {
  name: 'no rehearsal keys',
  whyItMatters: 'a key made in a rehearsal was never guarded, and may be anywhere',
  after: ['records'],
  run: checkRehearsal,
};

export const custodyGrade: Check = {
  name: 'custody grade',
  whyItMatters: 'that a key cannot leave its token may be no more than what somebody said',
  after: ['records'],
  run: checkGrade,
};

export const trustRoot: Check = {
  name: 'trust root',
  whyItMatters: 'a root that fewer holders may sign lets fewer people release anything',
  after: ['records'],
  run: checkRoot,
};

function checkCustody({ evidence, policy }: Examination): Finding {
  const soft = signersOf(evidence).find(({ custody }) => custody === 'software');
  if (soft === undefined) return pass('every signing key is held in hardware');
  return policy.allow.softwareKeys
    ? pass('software keys, which this policy allows')
    : fail('EV-304', `the ${soft.role} key of ${soft.owner} is held in software`);
}

function checkRehearsal({ evidence, policy }: Examination): Finding {
  const rehearsed = signersOf(evidence).find(({ isRehearsal }) => isRehearsal);
  if (rehearsed === undefined) return pass('no signing key was made in a rehearsal');
  return policy.allow.rehearsal
    ? pass('keys of a rehearsal, which this policy allows')
    : fail('EV-307', `the ${rehearsed.role} key of ${rehearsed.owner} was made in a rehearsal`);
}

function checkGrade({ evidence, policy }: Examination): Finding {
  const keys = signersOf(evidence);
  for (const { role, owner, custodyGrade: grade } of keys) {
    const minimum = policy.custody?.minimumGrades[role];
    if (minimum !== undefined && !isCustodyGradeAtLeast(grade, minimum)) {
      return fail('EV-308', `the custody of the ${role} key of ${owner} is ${grade}; the policy asks for ${minimum}`);
    }
  }
  return pass(list(new Set(keys.map(({ role, custodyGrade: grade }) => `${role} ${grade}`))));
}

function checkRoot({ evidence, policy }: Examination): Finding {
  const minimum = policy.trustRoot?.minThreshold;
  const versions = new Set<number>();
  for (const record of evidence.chain) {
    const { rootVersion } = record.predicate.release.tuf;
    versions.add(rootVersion);
    if (minimum === undefined) continue;
    const threshold = evidence.rootThresholds.get(rootVersion);
    if (threshold === undefined) {
      return cannotTell('EV-209', `${describeRecord(record)} rests on root version ${rootVersion}`);
    }
    if (threshold < minimum) {
      return fail('EV-309', `root version ${rootVersion} asks for ${threshold} holders; the policy for ${minimum}`);
    }
  }
  return pass(`version ${list([...versions].map(String))}`);
}

/** Every key that signed something in the file, once. */
function signersOf({ records, releases }: Evidence): readonly TrustedKey[] {
  const all = new Set<TrustedKey>();
  const add = (statement: { readonly signers: readonly TrustedKey[] }): void => {
    for (const signer of statement.signers) all.add(signer);
  };
  records.forEach(add);
  for (const { candidate, approvals } of releases) [candidate, ...approvals].forEach(add);
  return [...all];
}
