// SPDX-License-Identifier: Apache-2.0
/** What was observed on the device afterwards: its content, its protection, and whose label it bears. */
import { bootComponentOf, deriveLabelSerial, GRADES, type Grade, type ReleaseManifest } from '@witnessmark/attestation';
import { count, fail, notRequired, pass, type Check, type Examination, type Finding } from '../check.ts';
import { describeRecord, lastEvent, recordsOf, type Evidence, type Logged } from '../evidence.ts';
import { isGradeEnough } from '../policy.ts';
import { findLabelProblem, describeLabel } from './label-events.ts';

export const measuredContent: Check = {
  name: 'measured content',
  whyItMatters: 'what was sent to a device is not always what is in it',
  after: ['outcome', 'release approval', 'release content'],
  run: checkMeasurement,
};

export const protection: Check = {
  name: 'protection',
  whyItMatters: 'a device that is not locked can be changed by the next person who holds it',
  after: ['outcome', 'release approval', 'release content'],
  run: checkProtection,
};

export const label: Check = {
  name: 'label',
  whyItMatters: 'the unit may ship with the identity of another',
  after: ['outcome', 'one unit', 'release approval'],
  run: checkLabel,
};

/** Records that claim a good result have to show it; failed ones may show anything. */
function successes(evidence: Evidence): readonly Logged<'event'>[] {
  return recordsOf(evidence, 'event').filter(({ predicate }) => predicate.outcome === 'SUCCEEDED');
}

function checkMeasurement({ evidence, policy }: Examination): Finding {
  const grades: Grade[] = [];
  let boots = 0;
  for (const event of successes(evidence)) {
    for (const { name, image, measurement } of event.predicate.components) {
      if (measurement.result !== 'SUCCESS') {
        return fail('EV-109', `${describeRecord(event)}: the measurement of ${name} is ${measurement.result}`);
      }
      if (measurement.digest?.sha256 !== image.digest.sha256) {
        return fail('EV-109', `${describeRecord(event)}: ${name} was measured, and is not the image`);
      }
      if (!isGradeEnough(measurement.grade, policy.grades.content)) {
        return fail('EV-306', `expected content ${policy.grades.content}, ${name} is ${measurement.grade}`);
      }
      grades.push(measurement.grade);
    }
    const manifest = manifestOf(evidence, event);
    if (manifest?.recipe.steps.includes('bootDigest') !== true) continue;
    const problem = findBootProblem(event, manifest);
    if (problem !== undefined) return problem;
    boots += 1;
  }
  const started = boots === 0 ? '' : `, ${count(boots, 'start')} in which the firmware named it`;
  return pass(`${count(grades.length, 'component')} equal to the image${started}`, weakest(grades));
}

/** Where the recipe has the board started, its firmware must have named the digest of what it starts from. */
function findBootProblem(event: Logged<'event'>, { components }: ReleaseManifest): Finding | undefined {
  const { boot } = event.predicate;
  const component = bootComponentOf(components);
  if (boot?.result === 'SUCCESS' && boot.component === component.name && boot.digest?.sha256 === component.sha256) {
    return undefined;
  }
  const observed = boot === undefined ? 'it was not asked' : `${boot.result} ${boot.digest?.sha256 ?? ''}`.trimEnd();
  return fail(
    'EV-109',
    `${describeRecord(event)}: expected firmware that names ${component.name} when it starts, ${observed}`,
  );
}

function checkProtection({ evidence, policy }: Examination): Finding {
  const event = lastEvent(evidence);
  const steps = manifestOf(evidence, event)?.recipe.steps ?? [];
  if (event === undefined || !steps.includes('lock')) return notRequired('the recipe of this release has no lock step');
  const { writeProtection, debugPort } = event.predicate.security;
  const states = { 'write protection': writeProtection, ...(debugPort === null ? {} : { 'debug port': debugPort }) };
  for (const [name, { state, grade }] of Object.entries(states)) {
    if (state !== 'locked') return fail('EV-118', `expected ${name} locked, observed ${state}`);
    if (!isGradeEnough(grade, policy.grades.protection)) {
      return fail('EV-306', `expected ${name} ${policy.grades.protection}, it is ${grade}`);
    }
  }
  const grades = Object.values(states).map(({ grade }) => grade);
  return pass(`${Object.keys(states).join(' and ')} locked`, weakest(grades));
}

function checkLabel({ evidence }: Examination): Finding {
  const last = lastEvent(evidence);
  for (const event of successes(evidence)) {
    const { identity, product } = event.predicate;
    if (identity.identityMatch !== 'MATCH') {
      return fail('EV-112', `${describeRecord(event)}: label and device are ${identity.identityMatch}`);
    }
    if (identity.label === null) return fail('EV-112', `${describeRecord(event)}: no label was read`);
    if (manifestOf(evidence, event)?.labelRule !== 'derived') continue;
    const derived = deriveLabelSerial(product.sku, identity.deviceId);
    if (identity.label.serial !== derived) {
      return fail('EV-112', `the device has the serial ${derived}, the label says ${identity.label.serial}`);
    }
  }
  const problem = findLabelProblem(evidence);
  if (problem !== undefined) return problem;
  const rule = manifestOf(evidence, last)?.labelRule;
  const origin =
    rule === 'derived' ? 'follows from the hardware identifier' : 'as assigned, and read back by the station';
  return pass([origin, ...describeLabel(evidence)].join(', '));
}

function manifestOf({ releases }: Evidence, event: Logged<'event'> | undefined): ReleaseManifest | undefined {
  const digest = event?.predicate.release.candidateDigest.sha256;
  return releases.find(({ candidate }) => candidate.payloadDigest === digest)?.candidate.predicate.manifest;
}

function weakest(grades: readonly Grade[]): Grade | undefined {
  return GRADES.find((grade) => grades.includes(grade));
}
