// SPDX-License-Identifier: Apache-2.0
/** A finished unit looked at again, without writing: device, label and newest record held together (spec/unit-check.md). */
import { z } from 'zod';
import { digestSet, grade, identifier, instantText, remark, sha256Text, uuid } from '../fields.ts';
import { PREDICATE_TYPES, type PredicateDefinition } from '../statement.ts';
import { clockEvidence, environment, operator } from './shared.ts';

export const UNIT_CHECK_RESULTS = ['consistent', 'flagged'] as const;
/** Findings that a check can make. */
const MAX_FINDINGS = 32;

const recordReference = z.object({
  serial: identifier,
  seq: z.int().min(1),
  digest: digestSet,
  /** Its entry in the line's log. */
  logIndex: z.int().min(0),
});

/** Subject: the device in the fixture, as it named itself. */
const schema = z.object({
  id: uuid,
  /** The newest record of that device; null when the log knows none. */
  record: recordReference.nullable(),
  label: z.object({ serial: identifier, labelId: uuid.nullable(), symbolDigest: digestSet }),
  /** The unit the label belongs to when that is another one, with its newest record; null otherwise. */
  labelUnit: z.object({ deviceId: sha256Text, record: recordReference }).nullable(),
  measurements: z
    .array(
      z.object({
        name: identifier,
        expected: digestSet,
        /** As read back now; null when it could not be read. */
        digest: digestSet.nullable(),
        result: z.enum(['SUCCESS', 'FAIL', 'NOT_RUN']),
        grade,
      }),
    )
    .max(16),
  protection: z.enum(['locked', 'open', 'unknown']).nullable(),
  result: z.enum(UNIT_CHECK_RESULTS),
  /** The code of the first finding; null when consistent. */
  code: identifier.nullable(),
  findings: z.array(z.object({ code: identifier, expected: remark, observed: remark })).max(MAX_FINDINGS),
  /** SHA-256 of the payload of the flagged check that this one, being consistent, lifts; null otherwise. */
  clears: digestSet.nullable(),
  /** The supervisor who lifts, and signed besides the station; null otherwise. */
  authority: z.object({ id: identifier, role: identifier }).nullable(),
  station: z.object({ id: identifier, line: identifier, plant: identifier }),
  operator,
  checkedAt: instantText,
  clock: clockEvidence,
  environment,
});

export type UnitCheck = z.infer<typeof schema>;
export const unitCheck: PredicateDefinition<UnitCheck> = { predicateType: PREDICATE_TYPES.unitCheck, schema };
