// SPDX-License-Identifier: Apache-2.0
/**
 * A production line: gives permits, admits statements, countersigns and logs them (spec/permit.md, spec/http-api.md).
 * Verifies first, parses then, asks the rules, and lets the database have the last word: two that race for one device are
 * decided by its constraints, and the loser is judged again by what it finds then.
 */
import { formatInstant, type Bytes, type Envelope } from '@witnessmark/core';
import {
  API_LIMITS,
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
import type { EvidenceLog } from '@witnessmark/log';
import { BadgeDesk } from './badge-desk.ts';
import { listBadges } from './badges.ts';
import { toBatchOutcome } from './batch-outcome.ts';
import type { LineCounters } from './counters.ts';
import { buildUnitEvidence } from './evidence.ts';
import { checkHealth, checkTrustRepository } from './health.ts';
import { checkSignatureHere } from './key-ring.ts';
import { learnFromLog, makeContext, type LineContext } from './line-context.ts';
import type { LineOptions } from './line-options.ts';
import { AllowanceDesk } from './offline/allowance-desk.ts';
import { LOCAL_PEER, type Peer } from './peer.ts';
import { PermitDesk } from './permit-desk.ts';
import { Reception } from './reception.ts';
import type { LoggedRecord } from './records.ts';
import { RefusalLedger } from './refusal-ledger.ts';
import { Registrar } from './registrar.ts';
import { drawChallenge } from './session-desk.ts';
import { toSilentKey } from './silent-key.ts';
import { parseBadgeSignIn, parseOfflineRequest, parsePermitRequest } from './statements.ts';
import {
  findUnit,
  listOpenSessions,
  listOpenStops,
  listSiteRecords,
  listStationTallies,
  summarizeUnit,
} from './unit-views.ts';
import { UnsealingDesk } from './unsealing-desk.ts';

export class Line implements LineService, LineViews, UnsealingService, OfflineService, SessionService {
  readonly #context: LineContext;
  readonly #log: EvidenceLog;
  readonly #badges: BadgeDesk;
  readonly #permits: PermitDesk;
  readonly #unsealings: UnsealingDesk;
  readonly #allowances: AllowanceDesk;
  readonly #ledger: RefusalLedger;
  readonly #reception: Reception;

  /** Learns what has to be known before the first request: the keys of the trust repository, and counters from the log. */
  static async open(options: LineOptions): Promise<Line> {
    const line = new Line(options);
    // A repository that cannot be read now stops units, not the line; health and permits tell.
    await checkTrustRepository(line.#context);
    await learnFromLog(line.#context);
    return line;
  }

  private constructor(options: LineOptions) {
    const context = makeContext(options);
    const registrar = new Registrar(context);
    this.#context = context;
    this.#log = options.log;
    this.#badges = new BadgeDesk(context, registrar);
    this.#permits = new PermitDesk(context);
    this.#unsealings = new UnsealingDesk(context);
    this.#allowances = new AllowanceDesk(context);
    this.#ledger = new RefusalLedger(context);
    const checkSignature = options.checkSignature ?? checkSignatureHere;
    this.#reception = new Reception({ context, registrar, ledger: this.#ledger, checkSignature });
  }

  requestPermit(envelope: Envelope, peer: Peer = LOCAL_PEER): Promise<Envelope> {
    return this.#reception.answer(envelope, peer, {
      read: parsePermitRequest,
      answer: (request, station, now) => this.#permits.request(request, station, now),
    });
  }

  requestAllowance(envelope: Envelope, peer: Peer = LOCAL_PEER): Promise<LoggedEntry> {
    return this.#reception.answer(envelope, peer, {
      read: parseOfflineRequest,
      answer: (request, station, now) => this.#allowances.request(request, station, now),
    });
  }

  submit(envelope: Envelope, attachments: Attachments = {}): Promise<LoggedEntry> {
    return this.record(envelope, attachments);
  }

  /** As {@link submit}, with the bytes of the entry, which whoever answers over a wire would otherwise format again. */
  record(envelope: Envelope, attachments: Attachments = {}, peer: Peer = LOCAL_PEER): Promise<LoggedRecord> {
    return this.#reception.record({ statement: envelope, attachments }, peer);
  }

  /** As {@link submitAll}, with the bytes of the entries. */
  recordAll(
    items: readonly BatchItem[],
    peer: Peer = LOCAL_PEER,
  ): Promise<readonly PromiseSettledResult<LoggedRecord>[]> {
    return this.#reception.recordAll(items, peer);
  }

  async submitAll(items: readonly BatchItem[]): Promise<readonly BatchOutcome[]> {
    return (await this.recordAll(items)).map(toBatchOutcome);
  }

  /** Only for stations of this line; strangers get LS-502. */
  // eslint-disable-next-line @typescript-eslint/require-await -- the contract is asynchronous because HTTP is
  async sessionChallenge(station: string): Promise<SessionChallenge> {
    return drawChallenge(station, this.#context);
  }

  signInWithBadge(envelope: Envelope, pin: string): Promise<LoggedEntry> {
    return this.recordBadgeSignIn(envelope, pin);
  }

  /** As {@link signInWithBadge}, with the bytes of the entry. */
  recordBadgeSignIn(envelope: Envelope, pin: string, peer: Peer = LOCAL_PEER): Promise<LoggedRecord> {
    return this.#reception.answer(envelope, peer, {
      read: parseBadgeSignIn,
      answer: (request, station, now) => this.#badges.signIn(request, pin, station, now),
    });
  }

  openSessions(): Promise<readonly OpenSession[]> {
    return listOpenSessions(this.#context.views);
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
    const { views, clock, keys } = this.#context;
    return listOpenStops(keys().stations(clock.now()), views);
  }

  stationTallies(): Promise<readonly StationTally[]> {
    const { views, clock, rules, keys } = this.#context;
    const now = clock.now();
    return listStationTallies(keys().stations(now), { views, since: formatInstant(now - rules.maxSessionMs) });
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
  checkHealth(): Promise<Health> {
    return checkHealth(this.#context);
  }

  get counters(): LineCounters {
    return this.#context.counters;
  }

  /** How many entries are durable. */
  get logSize(): number {
    return this.#log.size;
  }
}
