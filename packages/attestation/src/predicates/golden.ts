// SPDX-License-Identifier: Apache-2.0
/** Units a station proves itself with: their registration, and what a check with one of them found (spec/golden-check.md). */
import { z } from 'zod';
import { counter, digestSet, identifier, instantText, remark, sha256Text, uuid } from '../fields.ts';
import { PREDICATE_TYPES, type PredicateDefinition } from '../statement.ts';
import { clockEvidence, environment, MAX_SLOTS } from './shared.ts';

/** A golden unit must pass; a known-bad unit must fail, in the way it was made to. */
export const GOLDEN_KINDS = ['golden', 'knownBad'] as const;
export type GoldenKind = (typeof GOLDEN_KINDS)[number];

const GOLDEN_RESULTS = ['asExpected', 'unexpected'] as const;

/** The range of the flash that a check reads back, and what a good unit holds there. */
const content = z.object({ address: counter, length: z.int().min(1), digest: digestSet });

/** Subject: the device. A device that was registered once is never product, whatever is registered later. */
const unitSchema = z.object({
  id: uuid,
  /** `retire` takes the unit out of use; an earlier registration is named then. */
  action: z.enum(['register', 'retire']),
  registrationId: uuid.nullable(),
  kind: z.enum(GOLDEN_KINDS),
  deviceId: sha256Text,
  hardwareUid: digestSet,
  labelSerial: identifier,
  content,
  site: z.object({ plant: identifier, line: identifier }),
  reason: remark.min(1),
  person: z.object({ id: identifier, role: identifier }),
  registeredAt: instantText,
});

/** Subject: the device that was in the fixture, or the station when none named itself. */
const checkSchema = z.object({
  id: uuid,
  station: z.object({
    id: identifier,
    line: identifier,
    plant: identifier,
    slot: z.int().min(1).max(MAX_SLOTS).optional(),
  }),
  operatorId: identifier,
  kind: z.enum(GOLDEN_KINDS),
  /** The registration whose unit was in the fixture; null when it was another device, or none. */
  registrationId: uuid.nullable(),
  deviceId: sha256Text.nullable(),
  /** SHA-256 of what was read back; null when nothing was. */
  observed: digestSet.nullable(),
  result: z.enum(GOLDEN_RESULTS),
  /** What the unit showed: null for "good", the code of its failure otherwise. */
  code: identifier.nullable(),
  finding: remark,
  checkedAt: instantText,
  clock: clockEvidence,
  environment,
});

export type GoldenUnit = z.infer<typeof unitSchema>;
export const goldenUnit: PredicateDefinition<GoldenUnit> = {
  predicateType: PREDICATE_TYPES.goldenUnit,
  schema: unitSchema,
};

export type GoldenCheck = z.infer<typeof checkSchema>;
export const goldenCheck: PredicateDefinition<GoldenCheck> = {
  predicateType: PREDICATE_TYPES.goldenCheck,
  schema: checkSchema,
};
