// SPDX-License-Identifier: Apache-2.0
/** How many refusals were logged lately, and how many wait to be summed up; survives from one command to the next. */
import {
  formatJson,
  parseInstant,
  parseStrictJson,
  WitnessmarkError,
  type Bytes,
  type Instant,
  type JsonValue,
} from '@witnessmark/core';
import { GateError } from './error.ts';

const MEDIA_TYPE = 'application/vnd.witnessmark.gate-refusals.v1+json';
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** Action and code. */
const COUNTED = /^[A-Za-z]{1,32} [A-Z]{2}-[0-9]{2,3}$/;

/** Refusals of a window that were not logged one by one; the statement they become follows from this alone. */
export interface RefusalSum {
  readonly id: string;
  readonly firstAt: string;
  readonly lastAt: string;
  /** By action and code. */
  readonly counts: Readonly<Record<string, number>>;
}

export interface RefusalMemory {
  readonly mediaType: typeof MEDIA_TYPE;
  readonly windowFrom: string;
  /** Refusals of this window that were logged one by one. */
  readonly logged: number;
  readonly summary: RefusalSum | null;
}

export function newRefusalMemory(windowFrom: string): RefusalMemory {
  return { mediaType: MEDIA_TYPE, windowFrom, logged: 0, summary: null };
}

/** Throws `ERR_GATE_FILE`: a damaged memory is named, not silently begun anew. */
export function parseRefusalMemory(bytes: Bytes): RefusalMemory {
  try {
    const memory = toObject(parseStrictJson(bytes), ['mediaType', 'windowFrom', 'logged', 'summary']);
    if (memory['mediaType'] !== MEDIA_TYPE) throw new TypeError('it has another media type');
    const { summary } = memory;
    return {
      mediaType: MEDIA_TYPE,
      windowFrom: toTime(memory['windowFrom']),
      logged: toCount(memory['logged'], 0),
      summary: summary === null ? null : toSum(summary),
    };
  } catch (cause) {
    if (!(cause instanceof TypeError) && !(cause instanceof WitnessmarkError)) throw cause;
    const what = `the memory of refusals is damaged: ${cause.message}; keep it, and move it away to go on`;
    throw new GateError('ERR_GATE_FILE', what, { cause });
  }
}

export function formatRefusalMemory(memory: RefusalMemory): Bytes {
  return formatJson(memory);
}

export function isWindowOver({ windowFrom }: RefusalMemory, now: Instant, windowMs: number): boolean {
  const age = now - parseInstant(windowFrom);
  return age < 0 || age >= windowMs;
}

function toSum(value: JsonValue | undefined): RefusalSum {
  const sum = toObject(value, ['id', 'firstAt', 'lastAt', 'counts']);
  const { id } = sum;
  if (typeof id !== 'string' || !UUID.test(id)) throw new TypeError('a sum has no id');
  const counts = Object.entries(toObject(sum['counts'])).map(([name, count]) => {
    if (!COUNTED.test(name)) throw new TypeError('a count has no action and code');
    return [name, toCount(count, 1)] as const;
  });
  if (counts.length === 0) throw new TypeError('a sum of nothing');
  return { id, firstAt: toTime(sum['firstAt']), lastAt: toTime(sum['lastAt']), counts: Object.fromEntries(counts) };
}

function toObject(value: JsonValue | undefined, members?: readonly string[]): Readonly<Record<string, JsonValue>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TypeError('an object is missing');
  const object = value as Readonly<Record<string, JsonValue>>;
  const unknown = members === undefined ? undefined : Object.keys(object).find((name) => !members.includes(name));
  if (unknown !== undefined) throw new TypeError('it has a member that is not known');
  return object;
}

function toTime(value: JsonValue | undefined): string {
  if (typeof value !== 'string') throw new TypeError('a time is missing');
  parseInstant(value);
  return value;
}

function toCount(value: JsonValue | undefined, minimum: number): number {
  if (!Number.isSafeInteger(value) || (value as number) < minimum) throw new TypeError('a count is no count');
  return value as number;
}
