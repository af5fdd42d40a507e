// SPDX-License-Identifier: Apache-2.0
/** A real line – SQLite, evidence log, signatures – with a clock the test sets, and stations that can also lie. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatInstant, RefusedError, sha256Hex, type Clock, type Instant } from '@witnessmark/core';
import {
  deriveLabelSerial,
  deviceSubject,
  disposition,
  operatorSession,
  parseStatement,
  permit as permitDefinition,
  permitRequest,
  provisioningEvent,
  provisioningIntent,
  refusal,
  sessionEnd,
  toComponentReferences,
  toDeviceId,
  toRecipeReference,
  type ClockEvidence,
  type Disposition,
  type OperatorSession,
  type Permit,
  type PermitRequest,
  type PredicateDefinition,
  type ProvisioningEvent,
  type ProvisioningIntent,
  type Refusal,
  type ReleaseManifest,
  type SessionEnd,
} from '@witnessmark/attestation';
import type { LoggedEntry, OpenSession, OpenStop } from '@witnessmark/api';
import type { Signer } from '@witnessmark/custody';
import { EvidenceLog, TileStorage, type EvidenceLogOptions } from '@witnessmark/log';
import { DiskGuard, openSqliteStore, type SqliteStore, type Store } from '@witnessmark/store';
import { Line, toLineRules, type LineOptions, type LineRules } from '../../src/index.ts';
import { CAST, LOG_SIGNER, PLACE, START, toTrustedRoot, type Name } from './cast.ts';
import { PRODUCT, TestReleases, toManifest } from './release.ts';
import { signStatement, type Signed } from './signed.ts';

export type StationName = 'station' | 'secondStation' | 'otherLineStation' | 'expiredStation';

/** Tests that are not about sessions do everything in one. */
const LONG_SESSIONS: LineRules['signIn'] = {
  credentials: ['piv', 'badge-pin', 'software-key'],
  idleMinutes: 12 * 60,
  batchUnits: 1000,
  maxWrongPins: 3,
  wrongPinsPerMinute: 10,
};

export class TestClock implements Clock {
  instant: Instant = START;
  #uptimeMs = 0;

  now(): Instant {
    return this.instant;
  }

  monotonic(): number {
    return this.#uptimeMs;
  }

  /** Back too, as somebody sets a clock; the time since the start of the machine never does. */
  advance(milliseconds: number): void {
    this.instant += milliseconds;
    this.#uptimeMs += Math.max(0, milliseconds);
  }
}

export interface WorldOptions {
  readonly rules?: Partial<LineRules>;
  readonly releases?: TestReleases;
  readonly log?: Partial<EvidenceLogOptions>;
  readonly line?: Partial<LineOptions>;
  /** Between log and database. */
  readonly wrapStore?: (store: Store) => Store;
}

export interface Device {
  readonly deviceId: string;
  readonly hardwareUid: string;
  readonly serial: string;
}

export function toDevice(number: number, sku: string = PRODUCT.sku): Device {
  const value = Uint8Array.from({ length: 8 }, (_, index) =>
    index < 4 ? 0x5a : (number >>> (8 * (index - 4))) & 0xff,
  );
  const deviceId = toDeviceId({ scheme: 'spi-nor-uid', value });
  return { deviceId, hardwareUid: sha256Hex(value), serial: deriveLabelSerial(sku, deviceId) };
}

/** A statement's predicate with some members replaced, as a liar would. */
export type Changes<T> = Partial<T>;

export class World {
  readonly clock: TestClock = new TestClock();
  readonly directory: string = mkdtempSync(join(tmpdir(), 'wm-line-'));
  readonly releases: TestReleases;
  freeBytes = 1e12;
  store!: SqliteStore;
  log!: EvidenceLog;
  line!: Line;
  readonly #options: WorldOptions;
  #ids = 0;

  static async open(options: WorldOptions = {}): Promise<World> {
    const world = new World(options, options.releases ?? (await TestReleases.create()));
    await world.start();
    return world;
  }

  private constructor(options: WorldOptions, releases: TestReleases) {
    this.#options = options;
    this.releases = releases;
  }

  async start(): Promise<void> {
    const { log, line, rules, wrapStore = (store) => store } = this.#options;
    this.store = openSqliteStore({ path: join(this.directory, 'line.db') });
    this.log = await EvidenceLog.open({
      store: wrapStore(this.store),
      tiles: new TileStorage(join(this.directory, 'log')),
      signer: LOG_SIGNER,
      clock: this.clock,
      diskGuard: new DiskGuard({ freeBytes: () => this.freeBytes, monotonic: () => this.#ids++ * 1000 }),
      ...log,
    });
    this.line = await Line.open({
      // Tests that are not about a station's failures make as many as they need.
      rules: toLineRules({ ...PLACE, signIn: LONG_SESSIONS, maxFailuresInRow: 0, ...rules }),
      trustedRoot: toTrustedRoot(),
      log: this.log,
      views: this.store.views,
      releases: this.releases,
      signer: CAST.evidence.key,
      clock: this.clock,
      newId: this.newId,
      ...line,
    });
  }

  async stop(): Promise<void> {
    await this.log.close().catch(() => undefined);
    await this.store.close();
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async close(): Promise<void> {
    await this.stop();
    rmSync(this.directory, { recursive: true });
  }

  readonly newId = (): string => {
    this.#ids += 1;
    return `01900000-0000-7000-8000-${this.#ids.toString(16).padStart(12, '0')}`;
  };

  get clockEvidence(): ClockEvidence {
    return {
      source: 'line',
      offsetMs: 0,
      errorBoundMs: 1,
      stratum: null,
      lastSyncAgeMs: 0,
      monotonicMs: this.clock.monotonic(),
      bootId: 'boot-1',
      verdict: 'SANE',
    };
  }

  async session(
    changes: Changes<OperatorSession> = {},
    {
      station = 'station',
      operator = 'operator',
      signer,
    }: { station?: StationName; operator?: Name; signer?: Signer } = {},
  ): Promise<Signed<OperatorSession>> {
    const { owner, key } = CAST[operator];
    const predicate: OperatorSession = {
      session: {
        id: this.newId(),
        openedAt: formatInstant(this.clock.now()),
        expiresAt: formatInstant(this.clock.now() + 8 * 3_600_000),
        ...(await this.sessionTerms(station)),
      },
      operator: { id: owner, role: 'operator', credentialKeyDigest: { sha256: key.publicKey.keyid } },
      credential: { kind: 'software-key' },
      station: { id: CAST[station].owner, line: PLACE.line },
      ...changes,
    };
    const subject = { name: 'operator', digest: { sha256: predicate.operator.credentialKeyDigest.sha256 } };
    return this.sign(operatorSession, subject, predicate, signer ?? key);
  }

  /** What the line asks of a session now, with a challenge of its own; one it knows nothing of for a station it does not know. */
  async sessionTerms(
    station: StationName = 'station',
  ): Promise<Pick<OperatorSession['session'], 'idleMinutes' | 'batchUnits' | 'challenge' | 'supersedes'>> {
    const unknown = { idleMinutes: 30, batchUnits: 100, challenge: '00'.repeat(32), supersedes: null };
    try {
      const { challenge, terms } = await this.line.sessionChallenge(CAST[station].owner);
      const { idleMinutes, batchUnits } = terms;
      return { ...unknown, idleMinutes, batchUnits, challenge };
    } catch (error) {
      if (error instanceof RefusedError && error.code === 'LS-502') return unknown;
      throw error;
    }
  }

  /** Signs somebody in, whoever was there before, and returns the logged session. */
  async signIn(station: StationName = 'station', operator: Name = 'operator'): Promise<Signed<OperatorSession>> {
    await this.signOut(CAST[station].owner, CAST[operator].owner);
    const session = await this.session({}, { station, operator });
    await this.line.submit(session.envelope);
    return session;
  }

  /** Ends the sessions at a station and of an operator, signed by their stations. */
  async signOut(station: string, operator: string): Promise<void> {
    for (const open of await this.line.openSessions()) {
      if (open.station !== station && open.operator !== operator) continue;
      await this.line.submit((await this.sessionEnd(open)).envelope);
    }
  }

  async sessionEnd(
    open: Pick<OpenSession, 'id' | 'digest' | 'operator' | 'station'>,
    changes: Changes<SessionEnd> = {},
    signer?: Signer,
  ): Promise<Signed<SessionEnd>> {
    const predicate: SessionEnd = {
      id: this.newId(),
      sessionId: open.id,
      sessionDigest: { sha256: open.digest },
      operator: { id: open.operator },
      station: { id: open.station, line: PLACE.line },
      reason: 'signedOut',
      endedAt: formatInstant(this.clock.now()),
      ...changes,
    };
    const own = Object.values(CAST).find(({ owner }) => owner === open.station);
    const subject = { name: 'session', digest: predicate.sessionDigest };
    return this.sign(sessionEnd, subject, predicate, signer ?? (own?.key as Signer));
  }

  async permitRequest(
    device: Device,
    session: Signed<OperatorSession>,
    changes: Changes<PermitRequest> = {},
    { station = 'station', subject }: { station?: StationName; subject?: string } = {},
  ): Promise<Signed<PermitRequest>> {
    const predicate: PermitRequest = {
      requestId: this.newId(),
      transactionId: this.newId(),
      identity: {
        deviceId: device.deviceId,
        scheme: 'spi-nor-uid',
        hardwareUid: { sha256: device.hardwareUid },
        label: { raw: device.serial, symbology: 'd2', serial: device.serial, partNumber: null },
        identityMatch: 'MATCH',
        anchors: ['hardwareUid'],
      },
      product: PRODUCT,
      releaseId: null,
      operator: toOperator(session),
      requestedAt: formatInstant(this.clock.now()),
      clock: this.clockEvidence,
      environment: { simulated: true, rehearsal: false, breakGlass: null },
      ...changes,
    };
    return this.sign(
      permitRequest,
      deviceSubject(subject ?? predicate.identity.deviceId),
      predicate,
      CAST[station].key,
    );
  }

  /** Asks for a permit that is given. */
  async permit(request: Signed<PermitRequest>): Promise<Signed<Permit>> {
    const envelope = await this.line.requestPermit(request.envelope);
    return {
      envelope,
      predicate: parseStatement(permitDefinition, envelope.payload).predicate,
      digest: sha256Hex(envelope.payload),
    };
  }

  async intent(
    request: Signed<PermitRequest>,
    permit: Signed<Permit>,
    changes: Changes<ProvisioningIntent> = {},
    { station = 'station', manifest = toManifest() }: { station?: StationName; manifest?: ReleaseManifest } = {},
  ): Promise<Signed<ProvisioningIntent>> {
    const { identity, product, operator, environment } = request.predicate;
    const { chain, release, attempt, transactionId } = permit.predicate;
    const predicate: ProvisioningIntent = {
      event: {
        id: this.newId(),
        type: 'provision',
        seq: chain.nextSeq,
        previousEventDigest: chain.previousEventDigest,
        transactionId,
        reason: null,
        supersedes: null,
      },
      identity,
      product,
      release,
      recipe: toRecipeReference(manifest),
      components: [...toComponentReferences(manifest)],
      station: {
        id: CAST[station].owner,
        ...PLACE,
        softwareDigest: { sha256: '11'.repeat(32) },
        programmer: { model: 'simulated', serial: null, firmware: null },
      },
      operator,
      permitDigest: { sha256: permit.digest },
      timing: { intendedAt: formatInstant(this.clock.now()), clock: this.clockEvidence },
      attempt,
      environment,
      ...changes,
    };
    return this.sign(provisioningIntent, deviceSubject(predicate.identity.deviceId), predicate, CAST[station].key);
  }

  async event(
    intent: Signed<ProvisioningIntent>,
    changes: Changes<ProvisioningEvent> = {},
    { station = 'station', manifest = toManifest() }: { station?: StationName; manifest?: ReleaseManifest } = {},
  ): Promise<Signed<ProvisioningEvent>> {
    const { predicate: begun, digest } = intent;
    const at = formatInstant(this.clock.now());
    const predicate: ProvisioningEvent = {
      event: {
        ...begun.event,
        id: this.newId(),
        seq: begun.event.seq + 1,
        previousEventDigest: { sha256: digest },
      },
      identity: begun.identity,
      product: begun.product,
      release: begun.release,
      recipe: begun.recipe,
      components: begun.components.map(({ name, slot, image }) => ({
        name,
        slot,
        image: { ...image, mediaType: 'application/octet-stream' },
        version: manifest.version,
        securityCounter: 2,
        measurement: { recipe: 'flash-range', digest: image.digest, result: 'SUCCESS', grade: 'readBack' },
      })),
      keys: [],
      security: {
        writeProtection: { state: 'locked', grade: 'readBack' },
        debugPort: null,
        lifecycleState: 'open',
        rollbackCounterAfter: null,
      },
      station: begun.station,
      operator: begun.operator,
      intentDigest: { sha256: digest },
      approvals: [],
      timing: {
        startedAt: begun.timing.intendedAt,
        programmedAt: at,
        measuredAt: at,
        signedAt: at,
        clock: this.clockEvidence,
      },
      attempt: begun.attempt,
      outcome: 'SUCCEEDED',
      code: null,
      checks: [],
      exceptions: [],
      environment: begun.environment,
      ...changes,
    };
    return this.sign(provisioningEvent, deviceSubject(predicate.identity.deviceId), predicate, CAST[station].key);
  }

  /** Begins a unit: permit and logged intent. */
  async begin(
    device: Device,
    session: Signed<OperatorSession>,
    station: StationName = 'station',
    manifest: ReleaseManifest = toManifest(),
  ): Promise<Signed<ProvisioningIntent>> {
    const request = await this.permitRequest(device, session, {}, { station });
    const permit = await this.permit(request);
    const intent = await this.intent(request, permit, {}, { station, manifest });
    await this.line.submit(intent.envelope, { permit: permit.envelope });
    return intent;
  }

  /** Runs a unit through; returns its logged event. */
  async provision(
    device: Device,
    session: Signed<OperatorSession>,
    changes: Changes<ProvisioningEvent> = {},
  ): Promise<LoggedEntry> {
    const intent = await this.begin(device, session);
    const event = await this.event(intent, changes);
    return this.line.submit(event.envelope);
  }

  async stationRefusal(
    changes: Changes<Refusal> = {},
    { station = 'station', subject }: { station?: StationName; subject?: string } = {},
  ): Promise<Signed<Refusal>> {
    const { owner, key } = CAST[station];
    const predicate: Refusal = {
      id: this.newId(),
      transactionId: null,
      kind: 'UNIT_FAIL',
      code: 'UF-01',
      deviceId: null,
      labelSerial: null,
      station: { id: owner, line: PLACE.line },
      operatorId: CAST.operator.owner,
      expected: 'a device',
      observed: 'none',
      refusedAt: formatInstant(this.clock.now()),
      environment: { simulated: true, rehearsal: false, breakGlass: null },
      ...changes,
    };
    const digest = { sha256: subject ?? predicate.deviceId ?? key.publicKey.keyid };
    return this.sign(refusal, { name: 'subject', digest }, predicate, key);
  }

  async disposition(
    about: Pick<Disposition, 'refusalId' | 'refusalDigest' | 'code' | 'deviceId'> & { readonly station: string },
    changes: Changes<Disposition> = {},
    { by = 'supervisor', signer, subject }: { by?: Name; signer?: Signer; subject?: string } = {},
  ): Promise<Signed<Disposition>> {
    const { owner, key } = CAST[by];
    const predicate: Disposition = {
      id: this.newId(),
      refusalId: about.refusalId,
      refusalDigest: about.refusalDigest,
      code: about.code,
      action: 'quarantineUnit',
      deviceId: about.deviceId,
      station: { id: about.station, line: PLACE.line },
      decidedBy: { id: owner, role: 'supervisor' },
      reason: 'seen',
      decidedAt: formatInstant(this.clock.now()),
      ...changes,
    };
    const digest = { sha256: subject ?? predicate.refusalDigest.sha256 };
    return this.sign(disposition, { name: 'refusal', digest }, predicate, signer ?? key);
  }

  /** What a supervisor decides about when a stop is open. */
  async onlyStop(): Promise<Parameters<World['disposition']>[0] & { readonly stop: OpenStop }> {
    const [stop, ...others] = await this.line.openStops();
    if (stop === undefined || others.length > 0)
      throw new Error(`${others.length + (stop === undefined ? 0 : 1)} stops`);
    return { ...stop, stop, refusalDigest: { sha256: stop.refusalDigest } };
  }

  sign<T>(
    definition: PredicateDefinition<T>,
    subject: { readonly name: string; readonly digest: { readonly sha256: string } },
    predicate: T,
    signer: Signer,
  ): Promise<Signed<T>> {
    return signStatement(definition, subject, predicate, [signer]);
  }

  /** Every entry of the log, as its statement's payload says. */
  async payloads(): Promise<readonly Record<string, unknown>[]> {
    const payloads: Record<string, unknown>[] = [];
    for (let index = 0; index < this.log.size; index += 1) {
      const { payload } = JSON.parse(Buffer.from(await this.log.readEntry(index)).toString()) as { payload: string };
      payloads.push(JSON.parse(Buffer.from(payload, 'base64').toString()) as Record<string, unknown>);
    }
    return payloads;
  }
}

export function toOperator({ predicate, digest }: Signed<OperatorSession>): PermitRequest['operator'] {
  const { id, role, credentialKeyDigest } = predicate.operator;
  return {
    id,
    role,
    credentialKeyDigest,
    credential: predicate.credential.kind,
    sessionDigest: { sha256: digest },
    authenticatedAt: predicate.session.openedAt,
  };
}

/** The reason code a promise is refused with; fails when it is not refused. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  const outcome = await promise.then(
    () => 'no refusal',
    (error: unknown) => error,
  );
  if (outcome instanceof Error && 'code' in outcome) return String(outcome.code);
  throw new Error(`expected a refusal, found ${String(outcome)}`, { cause: outcome });
}
