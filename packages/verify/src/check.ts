// SPDX-License-Identifier: Apache-2.0
/** The contract of a check: a pure function from established facts to one finding. */
import type { Instant, ReasonCode } from '@witnessmark/core';
import type { Grade } from '@witnessmark/attestation';
import type { Evidence } from './evidence.ts';
import type { Policy } from './policy.ts';

/** What every check is given. Nothing else may influence a verdict. */
export interface Examination {
  readonly evidence: Evidence;
  readonly policy: Policy;
  /** The stated time of checking. */
  readonly time: Instant;
  readonly fileName: string | undefined;
}

export type Finding =
  | { readonly outcome: 'pass'; readonly detail: string; readonly grade?: Grade }
  /** `fail` is "no", `unknown` is "could not tell". */
  | { readonly outcome: 'fail' | 'unknown'; readonly code: ReasonCode; readonly detail: string }
  /** Nothing here demands this check; it is listed among the things not checked. */
  | { readonly outcome: 'skip'; readonly detail: string };

export interface Check {
  readonly name: string;
  /** One sentence for whoever reads a failure. */
  readonly whyItMatters: string;
  /** Names of the checks without whose pass this one would only repeat their finding. */
  readonly after: readonly string[];
  readonly run: (examination: Examination) => Finding;
}

export function pass(detail: string, grade?: Grade): Finding {
  return grade === undefined ? { outcome: 'pass', detail } : { outcome: 'pass', detail, grade };
}

export function fail(code: ReasonCode, detail: string): Finding {
  return { outcome: 'fail', code, detail };
}

export function cannotTell(code: ReasonCode, detail: string): Finding {
  return { outcome: 'unknown', code, detail };
}

export function notRequired(detail: string): Finding {
  return { outcome: 'skip', detail };
}

/** "1 entry", "3 entries". */
export function count(amount: number, singular: string, plural = `${singular}s`): string {
  return `${amount} ${amount === 1 ? singular : plural}`;
}

/** Items for people; "none in this file" where there are none. */
export function list(items: Iterable<string>): string {
  return [...items].join(', ') || 'none in this file';
}
