// SPDX-License-Identifier: Apache-2.0
/** The statements a station signs, built from what it knows: pure, so that flow and recovery say the same. */
import { encodeBase64, formatInstant, toDigestSet, type Bytes, type Instant } from '@witnessmark/core';
import {
  buildStatement,
  deviceSubject,
  imageUnsealing,
  permitRequest,
  provisioningEvent,
  provisioningIntent,
  refusal,
  toComponentReferences,
  toRecipeReference,
  toSealedImageReferences,
  type Identity,
  type ImageUnsealing,
  type Outcome,
  type PermitRequest,
  type ProvisioningEvent,
  type ProvisioningIntent,
  type Refusal,
  type ReleaseManifest,
} from '@witnessmark/attestation';
import type { DeviceDriver, LockState } from '@witnessmark/device';
import type { PublicKey, ReasonCode } from '@witnessmark/core';
import type { ClockAssessment } from './clock-check.ts';
import type { PermitTerms } from './recorder.ts';
import type { HeldRelease, Job, SignedInSession, StationIdentity } from './ports.ts';
import type { StartReference } from './starts/gate.ts';

/** What is known about a unit before anything is done to it. */
export interface BoundUnit {
  readonly transactionId: string;
  readonly identity: Identity;
  readonly job: Job;
  readonly release: HeldRelease;
  readonly session: SignedInSession;
  /** The logged start it is made under; null at a station that does not measure itself. */
  readonly start: StartReference | null;
  /** Why it is tried again, when the operator gave a reason. */
  readonly retestReason?: string;
}

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

type Fixture = Pick<DeviceDriver, 'programmer' | 'simulated'>;

function describeStation(
  identity: StationIdentity,
  fixture: Fixture,
  startDigest: ProvisioningEvent['station']['startDigest'],
): ProvisioningEvent['station'] {
  const { id, line, plant, softwareDigest, slot } = identity;
  const { model, serial, firmware } = fixture.programmer;
  return {
    id,
    line,
    plant,
    softwareDigest: { sha256: softwareDigest },
    programmer: { model, serial, firmware },
    ...(slot !== undefined && { slot }),
    ...(startDigest !== undefined && { startDigest }),
  };
}

export function toPermitRequest(
  unit: BoundUnit,
  context: {
    readonly requestId: string;
    readonly station: StationIdentity;
    readonly fixture: Fixture;
    readonly clock: ClockAssessment;
    readonly breakGlass: string | null;
    /** Where the spool ends. */
    readonly spool?: PermitRequest['spool'];
  },
): PermitRequest {
  return {
    requestId: context.requestId,
    transactionId: unit.transactionId,
    identity: unit.identity,
    product: toProduct(unit),
    releaseId: unit.release.manifest.releaseId,
    operator: toOperator(unit.session),
    ...(unit.start !== null && { station: { startDigest: { sha256: unit.start.digest } } }),
    ...(context.station.slot !== undefined && { slot: context.station.slot }),
    ...(unit.retestReason !== undefined && { retestReason: unit.retestReason }),
    ...(context.spool !== undefined && { spool: context.spool }),
    requestedAt: formatInstant(context.clock.now),
    clock: context.clock.evidence,
    environment: toEnvironment(context.station, context.fixture, context.breakGlass),
  };
}

export function formatPermitRequest(request: PermitRequest): Bytes {
  return buildStatement(permitRequest, deviceSubject(request.identity.deviceId), request);
}

/** The wish to have the content keys of a release for one unit. */
export function formatUnsealing(
  unit: BoundUnit,
  context: {
    readonly id: string;
    readonly permit: { readonly statement: PermitTerms; readonly digest: string };
    readonly transportKey: PublicKey;
    readonly station: StationIdentity;
    readonly fixture: Fixture;
    readonly clock: ClockAssessment;
  },
): Bytes {
  const { id, line, plant } = context.station;
  const unsealing: ImageUnsealing = {
    id: context.id,
    transactionId: unit.transactionId,
    identity: unit.identity,
    product: toProduct(unit),
    release: unit.release.reference,
    images: [...toSealedImageReferences(unit.release.manifest)],
    transportKey: encodeBase64(context.transportKey.spki),
    permitDigest: { sha256: context.permit.digest },
    station: { id, line, plant },
    operator: toOperator(unit.session),
    requestedAt: formatInstant(context.clock.now),
    clock: context.clock.evidence,
    environment: toEnvironment(context.station, context.fixture, context.permit.statement.breakGlass ?? null),
  };
  return buildStatement(imageUnsealing, deviceSubject(unit.identity.deviceId), unsealing);
}

export function formatIntent(
  unit: BoundUnit,
  context: {
    readonly eventId: string;
    readonly permit: { readonly statement: PermitTerms; readonly digest: string };
    readonly station: StationIdentity;
    readonly fixture: Fixture;
    readonly clock: ClockAssessment;
    /** Its place in the spool, while the line does not answer. */
    readonly offline?: ProvisioningIntent['offline'];
  },
): Bytes {
  const { manifest, reference } = unit.release;
  const { chain, attempt } = context.permit.statement;
  const intent: ProvisioningIntent = {
    event: {
      id: context.eventId,
      type: 'provision',
      seq: chain.nextSeq,
      previousEventDigest: chain.previousEventDigest,
      transactionId: unit.transactionId,
      reason: unit.retestReason ?? null,
      supersedes: null,
    },
    identity: unit.identity,
    product: toProduct(unit),
    release: reference,
    recipe: toRecipeReference(manifest),
    components: [...toComponentReferences(manifest)],
    station: describeStation(context.station, context.fixture, context.permit.statement.startDigest),
    operator: toOperator(unit.session),
    permitDigest: { sha256: context.permit.digest },
    timing: { intendedAt: formatInstant(context.clock.now), clock: context.clock.evidence },
    attempt,
    environment: toEnvironment(context.station, context.fixture, context.permit.statement.breakGlass ?? null),
    ...(context.offline !== undefined && { offline: context.offline }),
  };
  return buildStatement(provisioningIntent, deviceSubject(unit.identity.deviceId), intent);
}

/** The event that closes an intent; everything that was intended is repeated from the intent itself. */
export function toEvent(
  findings: UnitFindings,
  context: {
    readonly eventId: string;
    readonly intent: ProvisioningIntent;
    readonly intentPayload: Bytes;
    readonly manifest: ReleaseManifest;
    readonly station: StationIdentity;
    readonly fixture: Fixture;
    readonly clock: ClockAssessment;
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

/** About the device when there is one, otherwise about the station itself. */
export function formatRefusal(statement: Refusal, stationKey: PublicKey): Bytes {
  const subject =
    statement.deviceId === null
      ? { name: 'station', digest: { sha256: stationKey.keyid } }
      : deviceSubject(statement.deviceId);
  return buildStatement(refusal, subject, statement);
}

export function toEnvironment(
  { environment }: StationIdentity,
  { simulated }: Fixture,
  breakGlass: string | null,
): PermitRequest['environment'] {
  return { simulated, rehearsal: environment.rehearsal, breakGlass };
}

export function toProduct({ job, release }: Pick<BoundUnit, 'job' | 'release'>): ProvisioningIntent['product'] {
  const { sku, hwVersion, workOrder, lot } = job;
  return { sku, hwModel: release.manifest.product.hwModel, hwVersion, workOrder, lot };
}

export function toOperator({ statement, digest }: SignedInSession): ProvisioningIntent['operator'] {
  const { id, role, credentialKeyDigest } = statement.operator;
  return {
    id,
    role,
    credentialKeyDigest,
    credential: statement.credential.kind,
    sessionDigest: { sha256: digest },
    authenticatedAt: statement.session.openedAt,
  };
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
