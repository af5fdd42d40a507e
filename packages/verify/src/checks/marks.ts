// SPDX-License-Identifier: Apache-2.0
/** Marks that a record carries for ever, and that a policy may refuse. */
import type { TrustedKey } from '@witnessmark/attestation';
import { fail, pass, type Check, type Examination, type Finding } from '../check.ts';
import { describeRecord } from '../evidence.ts';

export const realDevice: Check = {
  name: 'real device',
  whyItMatters: 'a simulated device proves the process, not the hardware',
  after: ['records'],
  run: ({ evidence, policy }) => {
    const simulated = evidence.chain.find(({ predicate }) => predicate.environment.simulated);
    if (simulated === undefined) return pass('no record is marked simulated');
    return policy.allow.simulated
      ? pass('simulated, which this policy allows')
      : fail('EV-301', `${describeRecord(simulated)} is marked simulated`);
  },
};

export const realRun: Check = {
  name: 'no rehearsal',
  whyItMatters: 'a rehearsal is made to be repeated, not to be shipped',
  after: ['records'],
  run: ({ evidence, policy }) => {
    const rehearsal = evidence.chain.find(({ predicate }) => predicate.environment.rehearsal);
    if (rehearsal === undefined) return pass('no record is marked as a rehearsal');
    return policy.allow.rehearsal
      ? pass('a rehearsal, which this policy allows')
      : fail('EV-302', `${describeRecord(rehearsal)} is marked as a rehearsal`);
  },
};

export const breakGlass: Check = {
  name: 'no break-glass',
  whyItMatters: 'under break-glass, rules were suspended that everything else relies on',
  after: ['records'],
  run: ({ evidence, policy }) => {
    const broken = evidence.chain.find(({ predicate }) => predicate.environment.breakGlass !== null);
    if (broken === undefined) return pass('no record is marked break-glass');
    return policy.allow.breakGlass
      ? pass(`break-glass ${broken.predicate.environment.breakGlass ?? ''}, which this policy allows`)
      : fail('EV-303', `${describeRecord(broken)} was made under ${broken.predicate.environment.breakGlass ?? ''}`);
  },
};

export const keyCustody: Check = {
  name: 'key custody',
  whyItMatters: 'a key in a file can be copied by whoever reads it once',
  after: ['records'],
  run: checkCustody,
};

function checkCustody({ evidence, policy }: Examination): Finding {
  const signers = new Set<TrustedKey>();
  for (const { signers: keys } of evidence.records) for (const key of keys) signers.add(key);
  for (const { candidate, approvals } of evidence.releases) {
    for (const { signers: keys } of [candidate, ...approvals]) for (const key of keys) signers.add(key);
  }
  const soft = [...signers].find(({ custody }) => custody === 'software');
  if (soft === undefined) return pass('every signing key is held in hardware');
  return policy.allow.softwareKeys
    ? pass('software keys, which this policy allows')
    : fail('EV-304', `the ${soft.role} key of ${soft.owner} is held in software`);
}
