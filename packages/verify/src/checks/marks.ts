// SPDX-License-Identifier: Apache-2.0
/** Marks that a record carries for ever, and that a policy may refuse. */
import { releaseClassOf } from '@witnessmark/attestation';
import { fail, pass, type Check } from '../check.ts';
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

export const releaseClass: Check = {
  name: 'release class',
  whyItMatters: 'a release for debugging may leave the device open',
  after: ['records'],
  run: ({ evidence, policy }) => {
    const debug = evidence.releases.find(({ candidate }) => releaseClassOf(candidate.predicate.manifest) === 'debug');
    if (debug === undefined) return pass('production');
    return policy.allow.debugReleases === true
      ? pass('debug, which this policy allows')
      : fail('EV-310', `${debug.candidate.predicate.manifest.releaseId} is of the class debug`);
  },
};
