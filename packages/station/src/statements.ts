// SPDX-License-Identifier: Apache-2.0
/** The statements a station signs before it touches a device, and its refusals, built from what it knows: pure. */
import { encodeBase64, formatInstant, type Bytes, type PublicKey } from '@witnessmark/core';
import {
  buildStatement,
  deviceSubject,
  imageUnsealing,
  permitRequest,
  provisioningIntent,
  refusal,
  toComponentReferences,
  toRecipeReference,
  toSealedImageReferences,
  type Identity,
  type ImageUnsealing,
  type PermitRequest,
  type ProvisioningEvent,
  type ProvisioningIntent,
  type Refusal,
} from '@witnessmark/attestation';
import type { DeviceDriver } from '@witnessmark/device';
import type { ClockAssessment } from './clock-check.ts';
import type { HeldRelease, Job, SignedInSession, StationIdentity } from './ports.ts';
import type { GrantedPermit } from './recorder.ts';
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

type Fixture = Pick<DeviceDriver, 'programmer' | 'simulated'>;

/** Where and when a station says something. */
export interface Occasion {
  readonly station: StationIdentity;
  readonly fixture: Fixture;
  readonly clock: ClockAssessment;
}

export function describeStation(
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
  context: Occasion & {
    readonly requestId: string;
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
  context: Occasion & {
    readonly id: string;
    readonly permit: Pick<GrantedPermit, 'statement' | 'digest'>;
    readonly transportKey: PublicKey;
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
  context: Occasion & {
    readonly eventId: string;
    readonly permit: Pick<GrantedPermit, 'statement' | 'digest'>;
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
