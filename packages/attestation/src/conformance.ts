// SPDX-License-Identifier: Apache-2.0
/**
 * Reading JSON values by a schema, quickly. Nearly everything that is read is exactly what the schema would return: every
 * member known and in the schema's order. A plain test of that, derived once from the schema itself, takes a third of
 * zod's time; whatever does not pass it goes to zod, which alone refuses, words the refusal and drops unknown members.
 */
import type { JsonValue } from '@witnessmark/core';
import type { z } from 'zod';
import type * as core from 'zod/v4/core';

/** Whether zod would accept a value out of strict JSON, and return its equal. `false` means "let zod say". */
type Conforms = (value: JsonValue) => boolean;

const compiled = new WeakMap<core.$ZodType, Conforms>();

/** `schema.safeParse(value)`, where a value that conforms is returned itself. `value` must come out of strict JSON. */
export function readBySchema<T>(schema: z.ZodType<T>, value: JsonValue): z.ZodSafeParseResult<T> {
  return conformanceTo(schema)(value) ? { success: true, data: value as T } : schema.safeParse(value);
}

function conformanceTo(schema: core.$ZodType): Conforms {
  let conforms = compiled.get(schema);
  if (conforms === undefined) {
    conforms = compile(schema);
    compiled.set(schema, conforms);
  }
  return conforms;
}

/** What is not listed in these two tables is zod's to judge. */
function compile(schema: core.$ZodType): Conforms {
  const { def } = (schema as core.$ZodTypes)._zod;
  const own = 'check' in def ? [def as core.$ZodCheckDef] : [];
  const checks = [...own, ...(def.checks ?? []).map(({ _zod }) => _zod.def)];
  const tests = [compileShape(def), ...checks.map((check) => CHECKS[check.check]?.(check))];
  return tests.includes(undefined) ? () => false : (tests as Conforms[]).reduce(both);
}

function compileShape(def: core.$ZodTypeDef): Conforms | undefined {
  if ('coerce' in def && def.coerce === true) return undefined;
  return SHAPES[def.type]?.(def);
}

const SHAPES: Partial<Record<core.$ZodTypeDef['type'], (def: core.$ZodTypeDef) => Conforms | undefined>> = {
  string: () => (value) => typeof value === 'string',
  number: () => (value) => typeof value === 'number' && Number.isFinite(value),
  boolean: () => (value) => typeof value === 'boolean',
  unknown: () => () => true,
  enum: (def) => oneOf(Object.values((def as core.$ZodEnumDef).entries)),
  literal: (def) => oneOf((def as core.$ZodLiteralDef<core.util.Literal>).values),
  nullable: (def) => {
    const inner = conformanceTo((def as core.$ZodNullableDef).innerType);
    return (value) => value === null || inner(value);
  },
  array: (def) => everyItem([], conformanceTo((def as core.$ZodArrayDef).element)),
  tuple: (def) => {
    const { items, rest } = def as core.$ZodTupleDef;
    if (rest === null || items.some(({ _zod }) => _zod.optin !== undefined)) return undefined;
    return everyItem(items.map(conformanceTo), conformanceTo(rest));
  },
  union: (def) => {
    // Without a discriminator, an earlier option might take the value too, and drop members of it.
    if (!('discriminator' in def)) return undefined;
    const options = (def as core.$ZodDiscriminatedUnionDef).options.map(conformanceTo);
    return (value) => options.some((option) => option(value));
  },
  object: (def) => compileObject(def as core.$ZodObjectDef),
};

/** By the name of the check; each is given values of the right type only. */
const CHECKS: Partial<Record<string, (def: core.$ZodCheckDef) => Conforms | undefined>> = {
  string_format: (def) => {
    const { format, pattern } = def as core.$ZodCheckStringFormatDef;
    // A named format may check more than its pattern says.
    if (format !== 'regex' || pattern === undefined || pattern.global || pattern.sticky) return undefined;
    return (value) => pattern.test(value as string);
  },
  number_format: (def) =>
    (def as core.$ZodCheckNumberFormatDef).format === 'safeint' ? Number.isSafeInteger : undefined,
  greater_than: (def) => {
    const { value: limit, inclusive } = def as core.$ZodCheckGreaterThanDef;
    return (value) => (inclusive ? Number(value) >= Number(limit) : Number(value) > Number(limit));
  },
  less_than: (def) => {
    const { value: limit, inclusive } = def as core.$ZodCheckLessThanDef;
    return (value) => (inclusive ? Number(value) <= Number(limit) : Number(value) < Number(limit));
  },
  min_length: (def) => {
    const { minimum } = def as core.$ZodCheckMinLengthDef;
    // zod counts code points, of which a text has at least half as many as it has units.
    return (value) => (typeof value === 'string' ? 2 * minimum - 1 : minimum) <= (value as string | []).length;
  },
  max_length: (def) => {
    const { maximum } = def as core.$ZodCheckMaxLengthDef;
    return (value) => (value as string | []).length <= maximum;
  },
  custom: (def) => {
    const { fn } = def as core.$ZodCustomDef;
    return (value) => fn(value) === true;
  },
};

/** Members in the order of the schema, none unknown, none missing but optional ones. */
function compileObject(def: core.$ZodObjectDef): Conforms | undefined {
  if (def.catchall !== undefined && def.catchall._zod.def.type !== 'never') return undefined;
  const names = Object.keys(def.shape);
  const members = names.map((name) => {
    const member = def.shape[name] as core.$ZodType;
    const { def: inner, optin } = (member as core.$ZodTypes)._zod;
    const isOptional = inner.type === 'optional' && inner.checks === undefined && optin === 'optional';
    if (optin !== undefined && !isOptional) return undefined;
    return { isOptional, conforms: conformanceTo(isOptional ? inner.innerType : member) };
  });
  if (members.includes(undefined)) return undefined;
  const tests = members.map((member) => (member as { readonly conforms: Conforms }).conforms);
  const optional = members.map((member) => (member as { readonly isOptional: boolean }).isOptional);
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
    const object = value as Readonly<Record<string, JsonValue>>;
    let at = 0;
    for (const name in object) {
      while (names[at] !== name) {
        if (optional[at] !== true) return false;
        at += 1;
      }
      if (!(tests[at] as Conforms)(object[name] as JsonValue)) return false;
      at += 1;
    }
    for (; at < names.length; at += 1) if (optional[at] !== true) return false;
    return true;
  };
}

function everyItem(first: readonly Conforms[], others: Conforms): Conforms {
  return (value) => {
    if (!Array.isArray(value) || value.length < first.length) return false;
    for (let index = 0; index < value.length; index += 1) {
      if (!(first[index] ?? others)(value[index] as JsonValue)) return false;
    }
    return true;
  };
}

function oneOf(values: readonly unknown[]): Conforms {
  const set = new Set(values);
  return (value) => set.has(value);
}

function both(first: Conforms, second: Conforms): Conforms {
  return (value) => first(value) && second(value);
}
