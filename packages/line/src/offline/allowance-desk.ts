// SPDX-License-Identifier: Apache-2.0
/**
 * Gives allowances (spec/offline-allowance.md): how many units a station may make, of one release for one order and until
 * when, should the line not answer. Logged like everything that a unit is judged by; nothing is allowed unless the rules say
 * how much.
 */
import { formatInstant, parseInstant, RefusedError, type Instant } from '@witnessmark/core';
import { buildStatement, offlineAllowance, type OfflineAllowance, type TrustedKey } from '@witnessmark/attestation';
import { ConflictError, type SpoolRow } from '@witnessmark/store';
import { admitStation } from '../admission.ts';
import type { StationFacts } from '../claim.ts';
import { ensure, LineRefusal } from '../error.ts';
import { gatherStationFacts } from '../facts.ts';
import type { LineContext } from '../line-context.ts';
import { logOwnStatement } from '../own-statements.ts';
import type { LoggedRecord } from '../records.ts';
import type { ReleaseInForce } from '../release-book.ts';
import { checkPlace, placeOf } from '../station-place.ts';
import type { ReadOfflineRequest } from '../statements.ts';
import { checkHeadOrBroken, nameOf } from './spool-rules.ts';

const HOUR_MS = 3_600_000;

export class AllowanceDesk {
  readonly #context: LineContext;

  constructor(context: LineContext) {
    this.#context = context;
  }

  /** Throws a `RefusedError`; the same request gets the same allowance. */
  async request(request: ReadOfflineRequest, signer: TrustedKey, now: Instant): Promise<LoggedRecord> {
    const earlier = await this.#findEarlier(request);
    if (earlier !== null) return earlier;
    const { predicate } = request;
    const { rules, views, checkRoom } = this.#context;
    checkRoom('new');
    const { slot, ...place } = predicate.station;
    checkPlace(place, placeOf(signer, rules));
    const row = await views.spool(nameOf({ id: place.id, slot }));
    checkHeadOrBroken(predicate.spool, { id: place.id, slot }, row);
    const claim = {
      ...predicate,
      startDigest: predicate.startDigest?.sha256 ?? null,
      at: parseInstant(predicate.requestedAt),
    };
    const facts = await gatherStationFacts(claim, { station: signer.owner, now }, this.#context);
    admitStation(claim, facts);
    const allowance = await this.#decide(request, facts, row, now);
    return this.#log(allowance, signer);
  }

  /** It bears the id of its request. */
  async #findEarlier({ id, digest }: ReadOfflineRequest): Promise<LoggedRecord | null> {
    const { views, records } = this.#context;
    const row = await views.siteRecord(id);
    if (row === undefined) return null;
    const statement = await records.readStatement(row.log_index);
    const given = statement.kind === 'siteRecord' ? (statement.predicate as OfflineAllowance) : null;
    if (given?.requestDigest.sha256 === digest) return records.read(row.log_index);
    throw new LineRefusal('LS-505', `the request ${id} was seen with`, 'other content');
  }

  async #decide(
    { predicate, digest }: ReadOfflineRequest,
    facts: StationFacts,
    row: SpoolRow | undefined,
    now: Instant,
  ): Promise<OfflineAllowance> {
    const { rules } = this.#context;
    const { release } = facts;
    if (release instanceof RefusedError) throw release;
    const { manifest } = release.release;
    ensure(predicate.releaseId === manifest.releaseId, 'LS-203', `release ${manifest.releaseId}`, predicate.releaseId);
    const maxUnits = await this.#countUnits(release, facts, rules.offline.maxUnits);
    // A spool that was broken has to be told where it goes on, even where nothing is allowed.
    ensure(maxUnits > 0 || row !== undefined, 'LS-311', 'a line that allows units while it does not answer', 'none');
    const { station, product, operator, startDigest } = predicate;
    const session = facts.session.row;
    return {
      id: predicate.id,
      number: (row?.allowance_number ?? 0) + 1,
      station,
      product,
      release: release.reference,
      operatorId: operator.id,
      sessionDigest: operator.sessionDigest,
      ...(startDigest === undefined ? {} : { startDigest }),
      maxUnits,
      spool: {
        ...(station.slot === undefined ? {} : { slot: station.slot }),
        seq: row?.seq ?? 0,
        digest: row?.head_digest == null ? null : { sha256: row.head_digest },
      },
      requestDigest: { sha256: digest },
      issuedAt: formatInstant(now),
      notAfter: formatInstant(
        Math.min(
          now + rules.offline.maxHours * HOUR_MS,
          parseInstant(release.reference.tuf.timestampExpiresAt),
          session === null ? now : parseInstant(session.expires_at),
        ),
      ),
    };
  }

  /** As many as the rules allow and the order has left; none of what only the line can open, and none under break-glass. */
  async #countUnits(
    { release, rule, reference }: ReleaseInForce,
    { breakGlass }: StationFacts,
    allowed: number,
  ): Promise<number> {
    const { views, rules } = this.#context;
    if (breakGlass !== null || release.manifest.components.some(({ sealed }) => sealed !== undefined)) return 0;
    if (rule.maxUnits === null) return allowed;
    return Math.max(0, Math.min(allowed, rule.maxUnits - (await views.releaseUse(reference.id, rules.line))));
  }

  async #log(allowance: OfflineAllowance, signer: TrustedKey): Promise<LoggedRecord> {
    const subject = { name: 'station', digest: { sha256: signer.key.keyid } };
    const payload = buildStatement(offlineAllowance, subject, allowance);
    try {
      return await logOwnStatement(payload, this.#context);
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
      throw new LineRefusal('LS-317', `the spool as it was at allowance ${allowance.number}`, error.message, error);
    }
  }
}
