// SPDX-License-Identifier: Apache-2.0
/**
 * A production line: gives permits, admits statements, countersigns and logs them (spec/permit.md, spec/http-api.md).
 * Verifies first, parses then, asks the rules, and lets the database have the last word: two that race for one device are
 * decided by its constraints, and the loser is judged again by what it finds then.
 */
import {
  isReasonCode,
  RefusedError,
  WitnessmarkError,
  type Bytes,
  type Clock,
  type Envelope,
  type Instant,
} from '@witnessmark/core';
import type { TrustedKey, TrustedRoot } from '@witnessmark/attestation';
import {
  LineRefusedError,
  type Attachments,
  type Health,
  type LineService,
  type LineTime,
  type LineViews,
  type LoggedEntry,
  type OpenStop,
  type UnitSummary,
} from '@witnessmark/api';
import { countersign, CustodyError, type Signer } from '@witnessmark/custody';
import type { EvidenceLog } from '@witnessmark/log';
import { ConflictError, type ViewReader } from '@witnessmark/store';
import { CounterFloor } from './counter-floor.ts';
import { LineCounters } from './counters.ts';
import { ensure, LineRefusal } from './error.ts';
import { buildUnitEvidence } from './evidence.ts';
import { checkSignatureHere, KeyRing, type SignatureCheck } from './key-ring.ts';
import type { LineContext } from './line-context.ts';
import { PermitDesk } from './permit-desk.ts';
import { Records, type LoggedRecord } from './records.ts';
import { RefusalLedger } from './refusal-ledger.ts';
import { describeRequest, describeStranger, type RefusedRequest } from './refused-request.ts';
import type { ReleaseBook, ReleaseSource } from './release-book.ts';
import type { LineRules } from './rules.ts';
import { checkStatement, type Submission } from './statement-checks.ts';
import { findUnit, listOpenStops, summarizeUnit } from './unit-views.ts';
import { SignIns } from './sessions.ts';
import {
  parseLoggable,
  parsePermitRequest,
  readSigned,
  type LoggableStatement,
  type ReadPermitRequest,
} from './statements.ts';

/** How often a statement that lost a race is judged again; each time something else was logged meanwhile. */
const MAX_ROUNDS = 4;

export interface LineOptions {
  readonly rules: LineRules;
  /** The keys to begin with; a newer trusted root in the trust repository takes its place. */
  readonly trustedRoot: TrustedRoot;
  readonly log: EvidenceLog;
  readonly views: ViewReader;
  readonly releases: ReleaseSource;
  /** Signs permits, countersignatures and refusals; its key is in the trusted root with the role `evidence`. */
  readonly signer: Signer;
  readonly clock: Clock;
  /** A fresh UUID, version 7. */
  readonly newId: () => string;
  readonly checkSignature?: SignatureCheck;
}

export class Line implements LineService, LineViews {
  readonly counters: LineCounters;
  readonly #context: LineContext;
  readonly #log: EvidenceLog;
  readonly #permits: PermitDesk;
  readonly #ledger: RefusalLedger;
  readonly #checkSignature: SignatureCheck;
  #keys: KeyRing;

  /** Learns what has to be known before the first request: the keys of the trust repository, and counters from the log. */
  static async open(options: LineOptions): Promise<Line> {
    const line = new Line(options);
    const { counterFloor, views, records, releases, clock } = line.#context;
    // A repository that cannot be read now stops units, not the line; health and permits tell.
    await checkItem('trust repository', () => releases.current(clock.now()));
    await counterFloor.learn(line.#keys.stations(clock.now()), views, records);
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
      signIns: new SignIns(),
      counterFloor: new CounterFloor(),
      counters,
      keys: () => this.#keys,
      checkRoom: (kind) => {
        records.checkAlive();
        log.checkRoom(kind);
      },
    };
    this.#permits = new PermitDesk(this.#context);
    this.#ledger = new RefusalLedger({ records, views, signer, rules, counters, newId });
  }

  async requestPermit(envelope: Envelope): Promise<Envelope> {
    const now = this.#context.clock.now();
    const signer = await this.#identify(envelope, now);
    let request: ReadPermitRequest | null = null;
    try {
      request = readSigned(parsePermitRequest, envelope.payload);
      this.#keys.requireStation(signer);
      return await this.#permits.request(request, signer, now);
    } catch (error) {
      throw await this.#answer(error, describeRequest(signer, request), now);
    }
  }

  submit(envelope: Envelope, attachments: Attachments = {}): Promise<LoggedEntry> {
    return this.record(envelope, attachments);
  }

  /** As {@link submit}, with the bytes of the entry, which whoever answers over a wire would otherwise format again. */
  async record(envelope: Envelope, attachments: Attachments = {}): Promise<LoggedRecord> {
    const now = this.#context.clock.now();
    const signer = await this.#identify(envelope, now);
    let statement: LoggableStatement | null = null;
    try {
      statement = readSigned(parseLoggable, envelope.payload);
      return await this.#admit(envelope, statement, { signer, attachments, now });
    } catch (error) {
      throw await this.#answer(error, describeRequest(signer, statement), now);
    }
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- the contract is asynchronous because HTTP is
  async time(): Promise<LineTime> {
    return { now: this.#context.clock.now() };
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

  /** Whoever cannot be identified gets a refusal too, which says nothing about what they claimed. */
  async #identify(envelope: Envelope, now: Instant): Promise<TrustedKey> {
    try {
      const signer = this.#keys.claimedSigner(envelope, now);
      const isSigner = await this.#checkSignature(envelope, signer.key);
      ensure(isSigner, 'LS-502', `a signature by the key of ${signer.owner}`, 'one that does not verify');
      return signer;
    } catch (error) {
      throw await this.#answer(error, describeStranger(envelope), now);
    }
  }

  /**
   * Nothing is looked up beforehand: a statement that was logged already meets its own row, or a rule that its own effect
   * now breaks, and only then is its entry sought. So the common case costs one look at the views, and a race none.
   */
  async #admit(envelope: Envelope, statement: LoggableStatement, submission: Submission): Promise<LoggedRecord> {
    for (let round = 1; ; round += 1) {
      try {
        const limits = await checkStatement(statement, submission, this.#context);
        const countersigned = await countersign(envelope, this.#context.signer);
        const record = await this.#context.records.append(countersigned, statement, limits);
        this.#learn(statement, record.index);
        return record;
      } catch (error) {
        if (!(error instanceof RefusedError || error instanceof ConflictError)) throw error;
        const earlier = await this.#findEarlier(statement);
        if (earlier !== null) return earlier;
        if (error instanceof RefusedError) throw error;
        requireUniqueKey(error, statement);
        // Somebody else was first. Judged again, the statement is refused for what they did.
        if (round === MAX_ROUNDS) throw new LineRefusal('LS-106', 'a free place in the views', error.message, error);
      }
    }
  }

  /** The entry of a statement that is logged already. Throws LS-505 when its id belongs to another one. */
  async #findEarlier({ kind, id, digest }: LoggableStatement): Promise<LoggedRecord | null> {
    const { views, records } = this.#context;
    const row = await {
      session: () => views.session(id),
      intent: () => views.event(id),
      event: () => views.event(id),
      refusal: () => views.refusal(id),
      disposition: () => views.disposition(id),
    }[kind]();
    if (row === undefined) return null;
    if (row.payload_digest === digest) return records.read(row.log_index);
    throw new LineRefusal('LS-505', `the statement logged as ${id}`, `another ${kind} under the same id`);
  }

  #learn(statement: LoggableStatement, index: number): void {
    const { counters, signIns, counterFloor } = this.#context;
    counters.entries.add({ kind: statement.kind });
    if (statement.kind === 'session') {
      const { station, operator } = statement.predicate;
      signIns.record({ station: station.id, operator: operator.id, log_index: index });
    } else if (statement.kind === 'intent') {
      const { product, release } = statement.predicate;
      counterFloor.observe(product.sku, release.releaseCounter);
    } else if (statement.kind === 'event') {
      const { outcome, product, station } = statement.predicate;
      counters.units.add({ result: outcome, sku: product.sku, station: station.id });
    } else if (statement.kind === 'refusal') {
      const { code, station } = statement.predicate;
      if (isReasonCode(code)) counters.refused(code, station.id);
    }
  }

  /** The error a caller gets: a "no" is recorded first and carries its receipt. */
  async #answer(error: unknown, request: RefusedRequest, now: Instant): Promise<unknown> {
    const refused = error instanceof CustodyError ? toSilentKey(error) : error;
    if (!(refused instanceof RefusedError) || refused instanceof LineRefusedError) return refused;
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

async function checkItem(name: string, test: () => unknown): Promise<Health['checks'][number]> {
  try {
    await test();
    return { name, ok: true, detail: '' };
  } catch (error) {
    if (!(error instanceof WitnessmarkError)) throw error;
    return { name, ok: false, detail: `${error.code}: ${error.message}` };
  }
}

/** Nothing can be countersigned, so nothing was logged. */
function toSilentKey(error: CustodyError): LineRefusal {
  return new LineRefusal('LS-304', 'a signature by the evidence key', `${error.code}: ${error.message}`, error);
}

/** No rule looks up public keys before; the constraint alone keeps two devices from sharing one. Throws LS-102. */
function requireUniqueKey(conflict: ConflictError, statement: LoggableStatement): void {
  if (statement.kind !== 'event' || !conflict.isUnique('unit', 'public_key_digest')) return;
  const digest = statement.predicate.keys[0]?.publicKeyDigest.sha256 ?? '';
  throw new LineRefusal('LS-102', 'a public key of this device alone', `${digest} on another device`, conflict);
}
