// SPDX-License-Identifier: Apache-2.0
/** The event that closes an intent, built from what was done and seen: pure, so that flow and recovery say the same. */
import { formatInstant, toDigestSet, type Bytes, type Instant, type ReasonCode } from '@witnessmark/core';
import {
  buildStatement,
  deviceSubject,
  provisioningEvent,
  toComponentReferences,
  type Outcome,
  type ProvisioningEvent,
  type ProvisioningIntent,
  type ReleaseManifest,
} from '@witnessmark/attestation';
import type { LockState } from '@witnessmark/device';
import { describeStation, type Occasion } from './statements.ts';

export type Measurement = Pick<ProvisioningEvent['components'][number]['measurement'], 'digest' | 'result'>;

/** What was done and seen between an intent and its event. */
export interface UnitFindings {
  readonly type: 'provision' | 'hold';
  readonly outcome: Outcome;
  readonly code: ReasonCode | null;
  readonly reason: string | null;
  /** By component name; a component without one was not measured. */
  readonly measurements: ReadonlyMap<string, Measurement>;
  /** What the firmware said of itself; null when it was not asked. */
  readonly boot: NonNullable<ProvisioningEvent['boot']> | null;
  readonly protection: LockState | null;
  readonly programmedAt: Instant | null;
  readonly measuredAt: Instant | null;
  readonly checks: ProvisioningEvent['checks'];
}

/** Everything that was intended is repeated from the intent itself. */
export function toEvent(
  findings: UnitFindings,
  context: Occasion & {
    readonly eventId: string;
    readonly intent: ProvisioningIntent;
    readonly intentPayload: Bytes;
    readonly manifest: ReleaseManifest;
    /** Its place in the spool, while its intent waits there. */
    readonly offline?: ProvisioningEvent['offline'];
  },
): ProvisioningEvent {
  const { intent, manifest } = context;
  const intentDigest = toDigestSet(context.intentPayload);
  return {
    event: {
      id: context.eventId,
      type: findings.type,
      seq: intent.event.seq + 1,
      previousEventDigest: intentDigest,
      transactionId: intent.event.transactionId,
      reason: findings.reason,
      supersedes: null,
    },
    identity: intent.identity,
    product: intent.product,
    release: intent.release,
    recipe: intent.recipe,
    components: toComponents(manifest, findings),
    ...(findings.boot !== null && { boot: findings.boot }),
    keys: [],
    security: {
      writeProtection: toProtectionState(findings.protection),
      debugPort: null,
      lifecycleState: 'open',
      rollbackCounterAfter: null,
    },
    station: describeStation(context.station, context.fixture, intent.station.startDigest),
    operator: intent.operator,
    intentDigest,
    approvals: [],
    timing: {
      startedAt: intent.timing.intendedAt,
      programmedAt: formatOptionalInstant(findings.programmedAt),
      measuredAt: formatOptionalInstant(findings.measuredAt),
      signedAt: formatInstant(context.clock.now),
      clock: context.clock.evidence,
    },
    attempt: intent.attempt,
    outcome: findings.outcome,
    code: findings.code,
    checks: findings.checks,
    exceptions: [],
    // What was begun under a mark ends under it.
    environment: { ...intent.environment, simulated: intent.environment.simulated || context.fixture.simulated },
    ...(context.offline !== undefined && { offline: context.offline }),
  };
}

export function formatEvent(event: ProvisioningEvent): Bytes {
  return buildStatement(provisioningEvent, deviceSubject(event.identity.deviceId), event);
}

function toComponents(manifest: ReleaseManifest, findings: UnitFindings): ProvisioningEvent['components'] {
  return toComponentReferences(manifest).map((reference, index) => {
    const { mediaType, version, securityCounter } = manifest.components[index] as ReleaseManifest['components'][number];
    const measurement = findings.measurements.get(reference.name) ?? { digest: null, result: 'NOT_RUN' };
    return {
      ...reference,
      image: { ...reference.image, mediaType },
      version,
      securityCounter,
      measurement: {
        recipe: 'flash-range',
        ...measurement,
        // What was not read back is known only from having been asked for.
        grade: measurement.digest === null ? 'requested' : 'readBack',
      },
    };
  });
}

function toProtectionState(protection: LockState | null): ProvisioningEvent['security']['writeProtection'] {
  if (protection === null) return { state: 'unknown', grade: 'requested' };
  // A lock that was set and could not be put to the test is known only from having been ordered.
  return { state: protection, grade: protection === 'unknown' ? 'commanded' : 'readBack' };
}

function formatOptionalInstant(instant: Instant | null): string | null {
  return instant === null ? null : formatInstant(instant);
}
