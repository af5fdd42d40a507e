// SPDX-License-Identifier: Apache-2.0
/** What the journal of a ceremony says, one fact per record (spec/ceremony-transcript.md, "The journal"). */
import { identifier, instantText, sha256Text } from '@witnessmark/attestation';
import { parseInstant, type Instant, type JsonValue } from '@witnessmark/core';
import { z } from 'zod';
import { line, name, spkiText } from './fields.ts';
import { resultSchema } from './result.ts';
import { ROLES } from './roles.ts';

export const FACT_LIMITS = { text: 400, planLines: 12, planLine: 160, inputValue: 256 } as const;

const people = z.array(z.strictObject({ id: identifier, role: z.enum(ROLES), publicKey: spkiText.nullable() })).max(12);

const settings = z.strictObject({
  ceremonyId: name,
  environment: z.strictObject({ simulated: z.boolean(), rehearsal: z.boolean() }),
  location: line(80),
  people,
  equipment: z.array(z.strictObject({ name, label: line(64), serial: line(64), bag: line(64).nullable() })).max(12),
  inputs: z.array(z.strictObject({ name, value: line(FACT_LIMITS.inputValue) })).max(12),
  tool: z.strictObject({ version: line(64), sha256: sha256Text }),
});

const text = line(FACT_LIMITS.text);

const factSchema = z.discriminatedUnion('kind', [
  /** First of all: what this run is. */
  z.strictObject({
    kind: z.literal('opened'),
    script: z.strictObject({ name, version: z.int().min(1), sha256: sha256Text }),
    settings,
  }),
  /** Read aloud, understood, confirmed: from here on the step's effect may exist. */
  z.strictObject({
    kind: z.literal('intended'),
    step: name,
    plan: z.array(line(FACT_LIMITS.planLine)).max(FACT_LIMITS.planLines),
  }),
  z.strictObject({
    kind: z.literal('performed'),
    step: name,
    origin: z.enum(['performed', 'inspected', 'observed']),
    result: resultSchema,
  }),
  /** It was refused and is surely not done; the step is open again. */
  z.strictObject({ kind: z.literal('failed'), step: name, code: line(64), detail: text }),
  /** Whether it was done cannot be seen. */
  z.strictObject({ kind: z.literal('unclear'), step: name, detail: text }),
  /** What administrator and witness decided about it together. */
  z.strictObject({ kind: z.literal('decided'), step: name, decision: z.enum(['done', 'notDone']), reason: text }),
  z.strictObject({ kind: z.literal('witnessed'), step: name, by: identifier, typed: line(8) }),
  /** Something that is not as the script says. */
  z.strictObject({ kind: z.literal('exception'), step: name.nullable(), text, by: identifier }),
  z.strictObject({ kind: z.literal('paused'), reason: text }),
  /** Everybody is here again; `interruption` when the program had ended without a break being called. */
  z.strictObject({ kind: z.literal('resumed'), after: z.enum(['break', 'interruption']) }),
  z.strictObject({ kind: z.literal('aborted'), reason: text }),
  z.strictObject({ kind: z.literal('closed') }),
]);

export type CeremonyFact = z.infer<typeof factSchema>;

export interface JournalRecord {
  readonly seq: number;
  readonly at: Instant;
  readonly fact: CeremonyFact;
}

const recordSchema = z.strictObject({ seq: z.int().min(1), at: instantText, fact: factSchema });

/** Throws a `ZodError` for what this program does not write. */
export function toRecord(value: JsonValue): JournalRecord {
  const { seq, at, fact } = recordSchema.parse(value);
  return { seq, at: parseInstant(at), fact };
}

/** A copy of a fact within its bounds; throws a `ZodError`. */
export function checkFact(fact: CeremonyFact): CeremonyFact {
  return factSchema.parse(fact);
}
