// SPDX-License-Identifier: Apache-2.0
/**
 * What a refusal says about a spool. A spooled statement that the line will never take is accounted for by its refusal, so
 * that the next one can be judged; a gap breaks the spool until people have looked for what is missing.
 */
import { RefusedError, type ReasonCode } from '@witnessmark/core';
import type { Refusal, SpoolPlace } from '@witnessmark/attestation';
import type { SpoolRow, ViewReader } from '@witnessmark/store';
import { checkPlace, nameOf, type SpoolOwner } from './spool-rules.ts';

/** Where a request or statement belongs; `place` only for one that is spooled. */
export interface SpoolClaim {
  readonly owner: SpoolOwner;
  readonly place: (SpoolPlace & { readonly unit?: number | undefined }) | null;
}

/** The line could not decide, or not yet: the same statement comes again. */
const UNDECIDED: ReadonlySet<ReasonCode> = new Set<ReasonCode>(['LS-302', 'LS-303', 'LS-304', 'LS-317']);
const BREAKS: ReadonlySet<ReasonCode> = new Set<ReasonCode>(['LS-312', 'LS-313']);

export type SpoolMarks = Pick<Refusal, 'refusedPlace' | 'brokenSpool'>;

/** Empty when the refusal changes nothing about a spool. */
export async function markSpool(
  code: ReasonCode,
  { owner, place }: SpoolClaim,
  views: ViewReader,
): Promise<SpoolMarks> {
  if (BREAKS.has(code)) return markBroken(owner, views);
  if (place === null || UNDECIDED.has(code)) return {};
  const row = await views.spool(nameOf(owner));
  if (row === undefined || !isNext(place, owner, row)) return {};
  const { unit, allowanceDigest, seq, previousDigest } = place;
  const isUnit = unit === row.units + 1;
  return { refusedPlace: { allowanceDigest, seq, previousDigest, ...(isUnit ? { unit } : {}) } };
}

async function markBroken(owner: SpoolOwner, views: ViewReader): Promise<SpoolMarks> {
  // A station that has forgotten its spools names none.
  const row = (await views.spool(nameOf(owner))) ?? (await views.spoolsOf(owner.id))[0];
  if (row === undefined || row.state === 'broken') return {};
  const slot = row.name === row.station ? {} : { slot: Number(row.name.slice(row.station.length + 1)) };
  const digest = row.head_digest === null ? null : { sha256: row.head_digest };
  return { brokenSpool: { ...slot, seq: row.seq, digest } };
}

function isNext(place: SpoolPlace, owner: SpoolOwner, row: SpoolRow): boolean {
  try {
    checkPlace(place, owner, row);
    return true;
  } catch (error) {
    if (error instanceof RefusedError) return false;
    throw error;
  }
}
