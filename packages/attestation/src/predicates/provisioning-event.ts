// SPDX-License-Identifier: Apache-2.0
/** What was done to a device and what was observed afterwards: the per-serial manifest entry (spec/provisioning-event.md). */
import { z } from 'zod';
import { counter, digestSet, grade, identifier, instantText, remark } from '../fields.ts';
import { PREDICATE_TYPES, type PredicateDefinition } from '../statement.ts';
import {
  chainedEvent,
  clockEvidence,
  environment,
  identity,
  operator,
  product,
  protectionState,
  recipeReference,
  releaseReference,
  station,
} from './shared.ts';
import { spoolPlace } from './spool.ts';

export const OUTCOMES = ['SUCCEEDED', 'FAILED', 'ABORTED', 'INDETERMINATE'] as const;
export type Outcome = (typeof OUTCOMES)[number];
export const MEASUREMENT_RESULTS = ['SUCCESS', 'FAIL', 'NOT_RUN', 'ABSENT'] as const;

const component = z.object({
  name: identifier,
  slot: identifier,
  image: z.object({ name: identifier, digest: digestSet, length: counter, mediaType: identifier }),
  version: identifier,
  securityCounter: counter,
  measurement: z.object({
    /** How the digest was computed; `flash-range` hashes exactly the image's range as read back. */
    recipe: z.enum(['flash-range', 'device-attest']),
    digest: digestSet.nullable(),
    result: z.enum(MEASUREMENT_RESULTS),
    grade,
  }),
});

/** What the firmware says of itself when the board is started; only with the recipe step `bootDigest`. */
const boot = z.object({
  /** The component the board starts from. */
  component: identifier,
  /** What started the board. */
  model: identifier,
  digest: digestSet.nullable(),
  result: z.enum(MEASUREMENT_RESULTS),
  grade,
});

const key = z.object({
  purpose: identifier,
  origin: z.enum(['deviceGenerated', 'injectedWrapped']),
  publicKeyDigest: digestSet,
  certificateDigest: digestSet.nullable(),
  custodyGrade: z.enum(['vendorAttested', 'tpmCertified', 'selfReported', 'asserted']),
});

const schema = z.object({
  event: chainedEvent,
  identity,
  product,
  release: releaseReference,
  recipe: recipeReference,
  components: z.array(component).min(1).max(16),
  boot: boot.exactOptional(),
  keys: z.array(key).max(16),
  security: z.object({
    writeProtection: protectionState,
    debugPort: protectionState.nullable(),
    lifecycleState: z.enum(['open', 'dev', 'prod', 'prodEnd', 'rma', 'scrap']),
    rollbackCounterAfter: counter.nullable(),
  }),
  station,
  operator,
  /** SHA-256 of the intent statement's payload this event closes. */
  intentDigest: digestSet,
  approvals: z.array(z.object({ by: identifier, meaning: remark, at: instantText, ticket: identifier })).max(16),
  timing: z.object({
    startedAt: instantText,
    programmedAt: instantText.nullable(),
    measuredAt: instantText.nullable(),
    signedAt: instantText,
    clock: clockEvidence,
  }),
  attempt: z.int().min(1),
  outcome: z.enum(OUTCOMES),
  /** Reason code when the outcome is not SUCCEEDED. */
  code: identifier.nullable(),
  checks: z.array(z.object({ name: identifier, result: z.enum(MEASUREMENT_RESULTS) })).max(32),
  exceptions: z.array(identifier).max(32),
  environment,
  /** Present when it was made while the line did not answer. */
  offline: spoolPlace.optional(),
  extensions: z.record(identifier, z.unknown()).optional(),
});

export type ProvisioningEvent = z.infer<typeof schema>;
export const provisioningEvent: PredicateDefinition<ProvisioningEvent> = {
  predicateType: PREDICATE_TYPES.provisioningEvent,
  schema,
};

/** Whether an event says the unit is good: done, every component measured and equal, none that booted as another, nothing pending. */
export function isGoodUnit(event: ProvisioningEvent): boolean {
  return (
    event.outcome === 'SUCCEEDED' &&
    event.identity.identityMatch === 'MATCH' &&
    (event.boot === undefined || event.boot.result === 'SUCCESS') &&
    event.components.every(
      ({ image, measurement }) =>
        measurement.result === 'SUCCESS' && measurement.digest?.sha256 === image.digest.sha256,
    )
  );
}
