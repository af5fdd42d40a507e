// SPDX-License-Identifier: Apache-2.0
/** What spooled statements, and refusals of them, do to the view of their spool. */
import { spoolName, type OfflineAllowance, type Refusal, type SpoolPlace } from '@witnessmark/attestation';
import type { ViewChange } from '@witnessmark/store';
import { nameOf, type SpoolOwner } from './spool-rules.ts';

/** The place is taken, and by this statement; whoever comes with it again finds it taken. */
export function takePlace(
  index: number,
  owner: SpoolOwner,
  place: SpoolPlace & { readonly unit?: number | undefined },
  digest: string,
): ViewChange {
  const { seq, previousDigest, allowanceDigest, unit } = place;
  return {
    op: 'update',
    table: 'spool',
    key: { name: nameOf(owner) },
    expect: {
      seq: seq - 1,
      head_digest: previousDigest?.sha256 ?? null,
      allowance_digest: allowanceDigest.sha256,
      ...(unit === undefined ? {} : { units: unit - 1 }),
    },
    set: { seq, head_digest: digest, last_index: index, ...(unit === undefined ? {} : { units: unit }) },
  };
}

export function projectOfflineRefusal(index: number, refusal: Refusal, digest: string): readonly ViewChange[] {
  const { station, offline, refusedPlace, brokenSpool, requestDigest } = refusal;
  const changes: ViewChange[] = [];
  if (offline !== undefined) changes.push(takePlace(index, station, offline, digest));
  // What the line would not take is accounted for by the refusal.
  if (refusedPlace !== undefined && requestDigest !== undefined) {
    changes.push(takePlace(index, station, refusedPlace, requestDigest.sha256));
  }
  if (brokenSpool !== undefined) {
    changes.push({
      op: 'update',
      table: 'spool',
      key: { name: spoolName(station.id, brokenSpool.slot) },
      expect: {},
      set: { state: 'broken', last_index: index },
      ifPresent: true,
    });
  }
  return changes;
}

export function projectAllowance(index: number, allowance: OfflineAllowance, digest: string): ViewChange {
  const { number, station, spool } = allowance;
  const begun = {
    allowance_digest: digest,
    allowance_number: number,
    units: 0,
    state: 'kept',
    last_index: index,
  } as const;
  const end = { seq: spool.seq, head_digest: spool.digest?.sha256 ?? null };
  const name = nameOf(station);
  if (number === 1) {
    return {
      op: 'insert',
      table: 'spool',
      row: { name, station: station.id, line: station.line, ...end, ...begun },
    };
  }
  return {
    op: 'update',
    table: 'spool',
    key: { name },
    expect: { allowance_number: number - 1, ...end },
    set: begun,
  };
}
