// SPDX-License-Identifier: Apache-2.0
/** Where a statement stands that was made while the line did not answer (spec/offline-spool.md). */
import { z } from 'zod';
import { digestSet } from '../fields.ts';
import { MAX_SLOTS } from './shared.ts';

/** A place in a station's spool: the numbers go on for ever, and each statement names the one before it. */
export const spoolPlace = z.object({
  /** SHA-256 of the payload of the allowance it was made under. */
  allowanceDigest: digestSet,
  seq: z.int().min(1),
  /** SHA-256 of the payload of the statement before it in this spool; null for the first of all. */
  previousDigest: digestSet.nullable(),
});
export type SpoolPlace = z.infer<typeof spoolPlace>;

/** An intent begins a unit, and says the how many-th under its allowance. */
export const spooledIntent = spoolPlace.extend({ unit: z.int().min(1) });

/** The end of a spool as somebody knows it; 0 and null before its first statement. */
export const spoolHead = z.object({
  /** The slot the spool belongs to, at a station that has several. */
  slot: z.int().min(1).max(MAX_SLOTS).optional(),
  seq: z.int().min(0),
  digest: digestSet.nullable(),
});
export type SpoolHead = z.infer<typeof spoolHead>;

/** The name of a spool at the line: that of its station, and the slot besides the first, which is where a single one was. */
export function spoolName(station: string, slot: number | undefined): string {
  return slot === undefined || slot === 1 ? station : `${station}/${slot}`;
}
