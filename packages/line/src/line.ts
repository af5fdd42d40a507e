// SPDX-License-Identifier: Apache-2.0
/**
 * A production line: gives permits, admits statements, countersigns and logs them (spec/permit.md, spec/http-api.md).
 * Verifies first, parses then, asks the rules, and lets the database have the last word: two that race for one device are
 * decided by its constraints, and the loser is judged again by what it finds then.
 */
import {
  formatInstant,
  RefusedError,
  WitnessmarkError,
  type Bytes,
  type Clock,
  type Envelope,
  type Instant,
} from '@witnessmark/core';
import type { TrustedKey, TrustedRoot } from '@witnessmark/attestation';
import {
  API_LIMITS,
  ApiError,
  LineRefusedError,
  type Attachments,
  type BatchItem,
  type BatchOutcome,
  type EnrolledBadge,
  type Health,
  type LineService,
  type LineTime,
  type LineViews,
  type LoggedEntry,
  type OfflineService,
  type OpenSession,
  type OpenStop,
  type SessionChallenge,
  type SessionService,
  type SiteRecordView,
  type StationTally,
  type UnitSummary,
  type UnsealedImages,
  type UnsealingService,
} from '@witnessmark/api';
import { CustodyError, type Signer } from '@witnessmark/custody';
import type { EvidenceLog } from '@witnessmark/log';
import type { ViewReader } from '@witnessmark/store';
import { BatchOrder, effectsOf, type Turn } from './batch-order.ts';
import type { BadgeBook } from './badge-book.ts';
import { listBadges } from './badges.ts';
import { BadgeDesk } from './badge-desk.ts';
import { BreakGlassBook } from './break-glass-book.ts';
import { Challenges } from './challenges.ts';
import { CounterFloor } from './counter-floor.ts';
import { LineCounters } from './counters.ts';
import { ensure, LineRefusal } from './error.ts';
import { buildUnitEvidence } from './evidence.ts';
import { checkSignatureHere, KeyRing, type SignatureCheck } from './key-ring.ts';
import { GoldenBook } from './golden-book.ts';
import type { LineContext } from './line-context.ts';
import { checkPeer, LOCAL_PEER, type Peer } from './peer.ts';
import { AllowanceDesk } from './offline/allowance-desk.ts';
import { PermitDesk } from './permit-desk.ts';
import { Records, type LoggedRecord } from './records.ts';
import { Registrar } from './registrar.ts';
import { RefusalLedger } from './refusal-ledger.ts';
import { describeRequest, describeStranger, type RefusedRequest } from './refused-request.ts';
import type { ReleaseBook, ReleaseSource } from './release-book.ts';
import type { LineRules } from './rules.ts';
import { findUnit, listOpenStops, listSiteRecords, listStationTallies, summarizeUnit } from './unit-views.ts';
import { toOpenSession } from './session-desk.ts';
import { STATION_RETIREMENT_KIND } from './site-records/station-identity.ts';
import { StartBook } from './start-book.ts';
import {
  parseBadgeSignIn,
  parseLoggable,
  parseOfflineRequest,
  parsePermitRequest,
  readSigned,
  type LoggableStatement,
  type ReadBadgeSignIn,
  type ReadOfflineRequest,
  type ReadPermitRequest,
} from './statements.ts';
import { IdentityBook } from './identity-book.ts';
import type { ImageUnsealer } from './image-unsealer.ts';
import { UnsealingDesk } from './unsealing-desk.ts';

type Signers = Promise<readonly [TrustedKey, ...TrustedKey[]]>;

const MINUTE_MS = 60_000;

export interface LineOptions {
  readonly rules: LineRules;
  /** The keys to begin with; a newer trusted root in the trust repository takes its place. */
  readonly trustedRoot: TrustedRoot;
  readonly log: EvidenceLog;
  readonly views: ViewReader;
  readonly releases: ReleaseSource;
  /** Signs permits, countersignatures and refusals; its key is in the trusted root with the role `evidence`. */
  readonly signer: Signer;
  /** Opens the content keys of sealed releases; its key is in the trusted root with the role `unsealing`. */
  readonly unsealer?: ImageUnsealer;
  /** PINs of badges; without them nobody signs in by badge. */
  readonly badges?: BadgeBook;
  readonly clock: Clock;
  /** A fresh UUID, version 7. */
  readonly newId: () => string;
  readonly checkSignature?: SignatureCheck;
}

export class Line implements LineService, LineViews, UnsealingService, OfflineService, SessionService {
  readonly counters: LineCounters;
  readonly #context: LineContext;
  readonly #log: EvidenceLog;
  readonly #badges: BadgeDesk;
  readonly #permits: PermitDesk;
  readonly #unsealings: UnsealingDesk;
  readonly #allowances: AllowanceDesk;
  readonly #ledger: RefusalLedger;
  readonly #registrar: Registrar;
  readonly #checkSignature: SignatureCheck;
  #keys: KeyRing;

  /** Learns what has to be known before the first request: the keys of the trust repository, and counters from the log. */
  static async open(options: LineOptions): Promise<Line> {
    const line = new Line(options);
    const { counterFloor, starts, views, records, releases, clock } = line.#context;
    // A repository that cannot be read now stops units, not the line; health and permits tell.
    await checkItem('trust repository', () => releases.current(clock.now()));
    await counterFloor.learn(line.#keys.stations(clock.now()), views, records);
    await line.#context.breakGlass.learn(views, records);
    await line.#context.golden.learn(views, records);
    await line.#context.identities.learn(views, records);
    await starts.learn(line.#keys.stations(clock.now()), views, records);
    return line;
  }

  private constructor(options: LineOptions) {
    const { log, rules, clock, newId, views, signer } = options;
    const records = new Records(log);
    const counters = new LineCounters();
    this.counters = counters;
    this.#log = log;
    this.#keys = new KeyRing(options.trustedRoot, rules.line);
    this.#checkSignature = options.checkSignature ?? checkSignatureHere;
    this.#context = {
      rules,
      clock,
      newId,
      views,
      records,
      releases: {
        current: (now) => this.#readReleases(options.releases, now),
        release: (releaseId, now) => options.releases.release(releaseId, now),
      },
      signer,
      unsealer: options.unsealer ?? null,
      challenges: new Challenges(newId),
      badges: options.badges ?? null,
      counterFloor: new CounterFloor(),
      breakGlass: new BreakGlassBook(),
      starts: new StartBook(),
      golden: new GoldenBook(),
      identities: new IdentityBook(),
      counters,
      logSize: () => log.size,
      keys: () => this.#keys,
      checkRoom: (kind) => {
        records.checkAlive();
        log.checkRoom(kind);
      },
    };
    this.#registrar = new Registrar(this.#context);
    this.#badges = new BadgeDesk(this.#context, this.#registrar);
    this.#permits = new PermitDesk(this.#context);
    this.#unsealings = new UnsealingDesk(this.#context);
    this.#allowances = new AllowanceDesk(this.#context);
    const { breakGlass } = this.#context;
    const markOf = (station: string, now: Instant): string | null => breakGlass.inForce(station, now)?.digest ?? null;
    this.#ledger = new RefusalLedger({ records, views, signer, rules, counters, newId, markOf });
  }

  async requestPermit(envelope: Envelope, peer: Peer = LOCAL_PEER): Promise<Envelope> {
    const now = this.#context.clock.now();
    const [signer, ...cosigners] = await this.#identify(envelope, this.#findSigners(envelope, now), now);
    let request: ReadPermitRequest | null = null;
    try {
      request = readSigned(parsePermitRequest, envelope.payload);
      ensure(cosigners.length === 0, 'LS-502', 'one signature, by the station', `${cosigners.length + 1}`);
      this.#keys.requireStation(signer);
      this.#checkPeer(peer, signer, now);
      this.#context.identities.demandActive(signer);
      return await this.#permits.request(request, signer, now);
    } catch (error) {
      throw await this.#answer(error, describeRequest(signer, request), now);
    }
  }

  async requestAllowance(envelope: Envelope, peer: Peer = LOCAL_PEER): Promise<LoggedEntry> {
    const now = this.#context.clock.now();
    const [signer, ...cosigners] = await this.#identify(envelope, this.#findSigners(envelope, now), now);
    let request: ReadOfflineRequest | null = null;
    try {
      request = readSigned(parseOfflineRequest, envelope.payload);
      ensure(cosigners.length === 0, 'LS-502', 'one signature, by the station', `${cosigners.length + 1}`);
      this.#keys.requireStation(signer);
      this.#checkPeer(peer, signer, now);
      this.#context.identities.demandActive(signer);
      return await this.#allowances.request(request, signer, now);
    } catch (error) {
      throw await this.#answer(error, describeRequest(signer, request), now);
    }
  }

  submit(envelope: Envelope, attachments: Attachments = {}): Promise<LoggedEntry> {
    return this.record(envelope, attachments);
  }

  /** As {@link submit}, with the bytes of the entry, which whoever answers over a wire would otherwise format again. */
  async record(envelope: Envelope, attachments: Attachments = {}, peer: Peer = LOCAL_PEER): Promise<LoggedRecord> {
    const now = this.#context.clock.now();
    return this.#record({ statement: envelope, attachments }, this.#findSigners(envelope, now), { now, peer });
  }

  /**
   * As {@link record} for one after the other, though signatures are checked together and what does not depend on each other
   * becomes durable together.
   */
  async recordAll(
    items: readonly BatchItem[],
    peer: Peer = LOCAL_PEER,
  ): Promise<readonly PromiseSettledResult<LoggedRecord>[]> {
    const now = this.#context.clock.now();
    const signers = items.map(({ statement }) => this.#findSigners(statement, now));
    // Each is waited for in its turn; one that failed meanwhile is not yet a fault.
    void Promise.allSettled(signers);
    const order = new BatchOrder();
    const answers: Promise<LoggedRecord>[] = [];
    for (const [position, item] of items.entries()) {
      const { answer } = await order.take((turn) =>
        this.#record(item, signers[position] as Signers, { now, peer }, turn),
      );
      answers.push(answer);
    }
    return Promise.allSettled(answers);
  }

  /** As {@link recordAll}, in the words of the API. */
  async submitAll(items: readonly BatchItem[]): Promise<readonly BatchOutcome[]> {
    return (await this.recordAll(items)).map(toBatchOutcome);
  }

  /** Only for stations of this line; strangers get LS-502. */
  // eslint-disable-next-line @typescript-eslint/require-await -- the contract is asynchronous because HTTP is
  async sessionChallenge(station: string): Promise<SessionChallenge> {
    const { clock, rules, challenges } = this.#context;
    const now = clock.now();
    ensure(this.#keys.isStation(station, now), 'LS-502', `an enrolled station of ${rules.line}`, station);
    const { idleMinutes, batchUnits, credentials } = rules.signIn;
    const terms = { idleMinutes, batchUnits, maxMinutes: Math.floor(rules.maxSessionMs / MINUTE_MS), credentials };
    return { ...challenges.draw(station, now), terms };
  }

  async signInWithBadge(envelope: Envelope, pin: string): Promise<LoggedEntry> {
    return this.recordBadgeSignIn(envelope, pin);
  }

  /** As {@link signInWithBadge}, with the bytes of the entry. */
  async recordBadgeSignIn(envelope: Envelope, pin: string, peer: Peer = LOCAL_PEER): Promise<LoggedRecord> {
    const now = this.#context.clock.now();
    const [signer, ...cosigners] = await this.#identify(envelope, this.#findSigners(envelope, now), now);
    let request: ReadBadgeSignIn | null = null;
    try {
      request = readSigned(parseBadgeSignIn, envelope.payload);
      ensure(cosigners.length === 0, 'LS-502', 'one signature, by the station', `${cosigners.length + 1}`);
      this.#keys.requireStation(signer);
      this.#checkPeer(peer, signer, now);
      this.#context.identities.demandActive(signer);
      return await this.#badges.signIn(request, pin, signer, now);
    } catch (error) {
      throw await this.#answer(error, describeRequest(signer, request), now);
    }
  }

  async openSessions(): Promise<readonly OpenSession[]> {
    return (await this.#context.views.openSessions(API_LIMITS.maxOpenSessions)).map(toOpenSession);
  }

  badges(): Promise<readonly EnrolledBadge[]> {
    return listBadges(this.#context.views, API_LIMITS.maxBadges);
  }

  /** Logged first; only then is a key used. */
  async unseal(envelope: Envelope, attachments: Attachments, peer: Peer = LOCAL_PEER): Promise<UnsealedImages> {
    const { index, envelope: logged, proof } = await this.record(envelope, attachments, peer);
    try {
      return await this.#unsealings.answer({ index, envelope: logged, proof });
    } catch (error) {
      throw toSilentKey(error) ?? error;
    }
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- the contract is asynchronous because HTTP is
  async time(): Promise<LineTime> {
    const now = this.#context.clock.now();
    const opening = this.#context.breakGlass.current(now);
    return { now, breakGlass: opening === null ? null : { digest: opening.digest, station: opening.station } };
  }

  async unitEvidence(unit: string): Promise<Bytes | null> {
    const row = await findUnit(unit, this.#context.views);
    return row === null ? null : buildUnitEvidence(row, this.#context);
  }

  async unit(unit: string): Promise<UnitSummary | null> {
    const row = await findUnit(unit, this.#context.views);
    return row === null ? null : summarizeUnit(row, this.#context.views);
  }

  openStops(): Promise<readonly OpenStop[]> {
    const { views, clock } = this.#context;
    return listOpenStops(this.#keys.stations(clock.now()), views);
  }

  stationTallies(): Promise<readonly StationTally[]> {
    const { views, clock, rules } = this.#context;
    const now = clock.now();
    return listStationTallies(this.#keys.stations(now), { views, since: formatInstant(now - rules.maxSessionMs) });
  }

  siteRecords(kind: string): Promise<readonly SiteRecordView[]> {
    return listSiteRecords(kind, this.#context);
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- as above
  async checkpoint(): Promise<Bytes | null> {
    return this.#log.checkpoint ?? null;
  }

  /** Logs sums of refusals that are due; call now and then, and with `everything` before the log is closed. */
  async summarizeRefusals(everything = false): Promise<void> {
    await this.#ledger.summarize(this.#context.clock.now(), everything);
  }

  /** Whether a unit could be begun now, as far as that depends on the line alone. */
  async checkHealth(): Promise<Health> {
    const { clock, releases, checkRoom } = this.#context;
    const checks = [
      await checkItem('evidence log', () => {
        checkRoom('new');
      }),
      await checkItem('trust repository', () => releases.current(clock.now())),
    ];
    return { status: checks.every(({ ok }) => ok) ? 'ok' : 'failing', checks };
  }

  /** How many entries are durable. */
  get logSize(): number {
    return this.#log.size;
  }

  async #record(
    { statement: envelope, attachments = {} }: BatchItem,
    signers: Signers,
    { now, peer }: { readonly now: Instant; readonly peer: Peer },
    turn?: Turn,
  ): Promise<LoggedRecord> {
    const [signer, ...cosigners] = await this.#identify(envelope, signers, now);
    let statement: LoggableStatement | null = null;
    try {
      statement = readSigned(parseLoggable, envelope.payload);
      for (const key of [signer, ...cosigners]) this.#checkPeer(peer, key, now);
      // The end of a station may be delivered twice, and everything else ends with it.
      if (!isRetirement(statement)) this.#context.identities.demandActive(signer);
      await turn?.begin(effectsOf(statement));
      return await this.#registrar.record(envelope, statement, { signer, cosigners, attachments, now }, turn);
    } catch (error) {
      throw await this.#answer(error, describeRequest(signer, statement), now);
    }
  }

  /** Throws ID-101 to ID-106. */
  #checkPeer(peer: Peer, signer: TrustedKey, now: Instant): void {
    checkPeer(peer, signer, { rules: this.#context.rules, keys: this.#keys, now });
  }

  /** The keys that made an envelope's signatures. Throws LS-502. */
  async #findSigners(envelope: Envelope, now: Instant): Signers {
    const signers = this.#keys.claimedSigners(envelope, now);
    for (const { key, owner } of signers) {
      const isSigner = await this.#checkSignature(envelope, key);
      ensure(isSigner, 'LS-502', `a signature by the key of ${owner}`, 'one that does not verify');
    }
    return signers;
  }

  /** Whoever cannot be identified gets a refusal too, which says nothing about what they claimed. */
  async #identify(envelope: Envelope, signers: Signers, now: Instant): Signers {
    try {
      return await signers;
    } catch (error) {
      throw await this.#answer(error, describeStranger(envelope), now);
    }
  }

  /** The error a caller gets: a "no" is recorded first and carries its receipt. */
  async #answer(error: unknown, request: RefusedRequest, now: Instant): Promise<unknown> {
    const refused = toSilentKey(error) ?? error;
    if (!(refused instanceof RefusedError) || refused instanceof LineRefusedError) return refused;
    const settled = await this.#ledger.findSettled(request);
    if (settled !== null) return settled;
    const refusal = await this.#ledger.record(refused, request, now);
    return new LineRefusedError(refused.code, refused.message, refusal);
  }

  /** Takes over a newer trusted root along with the releases; an older one never. */
  async #readReleases(source: ReleaseSource, now: Instant): Promise<ReleaseBook> {
    const book = await source.current(now);
    if (book.trustedRoot.version > this.#keys.version) {
      this.#keys = new KeyRing(book.trustedRoot, this.#context.rules.line);
    }
    return book;
  }
}

function toBatchOutcome(result: PromiseSettledResult<LoggedEntry>): BatchOutcome {
  if (result.status === 'fulfilled') return { state: 'logged', entry: result.value };
  const cause: unknown = result.reason;
  if (cause instanceof LineRefusedError) return { state: 'refused', error: cause };
  if (cause instanceof ApiError) return { state: 'unknown', error: cause };
  return { state: 'unknown', error: new ApiError('ERR_API_UNREACHABLE', 'a fault of the line', { cause }) };
}

function isRetirement(statement: LoggableStatement): boolean {
  return statement.kind === 'siteRecord' && statement.rule.kind === STATION_RETIREMENT_KIND;
}

async function checkItem(name: string, test: () => unknown): Promise<Health['checks'][number]> {
  try {
    await test();
    return { name, ok: true, detail: '' };
  } catch (error) {
    if (!(error instanceof WitnessmarkError)) throw error;
    return { name, ok: false, detail: `${error.code}: ${error.message}` };
  }
}

/**
 * LS-304 for a token or custody that cannot sign: nothing was countersigned or committed, and the same statement may be
 * asked again. Null for any other error.
 */
function toSilentKey(error: unknown): LineRefusal | null {
  const isSilent = error instanceof CustodyError || (error instanceof RefusedError && error.code.startsWith('CU-'));
  if (!isSilent) return null;
  return new LineRefusal('LS-304', 'a signature by a key of the line', `${error.code}: ${error.message}`, error);
}
