// SPDX-License-Identifier: Apache-2.0
/**
 * Signs people in by badge and PIN: the lesser grade (spec/operator-session.md, "Badges"). The line checks what the station
 * passes on and signs the session itself; too many wrong PINs lock the badge, on record.
 */
import { formatInstant, parseInstant, STATEMENT_PAYLOAD_TYPE, type Instant } from '@witnessmark/core';
import {
  badgeEvent,
  buildStatement,
  operatorSession,
  type BadgeEvent,
  type OperatorSession,
  type TrustedKey,
} from '@witnessmark/attestation';
import { ApiError } from '@witnessmark/api';
import { signEnvelope } from '@witnessmark/custody';
import { ConflictError, type SiteRecordRow } from '@witnessmark/store';
import { isPinOf, type PinRecord } from './badge-book.ts';
import { badgeDigest, findBadge } from './badges.ts';
import type { Challenges } from './challenges.ts';
import { ensure, LineRefusal } from './error.ts';
import type { LineContext } from './line-context.ts';
import { logOwnStatement } from './own-statements.ts';
import type { LoggedRecord } from './records.ts';
import type { Registrar } from './registrar.ts';
import { badgeRule } from './site-records/badge-event.ts';
import { parseLoggable, type ReadBadgeSignIn } from './statements.ts';

const MINUTE_MS = 60_000;
/** Each PIN costs memory and a tenth of a second; people wait in line, floods go away. */
const MAX_WAITING = 16;

interface BadgeClaim {
  readonly badge: SiteRecordRow;
  readonly digest: string;
}

export class BadgeDesk {
  readonly #context: LineContext;
  readonly #registrar: Registrar;
  readonly #challenges: Challenges;
  /** When wrong PINs came from each station, oldest first. */
  readonly #wrong = new Map<string, readonly Instant[]>();
  #waiting = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(context: LineContext, registrar: Registrar) {
    this.#context = context;
    this.#registrar = registrar;
    this.#challenges = context.challenges;
  }

  /** Throws LS-301, LS-501, LS-502, LS-517 to LS-519, and what opening a session throws. One after the other. */
  async signIn(request: ReadBadgeSignIn, pin: string, station: TrustedKey, now: Instant): Promise<LoggedRecord> {
    if (this.#waiting >= MAX_WAITING) throw new ApiError('ERR_API_UNREACHABLE', 'too many sign-ins at once');
    this.#waiting += 1;
    const turn = this.#last.then(() => this.#signIn(request, pin, station, now));
    this.#last = turn.catch(() => undefined);
    try {
      return await turn;
    } finally {
      this.#waiting -= 1;
    }
  }

  async #signIn(request: ReadBadgeSignIn, pin: string, station: TrustedKey, now: Instant): Promise<LoggedRecord> {
    const { predicate } = request;
    this.#checkRequest(predicate, station, now);
    const { badge, digest } = await this.#checkPin(predicate.badge, pin, station.owner, now);
    const earlier = await this.#findEarlier(predicate.requestId, badge.actor);
    if (earlier !== null) return earlier;
    const { signer, keys } = this.#context;
    const payload = await this.#formatSession(predicate, { badge, digest }, now);
    const envelope = await signEnvelope(STATEMENT_PAYLOAD_TYPE, payload, [signer]);
    const statement = parseLoggable(payload);
    const [own] = keys().claimedSigners(envelope, now);
    return this.#registrar.recordOwn(envelope, statement, { signer: own, cosigners: [], attachments: {}, now });
  }

  #checkRequest({ station, requestedAt }: ReadBadgeSignIn['predicate'], signer: TrustedKey, now: Instant): void {
    const { rules } = this.#context;
    ensure(
      rules.signIn.credentials.includes('badge-pin') && this.#context.badges !== null,
      'LS-519',
      rules.signIn.credentials.filter((kind) => kind !== 'badge-pin').join(' or '),
      'badge-pin',
    );
    ensure(
      station.id === signer.owner && station.line === rules.line,
      'LS-502',
      `a request for ${signer.owner} of ${rules.line}`,
      `one for ${station.id} of ${station.line}`,
    );
    ensure(
      Math.abs(parseInstant(requestedAt) - now) <= rules.maxClockOffsetMs,
      'LS-301',
      `a request made within ${rules.maxClockOffsetMs} ms of ${formatInstant(now)}`,
      requestedAt,
    );
  }

  /** A badge that nobody has and a wrong PIN are one answer, and count alike at the station. */
  async #checkPin(badgeId: string, pin: string, station: string, now: Instant): Promise<BadgeClaim> {
    const { rules, views, badges } = this.#context;
    this.#checkStationTries(station, now);
    const digest = badgeDigest(rules.line, badgeId);
    const badge = await findBadge(digest, views);
    const record = badge === null ? null : await this.#findPin(badge, digest);
    if (badge === null || badges === null || record === null) {
      this.#countWrong(station, now);
      throw new LineRefusal('LS-517', 'a badge of this line', 'one that nobody has here');
    }
    ensure(badge.state === 'enrolled', 'LS-518', 'a badge that may be used', `one that is ${badge.state}`);
    const spent = await badges.spendTry(digest);
    const { maxWrongPins } = rules.signIn;
    if (spent <= maxWrongPins && (await isPinOf(record, pin))) {
      await badges.resetTries(digest);
      return { badge, digest };
    }
    this.#countWrong(station, now);
    if (spent < maxWrongPins)
      throw new LineRefusal('LS-517', 'the PIN of the badge', `another one, try ${spent} of ${maxWrongPins}`);
    await this.#lock(badge, digest, now);
    throw new LineRefusal('LS-518', `at most ${maxWrongPins} wrong PINs`, 'a badge that is locked now');
  }

  /** The record that the badge was enrolled with, and no other one. */
  async #findPin(badge: SiteRecordRow, digest: string): Promise<PinRecord | null> {
    const statement = await this.#context.records.readStatement(badge.log_index);
    if (statement.kind !== 'siteRecord' || statement.rule !== badgeRule) return null;
    const { pinRecordDigest } = statement.predicate as BadgeEvent;
    const record =
      pinRecordDigest === null ? null : ((await this.#context.badges?.find(pinRecordDigest.sha256)) ?? null);
    return record?.badgeDigest === digest ? record : null;
  }

  #checkStationTries(station: string, now: Instant): void {
    const { wrongPinsPerMinute } = this.#context.rules.signIn;
    const recent = (this.#wrong.get(station) ?? []).filter((at) => now - at < MINUTE_MS);
    this.#wrong.set(station, recent);
    ensure(
      recent.length < wrongPinsPerMinute,
      'LS-518',
      `at most ${wrongPinsPerMinute} wrong badges or PINs in a minute at ${station}`,
      `${recent.length}`,
    );
  }

  #countWrong(station: string, now: Instant): void {
    this.#wrong.set(station, [...(this.#wrong.get(station) ?? []), now]);
  }

  async #lock(badge: SiteRecordRow, digest: string, now: Instant): Promise<void> {
    const { newId, rules } = this.#context;
    const predicate: BadgeEvent = {
      id: newId(),
      action: 'lock',
      person: badge.actor,
      badgeDigest: { sha256: digest },
      enrolmentId: badge.record_id,
      pinRecordDigest: null,
      line: rules.line,
      decidedBy: { id: rules.line, role: 'line' },
      reason: `${rules.signIn.maxWrongPins} wrong PINs`,
      at: formatInstant(now),
    };
    const payload = buildStatement(badgeEvent, { name: 'badge', digest: { sha256: digest } }, predicate);
    try {
      await logOwnStatement(payload, this.#context);
    } catch (error) {
      // Somebody else changed the badge meanwhile; the tries stay spent.
      if (!(error instanceof ConflictError)) throw error;
    }
  }

  /** The session of a request that was answered before. Throws LS-505 when its id belongs to another session. */
  async #findEarlier(requestId: string, person: string): Promise<LoggedRecord | null> {
    const { views, records } = this.#context;
    const row = await views.session(requestId);
    if (row === undefined) return null;
    ensure(row.operator === person && row.credential === 'badge-pin', 'LS-505', 'the session of this badge', 'another');
    return records.read(row.log_index);
  }

  async #formatSession(
    { requestId, station, endsOther, durationMinutes }: ReadBadgeSignIn['predicate'],
    { badge, digest }: BadgeClaim,
    now: Instant,
  ): Promise<Uint8Array> {
    const { rules, signer, views } = this.#context;
    const elsewhere = endsOther ? await views.openSessionOf(badge.actor) : undefined;
    const { keyid } = signer.publicKey;
    const session: OperatorSession = {
      session: {
        id: requestId,
        openedAt: formatInstant(now),
        expiresAt: formatInstant(now + Math.min(durationMinutes * MINUTE_MS, rules.maxSessionMs)),
        idleMinutes: rules.signIn.idleMinutes,
        batchUnits: rules.signIn.batchUnits,
        challenge: this.#challenges.draw(station.id, now).challenge,
        supersedes: elsewhere === undefined ? null : { sha256: elsewhere.payload_digest },
      },
      operator: { id: badge.actor, role: 'operator', credentialKeyDigest: { sha256: keyid } },
      credential: { kind: 'badge-pin', badgeDigest: { sha256: digest } },
      station,
    };
    return buildStatement(operatorSession, { name: 'operator', digest: { sha256: keyid } }, session);
  }
}
