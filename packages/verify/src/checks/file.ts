// SPDX-License-Identifier: Apache-2.0
/** Is this the evidence of one unit, under its right name, and can every record in it be read? */
import { unitEvidenceFileName } from '@witnessmark/bundle';
import { count, fail, cannotTell, notRequired, pass, type Check, type Examination, type Finding } from '../check.ts';
import { describeRecord, type LoggedStatement } from '../evidence.ts';

export const records: Check = {
  name: 'records',
  whyItMatters: 'a record that no trusted key signed may say anything',
  after: [],
  run: checkRecords,
};

export const fileName: Check = {
  name: 'file name',
  whyItMatters: 'a renamed file can pass off the evidence of one unit as that of another',
  after: [],
  run: checkFileName,
};

export const oneUnit: Check = {
  name: 'one unit',
  whyItMatters: 'records of a good unit can be mixed in to cover for a bad one',
  after: ['records'],
  run: checkOneUnit,
};

function checkRecords({ evidence: { unread, records: read, releases } }: Examination): Finding {
  const worst = unread.find(({ reason }) => reason.code !== 'EV-207') ?? unread[0];
  if (worst === undefined) {
    return pass(`${count(read.length, 'log entry', 'log entries')}, ${count(releases.length, 'release')}, each signed`);
  }
  const { what, reason } = worst;
  const detail = `${what}: ${reason.detail}`;
  return reason.code === 'EV-207' ? cannotTell(reason.code, detail) : fail(reason.code, detail);
}

function checkFileName({ evidence, fileName: given }: Examination): Finding {
  if (given === undefined) return notRequired('no file name was given');
  const expected = unitEvidenceFileName(evidence.serial);
  const baseName = given.slice(Math.max(given.lastIndexOf('/'), given.lastIndexOf('\\')) + 1);
  return baseName === expected ? pass(expected) : fail('EV-108', `expected ${expected}, the file has another name`);
}

function checkOneUnit({ evidence }: Examination): Finding {
  const { deviceId, serial, records: all, chain } = evidence;
  const refusalDigests = new Set(all.filter(({ kind }) => kind === 'refusal').map((record) => record.payloadDigest));
  for (const record of all) {
    const device = toDeviceId(record, refusalDigests, deviceId);
    if (device !== undefined && device !== deviceId) {
      return fail('EV-107', `${describeRecord(record)} is about another device than the file`);
    }
  }
  const [first] = chain;
  for (const record of chain) {
    const { identity } = record.predicate;
    if (identity.deviceId !== record.subject.digest.sha256) {
      return fail('EV-107', `${describeRecord(record)} names another device than its subject`);
    }
    if (identity.hardwareUid.sha256 !== first?.predicate.identity.hardwareUid.sha256) {
      return fail('EV-107', `${describeRecord(record)} has another hardware identifier than the first record`);
    }
  }
  const labelled = chain.at(-1)?.predicate.identity.label?.serial;
  if (labelled !== undefined && labelled !== serial) {
    return fail('EV-107', `the file says ${serial}, its newest record says ${labelled}`);
  }
  return pass(`every record is about device ${deviceId.slice(0, 16)}`);
}

/** The device a record is about; sessions and break-glass are about none. */
function toDeviceId(
  record: LoggedStatement,
  refusalDigests: ReadonlySet<string>,
  deviceId: string,
): string | undefined {
  switch (record.kind) {
    case 'intent':
    case 'event':
    case 'labelEvent':
      return record.subject.digest.sha256;
    case 'unitCheck':
      // A check of another device that bore this unit's label is about both.
      return record.predicate.labelUnit?.deviceId === deviceId ? deviceId : record.subject.digest.sha256;
    case 'refusal':
      return record.predicate.deviceId === record.subject.digest.sha256 ? record.predicate.deviceId : 'none';
    case 'disposition':
      // A decision about a refusal of this file belongs here even where it names no device.
      if (record.predicate.deviceId !== null) return record.predicate.deviceId;
      return refusalDigests.has(record.predicate.refusalDigest.sha256) ? deviceId : 'none';
    case 'session':
    // About the line; the check of break-glass asks which record was made under them.
    case 'breakGlassOpening':
    case 'breakGlassClosing':
    case 'breakGlassReview':
    // About a station; the check of work without the line asks which record was made under them.
    case 'offlineAllowance':
    case 'offlineDelivery':
      return undefined;
  }
}
