// SPDX-License-Identifier: Apache-2.0
/** Groups of fields that several predicates carry, named as in spec/provisioning-event.md. */
import { z } from 'zod';
import {
  counter,
  credentialKind,
  digestSet,
  grade,
  identifier,
  instantText,
  remark,
  sha256Text,
  uuid,
} from '../fields.ts';
import { HARDWARE_ID_SCHEMES } from '../device-id.ts';

export const CLOCK_VERDICTS = ['SANE', 'DEGRADED', 'INSANE'] as const;
export const IDENTITY_MATCHES = ['MATCH', 'MISMATCH', 'NOT_READ', 'AMBIGUOUS'] as const;

/** What the maker of a record knew about its clock at that moment. */
export const clockEvidence = z.object({
  source: identifier,
  /** Signed difference to the source, in milliseconds. */
  offsetMs: z.number().nullable(),
  errorBoundMs: z.number().min(0).nullable(),
  stratum: z.int().min(0).max(16).nullable(),
  lastSyncAgeMs: z.number().min(0).nullable(),
  monotonicMs: z.number().min(0),
  bootId: identifier,
  verdict: z.enum(CLOCK_VERDICTS),
});
export type ClockEvidence = z.infer<typeof clockEvidence>;

/** Marks that production policies refuse. */
export const environment = z.object({
  simulated: z.boolean(),
  rehearsal: z.boolean(),
  breakGlass: identifier.nullable(),
});
export type Environment = z.infer<typeof environment>;

/** A link of a unit's event chain: consecutive numbers, each naming its predecessor's payload. */
export const chainedEvent = z.object({
  id: uuid,
  type: z.enum([
    'provision',
    'program',
    'verify',
    'lock',
    'rework',
    'reflash',
    'hold',
    'release',
    'scrap',
    'rma',
    'reissue',
    'relabel',
    'golden',
  ]),
  seq: z.int().min(1),
  /** SHA-256 of the previous statement's payload; null for the first. */
  previousEventDigest: digestSet.nullable(),
  transactionId: uuid,
  reason: remark.nullable(),
  supersedes: uuid.nullable(),
});
export type ChainedEvent = z.infer<typeof chainedEvent>;

const label = z.object({
  raw: z.string().max(512),
  symbology: z.string().max(8),
  serial: identifier,
  partNumber: identifier.nullable(),
});

/** How many places a station or a panel can have at most. */
export const MAX_SLOTS = 8;
export const MAX_PANEL_POSITIONS = 64;

/** Where a unit sat while boards were still in one piece, and which places of that panel hold no unit. */
export const panel = z.object({
  id: identifier,
  position: z.int().min(1).max(MAX_PANEL_POSITIONS),
  positions: z.int().min(1).max(MAX_PANEL_POSITIONS),
  /** Positions that were marked bad before programming, ascending. */
  xOuts: z.array(z.int().min(1).max(MAX_PANEL_POSITIONS)).max(MAX_PANEL_POSITIONS),
});
export type PanelPlace = z.infer<typeof panel>;

export const identity = z.object({
  deviceId: sha256Text,
  scheme: z.enum(HARDWARE_ID_SCHEMES),
  hardwareUid: digestSet,
  label: label.nullable(),
  identityMatch: z.enum(IDENTITY_MATCHES),
  anchors: z.array(identifier).max(8),
  /** Absent for a unit that came by itself. */
  panel: panel.optional(),
});
export type Identity = z.infer<typeof identity>;

export const product = z.object({
  sku: identifier,
  hwModel: identifier,
  hwVersion: identifier,
  workOrder: identifier.nullable(),
  lot: identifier.nullable(),
});

/** Which release, and which state of the trust repository said so. */
export const releaseReference = z.object({
  id: identifier,
  version: identifier,
  releaseCounter: counter,
  /** SHA-256 of the candidate statement's payload that the approvals name. */
  candidateDigest: digestSet,
  tuf: z.object({
    rootVersion: counter,
    targetsVersion: counter,
    snapshotVersion: counter,
    timestampVersion: counter,
    timestampExpiresAt: instantText,
  }),
  effectivity: z.object({ version: counter, eco: identifier, digest: digestSet }),
});
export type ReleaseReference = z.infer<typeof releaseReference>;

export const recipeReference = z.object({ name: identifier, version: identifier, digest: digestSet });

export const station = z.object({
  id: identifier,
  line: identifier,
  plant: identifier,
  softwareDigest: digestSet,
  programmer: z.object({ model: identifier, serial: identifier.nullable(), firmware: identifier.nullable() }),
  /** The place at a station that has several. */
  slot: z.int().min(1).max(MAX_SLOTS).optional(),
  /** SHA-256 of the payload of the station's newest logged start: which instance of it, and in which state. */
  startDigest: digestSet.optional(),
});

export const operator = z.object({
  id: identifier,
  role: identifier,
  credentialKeyDigest: digestSet,
  /** The grade of the sign-in, as its session states it. */
  credential: credentialKind,
  /** SHA-256 of the operator-session statement's payload. */
  sessionDigest: digestSet,
  authenticatedAt: instantText,
});

export const protectionState = z.object({
  /** `locked` only if a read after reset said so. */
  state: z.enum(['locked', 'open', 'unknown']),
  grade,
});
