// SPDX-License-Identifier: Apache-2.0
/**
 * A ceremony script (spec/ceremony-script.md): one reviewed file that says every step before anybody does anything. Its
 * digest is printed, read aloud and compared before the ceremony begins; nothing in it is secret.
 */
import { CEREMONY_TYPES, describeIssues } from '@witnessmark/attestation';
import {
  parseStrictJson,
  RefusedError,
  sha256Hex,
  WitnessmarkError,
  type Bytes,
  type JsonLimits,
  type JsonValue,
} from '@witnessmark/core';
import { z } from 'zod';
import type { ActTable } from './act.ts';
import { line, name } from './fields.ts';
import { MAX_HOLDERS, PERSON_REF, type PersonRef } from './roles.ts';

export const SCRIPT_MEDIA_TYPE = 'application/vnd.witnessmark.ceremony-script.v1+json';

export const SCRIPT_LIMITS = {
  json: { maxBytes: 64 * 1024, maxDepth: 12, maxValues: 4_000 } satisfies JsonLimits,
  steps: 40,
  equipment: 12,
  inputs: 12,
} as const;

const personRef = z.string().regex(PERSON_REF) as z.ZodType<PersonRef>;
const json = z.json() as z.ZodType<JsonValue>;

const step = z.strictObject({
  id: name,
  title: line(80),
  /** Who does it, in the order their hands are needed. */
  roles: z.array(personRef).min(1).max(10),
  readAloud: line(1_000),
  /** What cannot be taken back, in plain words; null exactly where nothing is. */
  irreversible: line(400).nullable(),
  /** Null for steps people do themselves: open a bag, compare a number. */
  act: z.strictObject({ kind: name, parameters: json }).nullable(),
  /** What is looked at before going on. */
  check: line(400),
  expected: line(400),
  /** What the witness has to have seen with own eyes. */
  witness: line(400),
});

const named = z.strictObject({ name, description: line(200) });

const schema = z.strictObject({
  mediaType: z.literal(SCRIPT_MEDIA_TYPE),
  name,
  version: z.int().min(1).max(1_000_000),
  type: z.enum(CEREMONY_TYPES),
  title: line(80),
  purpose: line(400),
  roles: z.strictObject({ holders: z.int().min(0).max(MAX_HOLDERS), auditor: z.boolean() }),
  /** How many of the holders suffice afterwards; null where holders share nothing. */
  quorum: z.strictObject({ threshold: z.int().min(1), of: z.int().min(1) }).nullable(),
  equipment: z.array(named).max(SCRIPT_LIMITS.equipment),
  inputs: z.array(named).max(SCRIPT_LIMITS.inputs),
  steps: z.array(step).min(1).max(SCRIPT_LIMITS.steps),
});

export type ScriptStep = z.infer<typeof step>;
export type CeremonyScript = z.infer<typeof schema>;

/** A script together with the digest of the very bytes it was read from. */
export interface ReviewedScript {
  readonly script: CeremonyScript;
  readonly bytes: Bytes;
  readonly sha256: string;
}

/** Reads a script without regard to what acts there are, as a replay does. Throws CE-101. */
export function parseScript(bytes: Bytes): ReviewedScript {
  const script = readSchema(bytes);
  refuseRepeated('step', script.steps);
  refuseRepeated('equipment', script.equipment);
  refuseRepeated('input', script.inputs);
  const { holders, auditor } = script.roles;
  const { quorum } = script;
  if (quorum !== null && (quorum.of !== holders || quorum.threshold > quorum.of)) {
    throw unreadable(`a quorum of ${quorum.threshold} of ${quorum.of} does not fit ${holders} holders`);
  }
  for (const { id, roles } of script.steps) {
    for (const ref of roles) {
      const isHere = ref.startsWith('holder-') ? Number(ref.slice('holder-'.length)) <= holders : true;
      if (!isHere || (ref === 'auditor' && !auditor))
        throw unreadable(`step ${id} wants ${ref}, whom the script lacks`);
    }
    if (new Set(roles).size !== roles.length) throw unreadable(`step ${id} names a role twice`);
  }
  return { script, bytes, sha256: sha256Hex(bytes) };
}

/**
 * Whether the program can do what the script says, and the script warns of what the acts do: CE-102 for an act or
 * parameters it does not know, CE-103 where script and act disagree about what can be taken back.
 */
export function checkActs({ steps }: CeremonyScript, acts: ActTable): void {
  for (const { id, act, irreversible } of steps) {
    const found = act === null ? null : acts.get(act.kind);
    if (found === undefined) throw new RefusedError('CE-102', `step ${id} wants an act this program does not have`);
    const issues = act === null ? null : (found?.checkParameters(act.parameters) ?? null);
    if (issues !== null) throw new RefusedError('CE-102', `the parameters of step ${id} are wrong at ${issues}`);
    const isIrreversible = found?.isIrreversible ?? false;
    if (act !== null && isIrreversible !== (irreversible !== null)) {
      const truth = isIrreversible ? 'cannot be taken back' : 'can be taken back';
      throw new RefusedError('CE-103', `step ${id} ${truth}, and the script says otherwise`);
    }
  }
}

function readSchema(bytes: Bytes): CeremonyScript {
  try {
    const result = schema.safeParse(parseStrictJson(bytes, SCRIPT_LIMITS.json));
    if (result.success) return result.data;
    throw unreadable(`it breaks its schema at ${describeIssues(result.error)}`);
  } catch (cause) {
    if (cause instanceof RefusedError || !(cause instanceof WitnessmarkError)) throw cause;
    throw unreadable(cause.message, cause);
  }
}

function refuseRepeated(what: string, items: readonly ({ readonly id: string } | { readonly name: string })[]): void {
  const seen = new Set<string>();
  for (const item of items) {
    const own = 'id' in item ? item.id : item.name;
    if (seen.has(own)) throw unreadable(`the ${what} ${own} is there twice`);
    seen.add(own);
  }
}

function unreadable(detail: string, cause?: unknown): RefusedError {
  return new RefusedError('CE-101', `not a ceremony script: ${detail}`, { cause });
}
