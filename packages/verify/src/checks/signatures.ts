// SPDX-License-Identifier: Apache-2.0
/** Did the machines sign that had to: the station that did the work, and the line that admitted the record? */
import { count, fail, list, pass, type Check, type Examination, type Finding } from '../check.ts';
import { describeRecord, type LoggedStatement } from '../evidence.ts';
import { findSigner, type NeededSigner } from '../trust-store.ts';

export const stationSignature: Check = {
  name: 'station signature',
  whyItMatters: 'only the station that worked on the device can say what it did and saw',
  after: ['records'],
  run: checkStation,
};

export const lineCountersignature: Check = {
  name: 'line countersignature',
  whyItMatters: 'without it a station could have made the record alone, unseen by the line',
  after: ['records'],
  run: checkLine,
};

function checkStation({ evidence: { chain } }: Examination): Finding {
  const stations = new Set<string>();
  for (const record of chain) {
    const { id, line } = record.predicate.station;
    const problem = judge(record, { role: 'station', owner: id, scope: line, at: record.at });
    if (problem !== undefined) return problem;
    stations.add(id);
  }
  return pass(`${list(stations)}, valid at the time`);
}

function checkLine({ evidence }: Examination): Finding {
  for (const record of evidence.records) {
    const { line } = 'place' in record.predicate ? record.predicate.place : record.predicate.station;
    const problem = judge(record, { role: 'evidence', owner: undefined, scope: line, at: record.at });
    if (problem !== undefined) return problem;
  }
  return pass(`${count(evidence.records.length, 'log entry', 'log entries')}, valid at the time`);
}

function judge(record: LoggedStatement, needed: NeededSigner): Finding | undefined {
  const found = findSigner(record.signers, needed);
  if ('signer' in found) return undefined;
  const whose = needed.owner ?? needed.scope ?? '';
  return found.missing === 'expired'
    ? fail('EV-103', `the ${needed.role} key of ${whose} was not valid when ${describeRecord(record)} was logged`)
    : fail('EV-102', `${describeRecord(record)} has no signature by the ${needed.role} key of ${whose}`);
}
