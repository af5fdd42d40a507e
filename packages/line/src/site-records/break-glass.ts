// SPDX-License-Identifier: Apache-2.0
/**
 * Break-glass (spec/break-glass.md): opened by two people for minutes, ended by the clock or by a reseal, looked at by
 * somebody else. Its states are those of the opening's row: `open`, `resealed`, `reviewed`; time alone changes no row.
 */
import { encodeUtf8, sha256Hex } from '@witnessmark/core';
import {
  breakGlassClosing,
  breakGlassOpening,
  breakGlassReview,
  type BreakGlassClosing,
  type BreakGlassReview,
} from '@witnessmark/attestation';
import type { ViewChange } from '@witnessmark/store';
import { defineSiteRecord, type SiteRecordRule } from './rule.ts';

export const OPENING_KIND = 'break-glass-opening';
/** How long the second person may take to sign what the first one signed; it is taken from the minutes. */
const MAX_SIGNING_MS = 10 * 60_000;

/** What the statements of a line are about when they are about no device: its name. */
export function lineSubjectDigest(line: string): string {
  return sha256Hex(encodeUtf8(line));
}

export const openingRule = defineSiteRecord({
  definition: breakGlassOpening,
  kind: OPENING_KIND,
  signatures: 2,
  maxDelayMs: MAX_SIGNING_MS,
  describe: ({ id, place, requestedBy, openedAt }) => ({
    id,
    state: 'open',
    relatedId: null,
    station: place.station,
    line: place.line,
    actor: requestedBy.id,
    at: openedAt,
  }),
  // New work under suspended rules: not with the room that is kept for ending what was begun.
  work: 'new',
});

export const closingRule = defineSiteRecord({
  definition: breakGlassClosing,
  kind: 'break-glass-closing',
  describe: ({ id, openingId, place, resealedBy, resealedAt }) => ({
    id,
    state: 'done',
    relatedId: openingId,
    station: place.station,
    line: place.line,
    actor: resealedBy.id,
    at: resealedAt,
  }),
  transitions: ({ predicate }) => [move(predicate, 'open', 'resealed')],
});

export const reviewRule = defineSiteRecord({
  definition: breakGlassReview,
  kind: 'break-glass-review',
  describe: ({ id, openingId, place, verdict, reviewedBy, reviewedAt }) => ({
    id,
    state: verdict,
    relatedId: openingId,
    station: place.station,
    line: place.line,
    actor: reviewedBy.id,
    at: reviewedAt,
  }),
  transitions: ({ predicate }) => [move(predicate, 'resealed', 'reviewed')],
});

export const BREAK_GLASS_RULES: readonly SiteRecordRule<unknown>[] = [openingRule, closingRule, reviewRule];

function move(
  { openingId, openingDigest }: BreakGlassClosing | BreakGlassReview,
  from: string,
  to: string,
): ViewChange {
  return {
    op: 'update',
    table: 'site_record',
    key: { record_id: openingId },
    expect: { kind: OPENING_KIND, state: from, payload_digest: openingDigest.sha256 },
    set: { state: to },
  };
}
