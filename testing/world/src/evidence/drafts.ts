// SPDX-License-Identifier: Apache-2.0
/** What honest people and machines would write: complete predicates, for tests to sign as they are or after one change. */
import { encodeHex, encodeUtf8, formatInstant, sha256, sha256Hex, type Bytes, type Instant } from '@witnessmark/core';
import {
  deriveLabelSerial,
  toDeviceId,
  type ChainedEvent,
  type ClockEvidence,
  type Disposition,
  type EffectivityRule,
  type Environment,
  type OperatorSession,
  type ProvisioningEvent,
  type ProvisioningIntent,
  type Refusal,
  type ReleaseApproval,
  type ReleaseCandidate,
  type ReleaseManifest,
  type ReleaseReference,
} from '@witnessmark/attestation';
import { CALENDAR, CAST, LINE } from './cast.ts';

const SECOND_MS = 1000;
const SKU = 'GW-210';
const IMAGE_LENGTH = 1024 * 1024;
const NOT_SPECIAL: Environment = { simulated: false, rehearsal: false, breakGlass: null };
const PROGRAMMER = { model: 'serprog', serial: 'PG-0031', firmware: '1.4' };

/** UUIDs in the order in which they are asked for. */
export class IdSource {
  #next = 0;

  next(): string {
    this.#next += 1;
    return `01950000-0000-7000-8000-${this.#next.toString(16).padStart(12, '0')}`;
  }
}

export interface TestDevice {
  readonly hardwareUid: Bytes;
  readonly deviceId: string;
  /** The serial that belongs to it. */
  readonly serial: string;
}

export function testDevice(name: string): TestDevice {
  const hardwareUid = sha256(encodeUtf8(`device ${name}`)).slice(0, 8);
  const deviceId = toDeviceId({ scheme: 'spi-nor-uid', value: hardwareUid });
  return { hardwareUid, deviceId, serial: deriveLabelSerial(SKU, deviceId) };
}

export function draftManifest(releaseId = 'gateway-4.2.0', releaseCounter = 41): ReleaseManifest {
  return {
    mediaType: 'application/vnd.witnessmark.release.v1+json',
    releaseId,
    version: releaseId.slice(releaseId.lastIndexOf('-') + 1),
    releaseCounter,
    product: { sku: SKU, hwModel: 'gateway', hwVersions: ['B', 'C'] },
    components: [
      {
        name: 'firmware',
        targetPath: `images/${releaseId}.bin`,
        mediaType: 'application/octet-stream',
        sha256: sha256Hex(encodeUtf8(`image of ${releaseId}`)),
        length: IMAGE_LENGTH,
        address: 0,
        version: '4.2.0',
        securityCounter: 7,
      },
    ],
    recipe: { name: 'spi-nor', version: '3', steps: ['program', 'measure', 'lock'] },
    labelRule: 'derived',
    notes: '',
    supersedes: null,
  };
}

export function draftEffectivity(manifest: ReleaseManifest): EffectivityRule {
  return {
    sku: manifest.product.sku,
    hwVersions: ['B', 'C'],
    workOrders: ['WO-1187'],
    releaseId: manifest.releaseId,
    eco: 'ECO-1234',
    validFrom: formatInstant(CALENDAR.proposalExpiresAt),
    validUntil: null,
    maxUnits: 500,
  };
}

export function draftCandidate(manifest: ReleaseManifest): ReleaseCandidate {
  return {
    promotionId: `P-${manifest.releaseId}`,
    manifest,
    effectivity: draftEffectivity(manifest),
    targets: { version: 88, digest: { sha256: sha256Hex(encodeUtf8(`targets with ${manifest.releaseId}`)) } },
    proposedBy: { id: CAST.author.owner },
    proposedAt: formatInstant(CALENDAR.proposedAt),
    expiresAt: formatInstant(CALENDAR.proposalExpiresAt),
    ticket: 'REL-88',
    reason: 'fixes the watchdog',
  };
}

export function draftApproval(
  { promotionId, manifest }: ReleaseCandidate,
  approver: ReleaseApproval['approver'],
  approvedAt: Instant,
): ReleaseApproval {
  return {
    promotionId,
    releaseId: manifest.releaseId,
    decision: 'approve',
    approver,
    meaning: 'tested, may be programmed',
    ticket: 'REL-88',
    approvedAt: formatInstant(approvedAt),
    expiresAt: formatInstant(CALENDAR.proposalExpiresAt),
  };
}

export function draftSession(id: string, credentialKeyid: string): OperatorSession {
  return {
    session: {
      id,
      openedAt: formatInstant(CALENDAR.sessionOpenedAt),
      expiresAt: formatInstant(CALENDAR.sessionExpiresAt),
      idleMinutes: 30,
      batchUnits: 100,
      challenge: sha256Hex(encodeUtf8(`challenge for ${id}`)),
      supersedes: null,
    },
    operator: { id: CAST.operator.owner, role: 'operator', credentialKeyDigest: { sha256: credentialKeyid } },
    credential: { kind: CAST.operator.key.custody === 'hardware' ? 'piv' : 'software-key' },
    station: { id: CAST.station.owner, line: LINE.id },
  };
}

/** The same by badge: the line has checked it, and signs in place of the person. */
export function byBadge(session: OperatorSession, lineKeyid: string): OperatorSession {
  return {
    ...session,
    operator: { ...session.operator, credentialKeyDigest: { sha256: lineKeyid } },
    credential: { kind: 'badge-pin', badgeDigest: { sha256: sha256Hex(encodeUtf8('badge 3310')) } },
  };
}

interface IntentContext {
  readonly ids: IdSource;
  readonly device: TestDevice;
  readonly manifest: ReleaseManifest;
  readonly candidateDigest: string;
  readonly session: OperatorSession;
  readonly sessionDigest: string;
  readonly chain: Pick<ChainedEvent, 'seq' | 'previousEventDigest'>;
  readonly attempt: number;
  readonly at: Instant;
}

export function draftIntent(context: IntentContext): ProvisioningIntent {
  const { ids, device, manifest, session, at } = context;
  return {
    event: {
      id: ids.next(),
      type: 'provision',
      ...context.chain,
      transactionId: ids.next(),
      reason: null,
      supersedes: null,
    },
    identity: {
      deviceId: device.deviceId,
      scheme: 'spi-nor-uid',
      hardwareUid: { sha256: sha256Hex(device.hardwareUid) },
      label: { raw: device.serial, symbology: 'd2', serial: device.serial, partNumber: null },
      identityMatch: 'MATCH',
      anchors: ['hardwareUid'],
    },
    product: { sku: SKU, hwModel: 'gateway', hwVersion: 'C', workOrder: 'WO-1187', lot: 'K7' },
    release: draftReleaseReference(manifest, context.candidateDigest),
    recipe: {
      name: manifest.recipe.name,
      version: manifest.recipe.version,
      digest: { sha256: sha256Hex(encodeUtf8(JSON.stringify(manifest.recipe))) },
    },
    components: manifest.components.map(({ name, sha256: digest, length, targetPath, address }) => ({
      name,
      slot: `0x${address.toString(16)}`,
      image: { name: targetPath, digest: { sha256: digest }, length },
    })),
    station: {
      id: session.station.id,
      line: session.station.line,
      plant: LINE.plant,
      softwareDigest: { sha256: sha256Hex(encodeUtf8('station software 0.1.0')) },
      programmer: PROGRAMMER,
    },
    operator: {
      ...session.operator,
      credential: session.credential.kind,
      sessionDigest: { sha256: context.sessionDigest },
      authenticatedAt: session.session.openedAt,
    },
    permitDigest: { sha256: sha256Hex(encodeUtf8(`permit for ${device.deviceId} at ${at}`)) },
    timing: { intendedAt: formatInstant(at), clock: saneClock(at) },
    attempt: context.attempt,
    environment: NOT_SPECIAL,
  };
}

/** The event that closes an intent, 42 seconds later, with everything as it should be. */
export function draftEvent(
  ids: IdSource,
  intent: ProvisioningIntent,
  intentDigest: string,
  manifest: ReleaseManifest,
): ProvisioningEvent {
  const intendedAt = Date.parse(intent.timing.intendedAt);
  const signedAt = intendedAt + 42 * SECOND_MS;
  const { identity, product, release, recipe, station, operator, attempt, environment } = intent;
  return {
    event: {
      ...intent.event,
      id: ids.next(),
      seq: intent.event.seq + 1,
      previousEventDigest: { sha256: intentDigest },
    },
    identity,
    product,
    release,
    recipe,
    components: intent.components.map(({ name, slot, image }) => {
      const approved = manifest.components.find((component) => component.name === name);
      return {
        name,
        slot,
        image: { ...image, mediaType: approved?.mediaType ?? 'application/octet-stream' },
        version: approved?.version ?? '0',
        securityCounter: approved?.securityCounter ?? 0,
        measurement: { recipe: 'flash-range', digest: image.digest, result: 'SUCCESS', grade: 'readBack' },
      };
    }),
    keys: [],
    security: {
      writeProtection: { state: 'locked', grade: 'readBack' },
      debugPort: null,
      lifecycleState: 'prod',
      rollbackCounterAfter: null,
    },
    station,
    operator,
    intentDigest: { sha256: intentDigest },
    approvals: [],
    timing: {
      startedAt: formatInstant(intendedAt - 3 * SECOND_MS),
      programmedAt: formatInstant(intendedAt + 30 * SECOND_MS),
      measuredAt: formatInstant(intendedAt + 40 * SECOND_MS),
      signedAt: formatInstant(signedAt),
      clock: saneClock(signedAt),
    },
    attempt,
    outcome: 'SUCCEEDED',
    code: null,
    checks: [{ name: 'hardwareIdAfter', result: 'SUCCESS' }],
    exceptions: [],
    environment,
  };
}

export function draftRefusal(ids: IdSource, device: TestDevice, refusedAt: Instant): Refusal {
  return {
    id: ids.next(),
    transactionId: null,
    kind: 'LINE_STOP',
    code: 'LS-101',
    deviceId: device.deviceId,
    labelSerial: testDevice('somebody else').serial,
    station: { id: CAST.station.owner, line: LINE.id },
    operatorId: CAST.operator.owner,
    expected: device.serial,
    observed: testDevice('somebody else').serial,
    refusedAt: formatInstant(refusedAt),
    environment: NOT_SPECIAL,
  };
}

export function draftDisposition(ids: IdSource, refusal: Refusal, digest: string, decidedAt: Instant): Disposition {
  return {
    id: ids.next(),
    refusalId: refusal.id,
    refusalDigest: { sha256: digest },
    code: refusal.code,
    action: 'voidLabel',
    deviceId: refusal.deviceId,
    station: refusal.station,
    decidedBy: { id: CAST.supervisor.owner, role: 'supervisor' },
    reason: 'wrong roll, label destroyed',
    decidedAt: formatInstant(decidedAt),
  };
}

function draftReleaseReference(manifest: ReleaseManifest, candidateDigest: string): ReleaseReference {
  return {
    id: manifest.releaseId,
    version: manifest.version,
    releaseCounter: manifest.releaseCounter,
    candidateDigest: { sha256: candidateDigest },
    tuf: {
      rootVersion: 4,
      targetsVersion: 88,
      snapshotVersion: 120,
      timestampVersion: 733,
      timestampExpiresAt: formatInstant(CALENDAR.sessionExpiresAt),
    },
    effectivity: { version: 57, eco: 'ECO-1234', digest: { sha256: sha256Hex(encodeUtf8('effectivity 57')) } },
  };
}

/** The monotonic clock of one boot, two days up when the session opens. */
function saneClock(at: Instant): ClockEvidence {
  return {
    source: 'chrony',
    offsetMs: 0.4,
    errorBoundMs: 3,
    stratum: 2,
    lastSyncAgeMs: 31_000,
    monotonicMs: at - CALENDAR.proposalExpiresAt,
    bootId: encodeHex(sha256(encodeUtf8('boot'))).slice(0, 32),
    verdict: 'SANE',
  };
}
