// SPDX-License-Identifier: Apache-2.0
/**
 * The contract of an act: what one step of a ceremony does to tokens, keys and repositories. The engine calls it in one
 * order: `plan` → intent durable → `perform` → result durable → witnessed. Where a result is missing after a failure or a
 * crash, `inspect` says what happened; an irreversible act is performed again only when that is `notDone`.
 */
import { describeIssues } from '@witnessmark/attestation';
import type { Clock, JsonValue } from '@witnessmark/core';
import type { CustodyGrade } from '@witnessmark/custody';
import type { z } from 'zod';
import type { PersonRef } from './roles.ts';
import type { EquipmentBinding } from './run-settings.ts';

/** What a result may hold; a larger one cannot be recorded (CE-120). */
export const RESULT_LIMITS = {
  facts: 8,
  factName: 40,
  factValue: 120,
  digests: 8,
  keys: 4,
  attributes: 24,
  certificates: 3,
  certificateBytes: 4_096,
} as const;

export interface CeremonyAct<Parameters> {
  /** Kebab-case; the `kind` a script names. */
  readonly kind: string;
  /** Strict: refuses members it does not know. */
  readonly parameters: z.ZodType<Parameters>;
  /** Whether it cannot be taken back; the script must say so in its own words for exactly these acts. */
  readonly isIrreversible: boolean;
  /** Looks, changes nothing and asks for no secret: what `perform` would do now, in words people compare with the script. */
  plan(context: ActContext<Parameters>): Promise<ActPlan>;
  /** Whether it was done, as the world shows it now. Changes nothing. Rejecting counts as `unknown`. */
  inspect(context: ActContext<Parameters>): Promise<ActInspection>;
  /** Does it. Rejects with a `RefusedError` when a rule or the token refused; then `inspect` is asked what is true. */
  perform(context: ActContext<Parameters>): Promise<ActResult>;
}

/** What an act knows of the ceremony it belongs to. Other things reach it through its own constructor. */
export interface ActContext<Parameters = JsonValue> {
  readonly ceremonyId: string;
  readonly stepId: string;
  /** Keys made in a rehearsal are marked, wherever they are written down. */
  readonly isRehearsal: boolean;
  readonly parameters: Parameters;
  readonly clock: Clock;
  readonly prompts: ActPrompts;
  /** Aborted when the program is asked to end; whatever waits for people should end then. */
  readonly signal: AbortSignal;
  /** The id of the person who stands for this role. */
  person(ref: PersonRef): string;
  /** What this run uses for a name in the script's `equipment`. */
  equipment(name: string): EquipmentBinding;
  /** What this run was given for a name in the script's `inputs`. */
  input(name: string): string;
  /** The result of an earlier step of this ceremony; throws CE-118 when that step has none. */
  result(stepId: string): ActResult;
}

/** What people in the room are asked for by an act. Nothing of it is ever written down. */
export interface ActPrompts {
  /** A PIN, a component: typed unseen by the person it belongs to. Rejects when it is not given. */
  secret(request: SecretRequest): Promise<string>;
  /** A line that asks for a hand: insert this card, touch the token now. */
  notice(text: string): void;
}

export interface SecretRequest {
  /** Who has to type it; the others look away. */
  readonly from: PersonRef;
  /** Stable within the step, for example `pin` or `component-2`; an answers file names it `step/id`. */
  readonly id: string;
  /** For example `PIN of card "officer-a" (serial 17402231), fewer than all tries left`. */
  readonly text: string;
}

export interface ActPlan {
  /** Printable lines, at most 12, of at most 160 characters. */
  readonly lines: readonly string[];
  /**
   * What is typed before something irreversible: something printed on the thing itself, such as the last four characters
   * of a serial. Without it, the first four of the plan's digest.
   */
  readonly confirmation?: { readonly what: string; readonly characters: string };
}

/** What may be shown, written down and signed: never a secret. Bounds: {@link RESULT_LIMITS}. */
export interface ActResult {
  /** In the order they are read aloud. */
  readonly facts: readonly ResultFact[];
  /** Shown in groups of hexadecimal and as words. */
  readonly digests: readonly ResultDigest[];
  readonly keys: readonly CeremonyKey[];
}

export interface ResultFact {
  readonly name: string;
  readonly value: string;
}

export interface ResultDigest {
  readonly name: string;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
}

/** `used` signed something; `retired` no longer counts; `destroyed` no longer exists. */
export const KEY_CHANGES = ['made', 'used', 'retired', 'destroyed'] as const;

/** A key this step made or changed. */
export interface CeremonyKey {
  /** Name of its key policy, or of its purpose. */
  readonly name: string;
  readonly change: (typeof KEY_CHANGES)[number];
  /**
   * SubjectPublicKeyInfo in base64, whose SHA-256 becomes a subject of the transcript; null for a secret key, which has no
   * public half.
   */
  readonly spki: string | null;
  /** Of a secret key: how people recognise it. Three bytes, lower-case hexadecimal; null otherwise. */
  readonly checkValue: string | null;
  /** Person or process. */
  readonly holder: string;
  readonly token: {
    readonly label: string;
    readonly serial: string;
    readonly manufacturer: string;
    readonly model: string;
    readonly firmware: string;
  } | null;
  /** As read back, for example `CKA_EXTRACTABLE` → `false`. */
  readonly attributes: Readonly<Record<string, boolean | string>>;
  readonly grade: CustodyGrade;
  /** The attestation chain, DER in base64, leaf first. */
  readonly certificates: readonly string[];
}

/** `unknown` is for people to decide, and what they decide is an exception on record. */
export type ActInspection =
  | { readonly state: 'done'; readonly result: ActResult }
  | { readonly state: 'notDone' }
  | { readonly state: 'unknown'; readonly detail: string };

/** Any act, its parameters checked on the way in; {@link defineAct} makes one. */
export interface AnyAct extends Omit<CeremonyAct<JsonValue>, 'parameters'> {
  /** Null when the parameters are those of this act, else where they are not: path and issue, never the value. */
  checkParameters(parameters: JsonValue): string | null;
}

/** The acts a program offers, by kind. */
export type ActTable = ReadonlyMap<string, AnyAct>;

/** Puts an act's own schema in front of it. */
export function defineAct<Parameters>(act: CeremonyAct<Parameters>): AnyAct {
  const bind = (context: ActContext): ActContext<Parameters> => ({
    ...context,
    parameters: act.parameters.parse(context.parameters),
  });
  return {
    kind: act.kind,
    isIrreversible: act.isIrreversible,
    checkParameters: (parameters) => {
      const { error } = act.parameters.safeParse(parameters);
      return error === undefined ? null : describeIssues(error);
    },
    plan: async (context) => act.plan(bind(context)),
    inspect: async (context) => act.inspect(bind(context)),
    perform: async (context) => act.perform(bind(context)),
  };
}

/** Throws `TypeError` when two acts have one kind. */
export function toActTable(acts: readonly AnyAct[]): ActTable {
  const table = new Map(acts.map((act) => [act.kind, act]));
  if (table.size !== acts.length) throw new TypeError('two acts have one kind');
  return table;
}
