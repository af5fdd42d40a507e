// SPDX-License-Identifier: Apache-2.0
/**
 * Whether a spooled statement is the next one of its spool (spec/offline-spool.md). What is missing is named: which spool,
 * from which number to which.
 */
import { spoolName, type SpoolHead, type SpoolPlace } from '@witnessmark/attestation';
import type { SpoolRow } from '@witnessmark/store';
import { ensure, LineRefusal } from '../error.ts';

/** The spool a statement belongs to. */
export interface SpoolOwner {
  readonly id: string;
  readonly slot?: number | undefined;
}

export function nameOf({ id, slot }: SpoolOwner): string {
  return spoolName(id, slot);
}

/** Throws LS-312 for a gap, LS-313 for another predecessor, LS-314 for a number that is taken, LS-315 without an allowance. */
export function checkPlace(place: SpoolPlace, owner: SpoolOwner, row: SpoolRow | undefined): SpoolRow {
  const name = nameOf(owner);
  if (row === undefined) throw new LineRefusal('LS-315', `an allowance of ${name}`, 'none was ever given');
  ensure(place.seq > row.seq, 'LS-314', `record ${row.seq + 1} of ${name}`, `record ${place.seq} once more`);
  if (place.seq > row.seq + 1) throw gap(name, row.seq + 1, place.seq - 1);
  const previous = place.previousDigest?.sha256 ?? null;
  ensure(
    previous === row.head_digest,
    'LS-313',
    `record ${place.seq} of ${name} after ${describe(row.head_digest)}`,
    `one after ${describe(previous)}`,
  );
  ensure(row.state === 'kept', 'LS-317', `a new allowance of ${name}, whose spool was broken`, 'the one before');
  ensure(
    place.allowanceDigest.sha256 === row.allowance_digest,
    'LS-315',
    `allowance ${row.allowance_number} of ${name} (${describe(row.allowance_digest)})`,
    describe(place.allowanceDigest.sha256),
  );
  return row;
}

/**
 * A delivery begins where the spool ends or before: one that was broken off is repeated from its beginning, and each of its
 * statements is answered as it was. Throws as {@link checkPlace} does.
 */
export function checkBeginning(place: SpoolPlace, owner: SpoolOwner, row: SpoolRow | undefined): void {
  const isRepeated = row !== undefined && place.seq <= row.seq;
  // What it names as the one before is in the log then; only the rest is still to be judged.
  const previousDigest = row?.head_digest == null ? null : { sha256: row.head_digest };
  checkPlace(isRepeated ? { ...place, seq: row.seq + 1, previousDigest } : place, owner, row);
}

/** A station that asks for something knows where its spool ends, and the line knows the same. Throws LS-312, LS-313 or LS-317. */
export function checkHead(known: SpoolHead | undefined, owner: SpoolOwner, row: SpoolRow): void {
  const name = nameOf(owner);
  ensure(row.state === 'kept', 'LS-317', `a new allowance of ${name}, whose spool was broken`, 'none yet');
  requireSameEnd(known, name, row);
}

/** As {@link checkHead} for the request of an allowance, which is how a broken spool goes on. */
export function checkHeadOrBroken(known: SpoolHead | undefined, owner: SpoolOwner, row: SpoolRow | undefined): void {
  if (row?.state === 'broken') return;
  const seq = known?.seq ?? 0;
  if (row !== undefined) requireSameEnd(known, nameOf(owner), row);
  else ensure(seq === 0, 'LS-312', `a spool of ${nameOf(owner)} that begins`, `one that ends at ${seq}`);
}

function requireSameEnd(known: SpoolHead | undefined, name: string, row: SpoolRow): void {
  const seq = known?.seq ?? 0;
  if (known === undefined) {
    throw new LineRefusal(
      'LS-312',
      `a station that knows its spool ${name}, from record ${row.seq + 1} under allowance ${row.allowance_number}`,
      'one that knows of none',
    );
  }
  if (seq > row.seq) throw gap(name, row.seq + 1, seq);
  ensure(seq === row.seq, 'LS-312', `record ${row.seq} of ${name}, which was delivered`, `a spool that ends at ${seq}`);
  const digest = known.digest?.sha256 ?? null;
  ensure(digest === row.head_digest, 'LS-313', `${name} ending in ${describe(row.head_digest)}`, describe(digest));
}

function gap(name: string, first: number, last: number): LineRefusal {
  const range = first === last ? `record ${first}` : `records ${first} to ${last}`;
  return new LineRefusal('LS-312', `${range} of ${name}`, 'a spool without');
}

function describe(digest: string | null): string {
  return digest === null ? 'nothing' : `${digest.slice(0, 16)}…`;
}
