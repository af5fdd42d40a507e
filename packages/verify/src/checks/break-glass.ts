// SPDX-License-Identifier: Apache-2.0
/** Was a rule suspended while this unit was worked on, by whom, and does the policy accept that (spec/break-glass.md)? */
import { cannotTell, fail, pass, type Check, type Examination, type Finding } from '../check.ts';
import { describeRecord, recordsOf, type ChainRecord, type Evidence, type Logged } from '../evidence.ts';
import { findSigner } from '../trust-store.ts';

type Opening = Logged<'breakGlassOpening'>;

const MINUTE_MS = 60_000;
const ENTITLED_ROLES = new Set(['supervisor', 'approver']);

export const breakGlass: Check = {
  name: 'no break-glass',
  whyItMatters: 'under break-glass, rules were suspended that everything else relies on',
  after: ['records'],
  run: checkBreakGlass,
};

function checkBreakGlass({ evidence, policy }: Examination): Finding {
  const openings = recordsOf(evidence, 'breakGlassOpening');
  const marked = evidence.chain.filter(({ predicate }) => predicate.environment.breakGlass !== null);
  const stray = openings.find(({ payloadDigest }) => !marked.some((record) => markOf(record) === payloadDigest));
  if (stray !== undefined) return fail('EV-107', `no record was made under ${describeRecord(stray)}`);
  const [first] = marked;
  if (first === undefined) return pass('no record is marked break-glass');
  if (!policy.allow.breakGlass) {
    const opening = openings.find(({ payloadDigest }) => payloadDigest === markOf(first));
    const about = opening === undefined ? (markOf(first) ?? '') : describeOpening(opening);
    return fail('EV-303', `${describeRecord(first)} was made under ${about}`);
  }
  const told = new Set<string>();
  for (const record of marked) {
    const opening = openings.find(({ payloadDigest }) => payloadDigest === markOf(record));
    if (opening === undefined) {
      return cannotTell('EV-210', `the opening that ${describeRecord(record)} names is not in the file`);
    }
    const problem = findProblem(record, opening) ?? findUnjustified(evidence, opening);
    if (problem !== undefined) return problem;
    told.add(`${describeOpening(opening)}, ${describeEnd(evidence, opening)}`);
  }
  return pass(`${[...told].join('; ')}: this policy allows it`);
}

function markOf(record: ChainRecord): string | null {
  return record.predicate.environment.breakGlass;
}

function findProblem(record: ChainRecord, opening: Opening): Finding | undefined {
  const { place, minutes, requestedBy, confirmedBy } = opening.predicate;
  const what = describeRecord(opening);
  if (requestedBy.id === confirmedBy.id) return fail('EV-311', `${what} names one person twice`);
  for (const { id, role } of [requestedBy, confirmedBy]) {
    const signer = opening.signers.find(({ owner, role: held }) => owner === id && held === role);
    if (signer === undefined || !ENTITLED_ROLES.has(role)) {
      return fail('EV-311', `${what} is not signed by ${id} as a supervisor or an approver`);
    }
    const scope = role === 'supervisor' ? place.line : undefined;
    const found = findSigner([signer], { role: signer.role, owner: id, scope, at: opening.at });
    if ('missing' in found) return fail('EV-311', `the key of ${id} could not open break-glass of ${place.line} then`);
  }
  const { id, line, plant } = record.predicate.station;
  if (line !== place.line || plant !== place.plant || (place.station !== null && place.station !== id)) {
    return fail('EV-311', `${describeRecord(record)} was made where ${what} did not apply`);
  }
  if (opening.entry > record.entry) return fail('EV-311', `${describeRecord(record)} was logged before ${what}`);
  // What was begun in time may end later.
  if (record.kind === 'intent' && record.at >= opening.at + minutes * MINUTE_MS) {
    return fail('EV-311', `${describeRecord(record)} was begun after ${what} had run out`);
  }
  return undefined;
}

function findUnjustified(evidence: Evidence, opening: Opening): Finding | undefined {
  const review = recordsOf(evidence, 'breakGlassReview').find((record) => isAbout(record, opening));
  if (review?.predicate.verdict !== 'unjustified') return undefined;
  return fail('EV-312', `${review.predicate.reviewedBy.id} found no justification: ${review.predicate.findings}`);
}

function describeOpening({ predicate, payloadDigest }: Opening): string {
  const { requestedBy, confirmedBy, scope, ticket, reason } = predicate;
  const people = `${requestedBy.id} and ${confirmedBy.id}`;
  return `break-glass ${payloadDigest.slice(0, 16)} of ${people} (${scope.join(', ')}; ${ticket}: ${reason})`;
}

function describeEnd(evidence: Evidence, opening: Opening): string {
  const closing = recordsOf(evidence, 'breakGlassClosing').find((record) => isAbout(record, opening));
  const review = recordsOf(evidence, 'breakGlassReview').find((record) => isAbout(record, opening));
  if (review !== undefined) return `resealed and reviewed by ${review.predicate.reviewedBy.id}`;
  return closing === undefined ? 'not resealed in this file' : 'resealed, not reviewed in this file';
}

function isAbout(
  { predicate, subject }: Logged<'breakGlassClosing'> | Logged<'breakGlassReview'>,
  { payloadDigest }: Opening,
): boolean {
  return predicate.openingDigest.sha256 === payloadDigest && subject.digest.sha256 === payloadDigest;
}
