// SPDX-License-Identifier: Apache-2.0
/**
 * Was the unit made while the line did not answer, and does the policy accept that (spec/offline-spool.md)? What was made so
 * is judged by an allowance from before and a delivery after it: they bound when it was made. What the line would have said
 * in between, nobody can know.
 */
import { formatInstant, parseInstant } from '@witnessmark/core';
import { spoolName, type SpoolPlace } from '@witnessmark/attestation';
import { cannotTell, count, fail, pass, type Check, type Examination, type Finding } from '../check.ts';
import { describeRecord, recordsOf, type ChainRecord, type Evidence, type Logged } from '../evidence.ts';
import { findSigner } from '../trust-store.ts';

type Allowance = Logged<'offlineAllowance'>;
type Delivery = Logged<'offlineDelivery'>;
type SpooledRecord = ChainRecord & { readonly predicate: { readonly offline: SpoolPlace } };

/** The most a line tolerates between its clock and a station's. */
const TOLERANCE_MS = 60_000;

export const withoutLine: Check = {
  name: 'work without the line',
  whyItMatters: 'what was made while nobody could refuse it rests on an allowance, and its times on the delivery',
  after: ['records', 'event chain'],
  run: checkOffline,
};

function checkOffline({ evidence, policy }: Examination): Finding {
  const made = evidence.chain.filter((record): record is SpooledRecord => record.predicate.offline !== undefined);
  const stray = findStray(evidence, made);
  if (stray !== undefined) return fail('EV-107', stray);
  const [first] = made;
  if (first === undefined) return pass('every record was made while the line answered');
  if (policy.allow.offline !== true) {
    return fail('EV-313', `${describeRecord(first)} was made while the line did not answer`);
  }
  const told = new Set<string>();
  for (const record of made) {
    const allowance = recordsOf(evidence, 'offlineAllowance').find(
      ({ payloadDigest }) => payloadDigest === record.predicate.offline.allowanceDigest.sha256,
    );
    if (allowance === undefined) {
      return cannotTell('EV-213', `the allowance that ${describeRecord(record)} names is not in the file`);
    }
    const delivery = findDelivery(evidence, record);
    if (delivery === undefined) return cannotTell('EV-213', `no delivery brought ${describeRecord(record)}`);
    const problem =
      judgeAllowance(record, allowance) ?? judgeDelivery(record, delivery) ?? judgeTime(record, allowance, delivery);
    if (problem !== undefined) return problem;
    told.add(describe(allowance, delivery));
  }
  return pass(
    `${count(made.length, 'record')} made without the line: ${[...told].join('; ')}; which rules changed, and what other stations did, in between is not known: this policy allows it`,
  );
}

function findStray(evidence: Evidence, made: readonly SpooledRecord[]): string | undefined {
  const allowed = new Set(made.map(({ predicate }) => predicate.offline.allowanceDigest.sha256));
  const strays = [
    ...recordsOf(evidence, 'offlineAllowance').filter(({ payloadDigest }) => !allowed.has(payloadDigest)),
    ...recordsOf(evidence, 'offlineDelivery').filter(
      ({ predicate }) => !made.some(({ predicate: { offline } }) => covers(predicate, offline)),
    ),
  ];
  const [stray] = strays;
  return stray === undefined ? undefined : `no record was made under ${describeRecord(stray)}`;
}

function findDelivery(evidence: Evidence, record: SpooledRecord): Delivery | undefined {
  return recordsOf(evidence, 'offlineDelivery').find(
    (delivery) => covers(delivery.predicate, record.predicate.offline) && delivery.entry < record.entry,
  );
}

function covers({ allowanceDigest, firstSeq, lastSeq }: Delivery['predicate'], place: SpoolPlace): boolean {
  return allowanceDigest.sha256 === place.allowanceDigest.sha256 && firstSeq <= place.seq && place.seq <= lastSeq;
}

/** The line signed it, which the countersignature check has seen; it is for this station, and for this work. */
function judgeAllowance(record: SpooledRecord, allowance: Allowance): Finding | undefined {
  const { station, release, operator } = record.predicate;
  const allowed = allowance.predicate;
  const what = describeRecord(allowance);
  const differs = [
    spoolName(station.id, station.slot) !== spoolName(allowed.station.id, allowed.station.slot) && 'another station',
    station.line !== allowed.station.line && 'another line',
    release.candidateDigest.sha256 !== allowed.release.candidateDigest.sha256 && 'another release',
    operator.sessionDigest.sha256 !== allowed.sessionDigest.sha256 && 'another session',
  ].find((difference) => difference !== false);
  if (differs !== undefined) return fail('EV-314', `${what} is for ${differs} than ${describeRecord(record)}`);
  if (allowance.entry > record.entry) return fail('EV-314', `${describeRecord(record)} was logged before ${what}`);
  if (record.kind !== 'intent') return undefined;
  const { offline, permitDigest } = record.predicate;
  if (permitDigest.sha256 !== allowance.payloadDigest) {
    return fail('EV-314', `${describeRecord(record)} names another permit than its allowance`);
  }
  if (offline.unit > allowed.maxUnits) {
    return fail('EV-314', `${describeRecord(record)} is unit ${offline.unit} of ${allowed.maxUnits} allowed`);
  }
  if (record.at >= parseInstant(allowed.notAfter)) {
    return fail('EV-314', `${describeRecord(record)} was begun after ${allowed.notAfter}, when the allowance ended`);
  }
  return undefined;
}

function judgeDelivery(record: SpooledRecord, delivery: Delivery): Finding | undefined {
  const { id, line } = record.predicate.station;
  const { station } = delivery.predicate;
  const found = findSigner(delivery.signers, { role: 'station', owner: id, scope: line, at: delivery.at });
  if ('signer' in found && station.id === id && station.line === line) return undefined;
  return fail('EV-314', `${describeRecord(delivery)} is not signed by ${id}, which made ${describeRecord(record)}`);
}

/** A18: what is dated outside the time in between was dated by a clock that somebody set. */
function judgeTime(record: SpooledRecord, allowance: Allowance, delivery: Delivery): Finding | undefined {
  if (record.at < allowance.at - TOLERANCE_MS) {
    return cannotTell(
      'EV-214',
      `${describeRecord(record)} is dated before its allowance, ${formatInstant(allowance.at)}`,
    );
  }
  if (record.at > delivery.at + TOLERANCE_MS) {
    return cannotTell('EV-214', `${describeRecord(record)} is dated after its delivery, ${formatInstant(delivery.at)}`);
  }
  return undefined;
}

function describe({ predicate, at }: Allowance, delivery: Delivery): string {
  const { number, station } = predicate;
  const name = spoolName(station.id, station.slot);
  return `allowance ${number} of ${name}, between ${formatInstant(at)} and ${formatInstant(delivery.at)}`;
}
