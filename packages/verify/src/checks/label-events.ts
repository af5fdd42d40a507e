// SPDX-License-Identifier: Apache-2.0
/** What became of the labels of a unit, as far as the file tells (spec/label-event.md). */
import { fail, type Finding } from '../check.ts';
import { describeRecord, recordsOf, type Evidence, type Logged } from '../evidence.ts';
import { findSigner } from '../trust-store.ts';

type LabelRecord = Logged<'labelEvent'>;

/** A label event nobody may believe, a label of another record, or a unit whose only label was voided. */
export function findLabelProblem(evidence: Evidence): Finding | undefined {
  const events = recordsOf(evidence, 'labelEvent');
  let previous: string | null = null;
  for (const event of events) {
    const problem = findSignatureProblem(event) ?? findRecordProblem(event, evidence);
    if (problem !== undefined) return problem;
    if ((event.predicate.previous?.sha256 ?? null) !== previous) {
      return fail('EV-106', `${describeRecord(event)} does not follow the label event before it`);
    }
    previous = event.payloadDigest;
  }
  const last = events.at(-1);
  if (last?.predicate.action !== 'voided') return undefined;
  return fail('EV-112', `${describeRecord(last)}: the label was voided and none took its place`);
}

/** For people; nothing for a unit whose labels are printed elsewhere. */
export function describeLabel(evidence: Evidence): readonly string[] {
  const last = recordsOf(evidence, 'labelEvent').at(-1);
  if (last === undefined) return [];
  const { action, copy } = last.predicate;
  return [`copy ${copy} printed from the record${action === 'scanned' ? ' and scanned back' : ', not scanned back'}`];
}

function findSignatureProblem(event: LabelRecord): Finding | undefined {
  const { station, authority } = event.predicate;
  const needed = [
    { role: 'station', owner: station.id } as const,
    ...(authority === null ? [] : [{ role: toRole(authority.role), owner: authority.id }]),
  ];
  for (const { role, owner } of needed) {
    const found = findSigner(event.signers, { role, owner, scope: station.line, at: event.at });
    if ('signer' in found) continue;
    const code = found.missing === 'expired' ? 'EV-103' : 'EV-102';
    return fail(code, `${describeRecord(event)} has no signature by ${owner} as ${role}`);
  }
  return undefined;
}

/** Lines let nobody else decide about labels. */
function toRole(role: string): 'operator' | 'supervisor' {
  return role === 'operator' ? 'operator' : 'supervisor';
}

function findRecordProblem(event: LabelRecord, { chain, serial }: Evidence): Finding | undefined {
  const { record, serial: printed } = event.predicate;
  const source = chain.find(({ payloadDigest }) => payloadDigest === record.digest.sha256);
  if (source === undefined || source.entry > event.entry) {
    return fail('EV-106', `${describeRecord(event)} names a record that does not come before it`);
  }
  if (printed === serial) return undefined;
  return fail('EV-112', `${describeRecord(event)}: the label says ${printed}, the unit is ${serial}`);
}
