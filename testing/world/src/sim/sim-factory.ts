// SPDX-License-Identifier: Apache-2.0
/** A whole factory in one process: people with keys, a released image, the real line, stations with simulated devices. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newTransportKey } from '@witnessmark/boundary';
import {
  encodeUtf8,
  formatInstant,
  sha256,
  sha256Hex,
  STATEMENT_PAYLOAD_TYPE,
  type Bytes,
  type Envelope,
  type Instant,
} from '@witnessmark/core';
import {
  buildStatement,
  disposition,
  operatorSession,
  type Disposition,
  type ReleaseManifest,
  type TrustedRoot,
} from '@witnessmark/attestation';
import type { LoggedEntry, OpenStop } from '@witnessmark/api';
import { signEnvelope } from '@witnessmark/custody';
import {
  DEFAULT_TIME_POLICY,
  Journal,
  LineTrust,
  Spool,
  Station,
  TufReleaseSource,
  type FileSystem,
  type Job,
  type ReleaseSource,
  type StationGate,
  type StationPorts,
} from '@witnessmark/station';
import { TrustClient } from '@witnessmark/trust';
import { Verifier, type Policy, type VerificationReport } from '@witnessmark/verify';
import { processClock, SimClock } from './sim-clock.ts';
import { makeBoard, type SimBoard } from './sim-device.ts';
import { simIds } from './sim-ids.ts';
import { openSimLine, type SimLine, type SimLineOptions } from './sim-line.ts';
import { hirePeople, LINE, PLANT, toTrustedRoot, type People, type Person, type StationName } from './sim-people.ts';
import { HW_VERSION, SimReleases, SKU, type ReleasePlan } from './sim-release.ts';
import { SimTimeSource } from './sim-time-source.ts';
import { SimWire } from './sim-wire.ts';

export const START: Instant = Date.UTC(2027, 2, 4, 12);
const SHIFT_MS = 8 * 3_600_000;

export const JOB: Job = { sku: SKU, hwVersion: HW_VERSION, workOrder: 'WO-48113', lot: null };

const TRIAL_POLICY: Policy = {
  mediaType: 'application/vnd.witnessmark.policy.v1+json',
  name: 'simulated factory',
  version: 1,
  approvals: { threshold: 2, requiredRoles: ['security'] },
  witnesses: { threshold: 0 },
  clock: { accept: ['SANE', 'DEGRADED'] },
  grades: { content: 'readBack', protection: 'readBack' },
  allow: { simulated: true, rehearsal: false, breakGlass: false, softwareKeys: true, offline: true },
};

interface FactoryOptions {
  /** Default: one that moves a millisecond with each reading. */
  readonly clock?: SimClock;
  readonly people?: People;
  /** Of this name instead of a random one: paths appear in what a refusal says. */
  readonly directoryName?: string;
  readonly withLock?: boolean;
  readonly rules?: SimLineOptions['rules'];
  readonly wrapStore?: SimLineOptions['wrapStore'];
  readonly wrapSigner?: SimLineOptions['wrapSigner'];
  readonly wrapUnsealing?: SimLineOptions['wrapUnsealing'];
}

/** Given the ports of a station and its disk. */
export type MakeGate = (ports: StationPorts, files: FileSystem) => Promise<StationGate>;

/** What a station process gets; ports that a test leaves out are the factory's own. */
interface StationSetup extends Partial<StationPorts> {
  readonly name?: StationName;
  readonly files: FileSystem;
  readonly driver: StationPorts['driver'];
  /** Makes the station measure itself. */
  readonly makeGate?: MakeGate;
  /** Lets it work while the line does not answer, with a time service of its own; the line still has to allow it. */
  readonly worksOffline?: boolean;
  /** Whether it can ask for content keys of sealed releases; it can, where releases are sealed. */
  readonly opensSealed?: boolean;
}

export class SimFactory {
  readonly directory: string;
  readonly clock: SimClock;
  readonly people: People;
  readonly trustedRoot: TrustedRoot;
  readonly lineTrust: LineTrust;
  readonly releases: SimReleases;
  readonly wire: SimWire;
  readonly image: Bytes;
  readonly newId: () => string;
  readonly #options: FactoryOptions;
  readonly #verifier: Verifier;
  readonly #sessions = new Map<StationName, Envelope>();
  readonly #sources = new Map<StationName, ReleaseSource>();
  /** Lines whose process is over; they hold files open. */
  readonly #ended: SimLine[] = [];
  #line: SimLine;
  #starts = 0;
  #boards = 0;

  private constructor(parts: {
    directory: string;
    clock: SimClock;
    people: People;
    trustedRoot: TrustedRoot;
    releases: SimReleases;
    image: Bytes;
    line: SimLine;
    options: FactoryOptions;
  }) {
    this.directory = parts.directory;
    this.clock = parts.clock;
    this.people = parts.people;
    this.trustedRoot = parts.trustedRoot;
    this.lineTrust = new LineTrust(parts.trustedRoot, LINE);
    this.releases = parts.releases;
    this.image = parts.image;
    this.newId = simIds(parts.clock);
    this.#line = parts.line;
    this.#options = parts.options;
    this.wire = new SimWire(parts.line.line);
    this.#verifier = new Verifier({ trustedRoot: parts.trustedRoot, policy: TRIAL_POLICY });
  }

  static async open(options: FactoryOptions = {}): Promise<SimFactory> {
    const { withLock = true, clock = new SimClock(START), people = hirePeople() } = options;
    const directory = makeDirectory(options.directoryName);
    const trustedRoot = toTrustedRoot(people, START);
    const releases = await SimReleases.create(join(directory, 'trust'), people, trustedRoot, START);
    const image = simImage(1);
    const [first, second] = people.approvers;
    await releases.publish({ releaseId: 'R-1', counter: 1, image, withLock, approvers: [first, second] }, START);
    const line = await openSimLine({
      directory: join(directory, 'line'),
      people,
      trustedRoot,
      releases,
      clock,
      ...options,
    });
    return new SimFactory({ directory, clock, people, trustedRoot, releases, image, line, options });
  }

  get line(): SimLine {
    return this.#line;
  }

  publish(plan: Partial<ReleasePlan> & Pick<ReleasePlan, 'releaseId' | 'counter'>): Promise<ReleaseManifest> {
    const [first, second] = this.people.approvers;
    const complete: ReleasePlan = {
      image: this.image,
      withLock: this.#options.withLock ?? true,
      approvers: [first, second],
      ...plan,
    };
    return this.releases.publish(complete, this.clock.now());
  }

  /** Starts the line again from what its directory holds now, as after the end of its process. */
  async restartLine(): Promise<void> {
    const { people, trustedRoot, releases, clock } = this;
    this.wire.line = null;
    this.#starts += 1;
    const directory = join(this.directory, `line-${this.#starts}`);
    cpSync(this.#line.directory, directory, { recursive: true });
    this.#ended.push(this.#line);
    this.#line = await openSimLine({ directory, people, trustedRoot, releases, clock, ...this.#options });
    this.wire.line = this.#line.line;
  }

  makeBoard(): SimBoard {
    this.#boards += 1;
    return makeBoard(this.#boards);
  }

  /** Starts a station process: reads its disk, wires its ports. */
  async startStation({
    name = 'ST-07',
    files,
    opensSealed = true,
    makeGate,
    worksOffline = false,
    ...ports
  }: StationSetup): Promise<Station> {
    const own: StationPorts = {
      newId: this.newId,
      pause: () => Promise.resolve(),
      journal: await Journal.open(files),
      line: this.wire,
      sessions: this.wire,
      lineTrust: this.lineTrust,
      signer: this.people.stations[name].key,
      releases: this.releaseSource(name),
      identity: {
        id: name,
        line: LINE,
        plant: PLANT,
        softwareDigest: sha256Hex(encodeUtf8('station software')),
        bootId: 'boot-1',
        environment: { rehearsal: false },
      },
      retryPausesMs: [],
      ...(opensSealed && this.people.unsealing !== undefined && { unsealing: { line: this.wire, newTransportKey } }),
      ...(worksOffline && {
        offline: {
          line: this.wire,
          spool: await Spool.open(files, this.people.stations[name].key.publicKey),
          isWanted: true,
        },
        timeService: { source: new SimTimeSource(), policy: DEFAULT_TIME_POLICY },
      }),
      ...ports,
      clock: processClock(ports.clock ?? this.clock),
    };
    return new Station(makeGate === undefined ? own : { ...own, gate: await makeGate(own, files) });
  }

  /** Where a station keeps its copies of targets. */
  cacheDirectory(name: StationName): string {
    return join(this.directory, 'stations', name, 'cache');
  }

  /** The station's TUF client; what it remembers outlives its processes, whatever it reads from. */
  releaseSource(name: StationName, repositoryDir: string = this.releases.directory): ReleaseSource {
    const known = this.#sources.get(name);
    if (known !== undefined && repositoryDir === this.releases.directory) return known;
    const client = new TrustClient({
      metadataDir: join(this.directory, 'stations', name, 'metadata'),
      cacheDir: this.cacheDirectory(name),
      repositoryDir,
      initialRoot: this.releases.initialRoot,
    });
    const { keys } = this.lineTrust;
    const approvals = { threshold: 2, requiredRoles: [] };
    const source = new TufReleaseSource({ client, plant: PLANT, line: LINE, keys, approvals });
    if (repositoryDir === this.releases.directory) this.#sources.set(name, source);
    return source;
  }

  /** A session of the station's operator; the same one until it is asked for a new one. */
  async session(name: StationName = 'ST-07', renew = false): Promise<Envelope> {
    const known = this.#sessions.get(name);
    if (known !== undefined && !renew) return known;
    const envelope = await this.sessionOf(this.people.operators[name], name);
    this.#sessions.set(name, envelope);
    return envelope;
  }

  /** A session of anybody anywhere, with a challenge fresh from the line. */
  async sessionOf({ owner, key }: Person, name: StationName, supersedes: string | null = null): Promise<Envelope> {
    const { challenge, terms } = await this.wire.sessionChallenge(name);
    const openedAt = this.clock.now();
    const credentialKeyDigest = { sha256: key.publicKey.keyid };
    const { idleMinutes, batchUnits } = terms;
    const payload = buildStatement(
      operatorSession,
      { name: 'operator', digest: credentialKeyDigest },
      {
        session: {
          id: this.newId(),
          openedAt: formatInstant(openedAt),
          expiresAt: formatInstant(openedAt + SHIFT_MS),
          ...{ idleMinutes, batchUnits, challenge },
          supersedes: supersedes === null ? null : { sha256: supersedes },
        },
        operator: { id: owner, role: 'operator', credentialKeyDigest },
        credential: { kind: key.custody === 'hardware' ? 'piv' : 'software-key' },
        station: { id: name, line: LINE },
      },
    );
    return signEnvelope(STATEMENT_PAYLOAD_TYPE, payload, [key]);
  }

  /** A supervisor's decision about an open stop, or about an event that holds its unit. */
  async decide(stop: Omit<OpenStop, 'index'>, action: Disposition['action']): Promise<LoggedEntry> {
    const { supervisor } = this.people;
    const decision: Disposition = {
      id: this.newId(),
      refusalId: stop.refusalId,
      refusalDigest: { sha256: stop.refusalDigest },
      code: stop.code,
      action,
      deviceId: stop.deviceId,
      station: { id: stop.station, line: stop.line },
      decidedBy: { id: supervisor.owner, role: 'supervisor' },
      reason: 'looked at the unit',
      decidedAt: formatInstant(this.clock.now()),
    };
    const payload = buildStatement(disposition, { name: 'refusal', digest: decision.refusalDigest }, decision);
    return this.wire.submit(await signEnvelope(STATEMENT_PAYLOAD_TYPE, payload, [supervisor.key]));
  }

  /** The unit evidence file as exported; null for a device the line does not know. */
  evidence({ deviceId }: Pick<SimBoard, 'deviceId'>): Promise<Bytes | null> {
    return this.#line.line.unitEvidence(deviceId);
  }

  /** The offline verifier's opinion, from an exported file alone. */
  verify(evidence: Bytes): VerificationReport {
    return this.#verifier.inspect(evidence, this.clock.now());
  }

  async close(): Promise<void> {
    await this.#line.close();
    for (const { store } of this.#ended) await store.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** In memory where there is such a place: a simulated disk need not survive anything. */
function makeDirectory(name: string | undefined): string {
  const parent = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
  if (name === undefined) return mkdtempSync(join(parent, 'witnessmark-world-'));
  const directory = join(parent, name);
  mkdirSync(directory);
  return directory;
}

/** Bytes as a build makes them: 5,000, none of them telling. */
export function simImage(number: number): Bytes {
  const image = new Uint8Array(5000);
  for (let at = 0; at < image.length; at += 32) {
    image.set(sha256(encodeUtf8(`image ${number} ${at}`)).subarray(0, Math.min(32, image.length - at)), at);
  }
  return image;
}
