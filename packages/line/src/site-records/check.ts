// SPDX-License-Identifier: Apache-2.0
/** What a check of a kind of site records gets, and what it is. */
import type { Instant } from '@witnessmark/core';
import type { TrustedKey } from '@witnessmark/attestation';
import type { Attachments } from '@witnessmark/api';
import type { LineContext } from '../line-context.ts';
import type { SiteRecord, SiteRecordRule } from './rule.ts';

export interface SiteRecordSubmission {
  readonly now: Instant;
  /** Who signed, each once; the keys are enrolled, valid now, and their signatures verified. */
  readonly signers: readonly [TrustedKey, ...TrustedKey[]];
  /** What came with it and is not logged itself. */
  readonly attachments: Attachments;
  readonly line: LineContext;
}

/** Throws a `LineRefusal` when the record may not be logged. Line, time and number of signatures were checked before. */
export type SiteRecordCheck<Predicate> = (
  record: SiteRecord<Predicate>,
  submission: SiteRecordSubmission,
) => void | Promise<void>;

/** A rule with its check, as the table of checks holds it. */
export type CheckedRule = readonly [rule: SiteRecordRule<unknown>, check: SiteRecordCheck<unknown>];

/** Keeps the predicate's type to the check; the table holds checks of all kinds. */
export function defineCheck<Predicate>(rule: SiteRecordRule<unknown>, check: SiteRecordCheck<Predicate>): CheckedRule {
  return [rule, check as SiteRecordCheck<unknown>];
}
