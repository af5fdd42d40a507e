// SPDX-License-Identifier: Apache-2.0
/** Whether a later look at the unit flagged it, and whether that was lifted (spec/unit-check.md). */
import { describeReasonCode, isReasonCode } from '@witnessmark/core';
import { fail, type Finding } from '../check.ts';
import { describeRecord, recordsOf, type Evidence, type Logged } from '../evidence.ts';
import { findSigner } from '../trust-store.ts';

type CheckRecord = Logged<'unitCheck'>;

/** The flag that stands, if one does; a check that its station did not sign is none to go by. */
export function findFlag(evidence: Evidence): Finding | undefined {
  let flag: CheckRecord | undefined;
  for (const check of recordsOf(evidence, 'unitCheck')) {
    const { station, result, clears } = check.predicate;
    const found = findSigner(check.signers, { role: 'station', owner: station.id, scope: station.line, at: check.at });
    if ('missing' in found) {
      const code = found.missing === 'expired' ? 'EV-103' : 'EV-102';
      return fail(code, `${describeRecord(check)} is not signed by ${station.id}`);
    }
    if (result === 'flagged') flag = check;
    else if (flag !== undefined && clears?.sha256 === flag.payloadDigest && isLiftedByRight(check)) flag = undefined;
  }
  if (flag === undefined) return undefined;
  const { code } = flag.predicate;
  const meaning = code !== null && isReasonCode(code) ? `: ${describeReasonCode(code).operatorText}` : '';
  return fail('EV-113', `${describeRecord(flag)} flagged the unit, ${code ?? ''}${meaning}`);
}

function isLiftedByRight({ predicate, signers, at }: CheckRecord): boolean {
  const { authority, station } = predicate;
  if (authority === null) return false;
  return 'signer' in findSigner(signers, { role: 'supervisor', owner: authority.id, scope: station.line, at });
}
