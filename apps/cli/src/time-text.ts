// SPDX-License-Identifier: Apache-2.0
/** A judgement about a time service, and the hierarchy it was held against, as people read them. */
import { describeReasonCode } from '@witnessmark/core';
import type { OpenHierarchy, TimeJudgement } from '@witnessmark/station';

export function describeHierarchy({ document, digest }: OpenHierarchy): readonly string[] {
  const { version, line, plant, sources, approvedBy, issuedAt, validUntil } = document;
  const people = approvedBy.map(({ id, role }) => `${id} (${role})`).join(' and ');
  return [
    `time hierarchy ${version} of ${line}, ${plant}, by ${people}, ${issuedAt} to ${validUntil}, ${digest.slice(0, 16)}…`,
    ...sources.map(
      ({ address, authentication, maxStratum }) => `  ${address}  ${authentication}  stratum ${maxStratum} or better`,
    ),
  ];
}

export function describeJudgement({ evidence, reasons }: TimeJudgement): readonly string[] {
  const { source, offsetMs, errorBoundMs, stratum } = evidence;
  const told = [
    `offset ${offsetMs ?? 'unknown'} ms`,
    `error bound ${errorBoundMs ?? 'unknown'} ms`,
    `stratum ${stratum ?? 'none'}`,
  ];
  return [
    `${source}: ${told.join(', ')}`,
    ...reasons.map(({ subject, code = 'LS-301', verdict, expected, observed }) => {
      const { operatorText } = describeReasonCode(code);
      return `  ${verdict}  ${code} ${operatorText} (${subject}): expected ${expected}; found ${observed}`;
    }),
  ];
}
