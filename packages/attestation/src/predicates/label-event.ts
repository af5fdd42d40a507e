// SPDX-License-Identifier: Apache-2.0
/** The life of a unit's label: printed from the record, scanned back, reprinted, voided (spec/label-event.md). */
import { z } from 'zod';
import { digestSet, identifier, instantText, remark, uuid } from '../fields.ts';
import { PREDICATE_TYPES, type PredicateDefinition } from '../statement.ts';
import { clockEvidence, environment, operator } from './shared.ts';

export const LABEL_ACTIONS = ['printed', 'scanned', 'reprinted', 'voided'] as const;
export type LabelAction = (typeof LABEL_ACTIONS)[number];

/** What a label that counts can be: `printed` was sent to a printer and not seen since, `scanned` was read back. */
export const LIVE_LABEL_STATES = ['printed', 'scanned'] as const;
export type LiveLabelState = (typeof LIVE_LABEL_STATES)[number];

/** Subject: the device, so that a label belongs to what it is stuck on and not to a number. */
const schema = z.object({
  /** `printed` and `reprinted` make a label: this is then its id too. */
  id: uuid,
  action: z.enum(LABEL_ACTIONS),
  labelId: uuid,
  /** The label whose place a reprint takes; null otherwise. */
  replaces: uuid.nullable(),
  /** What the label that is scanned, replaced or voided was before; null when there was none. */
  labelWas: z.enum(LIVE_LABEL_STATES).nullable(),
  /** Which copy the label is: 1, and one more with every label of this device. */
  copy: z.int().min(1).max(10_000),
  serial: identifier,
  sku: identifier,
  /** The newest link of the device's chain, from which the label was drawn up. */
  record: z.object({ seq: z.int().min(1), digest: digestSet }),
  /** SHA-256 of the payload of the label event before this one of the device; null for the first. */
  previous: digestSet.nullable(),
  /** SHA-256 of the symbol's text as a scanner returns it: as printed, or as scanned; null when voided. */
  symbolDigest: digestSet.nullable(),
  printer: identifier.nullable(),
  /** Why it was reprinted or voided; null otherwise. */
  reason: remark.min(1).nullable(),
  /** Who decided to reprint or void, and signed besides the station; null otherwise. */
  authority: z.object({ id: identifier, role: identifier }).nullable(),
  station: z.object({ id: identifier, line: identifier, plant: identifier }),
  operator,
  madeAt: instantText,
  clock: clockEvidence,
  environment,
});

export type LabelEvent = z.infer<typeof schema>;
export const labelEvent: PredicateDefinition<LabelEvent> = { predicateType: PREDICATE_TYPES.labelEvent, schema };
