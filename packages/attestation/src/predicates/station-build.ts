// SPDX-License-Identifier: Apache-2.0
/** What stations may be made of, proposed by one person and approved by another (spec/station-build.md, "Record"). */
import { z } from 'zod';
import type { KeyRole } from '../documents/trusted-root.ts';
import { counter, digestSet, identifier, instantText, remark, uuid } from '../fields.ts';
import { PREDICATE_TYPES, type PredicateDefinition } from '../statement.ts';

/** Whose key may propose a build. */
export const BUILD_PROPOSAL_ROLES: readonly KeyRole[] = ['supervisor', 'author', 'approver'];
/** Whose key may approve one. */
export const BUILD_APPROVAL_ROLES: readonly KeyRole[] = ['approver'];
export const MAX_TOLERATED_PATTERNS = 64;

const person = z.object({ id: identifier, role: identifier });

/** Both people sign; subject: `build`, the manifest's digest. */
const schema = z.object({
  id: uuid,
  place: z.object({ plant: identifier, line: identifier }),
  /** The stations it is for; what is different between them is tolerated. */
  stations: z.array(identifier).min(1).max(64),
  /** Higher than that of every record before for any of these stations. */
  version: z.int().min(1),
  /** The manifest without the lines that come and go: SHA-256 of its text, which is the subject as well, and its lines. */
  manifest: z.object({ digest: digestSet, lines: counter }),
  /** Lines that may come and go: `section pattern`, `*` for any characters. */
  tolerated: z.array(z.string().min(1).max(512)).max(MAX_TOLERATED_PATTERNS),
  /** What a rebuild takes its files from: SHA-256 of the kit's list, and how much it names. */
  kit: z.object({ digest: digestSet, files: counter, bytes: counter }),
  proposedBy: person,
  approvedBy: person,
  reason: remark.min(1),
  ticket: identifier,
  proposedAt: instantText,
});

export type StationBuild = z.infer<typeof schema>;
export const stationBuild: PredicateDefinition<StationBuild> = {
  predicateType: PREDICATE_TYPES.stationBuild,
  schema,
};
