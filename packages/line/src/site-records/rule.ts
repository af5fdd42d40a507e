// SPDX-License-Identifier: Apache-2.0
/**
 * What a line has to know about a kind of statement that is no link of a unit's chain, in order to read it and to show it
 * in the views. What must hold before it is logged is the check of its kind. A new kind is a rule, a check, and a row in
 * the table of each.
 */
import type { PredicateDefinition } from '@witnessmark/attestation';
import type { ViewChange, WorkKind } from '@witnessmark/store';

/** What the view keeps of a record; from its bytes alone. */
export interface SiteRecordFacts {
  /** A UUID; one id is one record (I14). */
  readonly id: string;
  /** Where records of this kind begin; transitions of later ones change it. */
  readonly state: string;
  /** The id of what it is about or goes on from, when there is one. */
  readonly relatedId: string | null;
  /** Null when it is about the whole line. */
  readonly station: string | null;
  readonly line: string;
  /** The person, or the station, that answers for it. */
  readonly actor: string;
  /** RFC 3339: when the maker says it was made. */
  readonly at: string;
}

export interface SiteRecord<Predicate> {
  readonly id: string;
  /** SHA-256 of the payload. */
  readonly digest: string;
  /** SHA-256 the statement names as its subject. */
  readonly subject: string;
  readonly predicate: Predicate;
}

export interface SiteRecordRule<Predicate> {
  readonly definition: PredicateDefinition<Predicate>;
  /** The last part of the predicate type, as the view and people name it. */
  readonly kind: string;
  /** How many people or machines sign; one unless said. */
  readonly signatures?: number | ((predicate: Predicate) => number);
  readonly describe: (predicate: Predicate) => SiteRecordFacts;
  /** How late a record may be delivered, in milliseconds; the tolerance of the line's clock unless said. */
  readonly maxDelayMs?: number;
  /** What it does to other rows; an expectation that fails refuses it. */
  readonly transitions?: (record: SiteRecord<Predicate>, index: number) => readonly ViewChange[];
  /** Whether it needs room as new work does; unless said it may use the reserve. */
  readonly work?: WorkKind;
}

/** Keeps the predicate's type to the rule; the table holds rules of all kinds. */
export function defineSiteRecord<Predicate>(rule: SiteRecordRule<Predicate>): SiteRecordRule<unknown> {
  return rule as SiteRecordRule<unknown>;
}
