// SPDX-License-Identifier: Apache-2.0
/**
 * Refusals of the line as evidence (spec/refusal.md): each "no" is signed and logged, a repeated "no" is the one that was
 * logged before, and a flood is summed up. A refusal that opens a stop is never summed up while no stop is open.
 */
import {
  describeReasonCode,
  encodeUtf8,
  formatInstant,
  isReasonCode,
  sha256Hex,
  STATEMENT_PAYLOAD_TYPE,
  WitnessmarkError,
  type Instant,
  type ReasonCode,
  type RefusedError,
} from '@witnessmark/core';
import {
  buildStatement,
  deviceSubject,
  refusal as refusalDefinition,
  toRefusalKind,
  type Environment,
  type Refusal,
  type Subject,
} from '@witnessmark/attestation';
import { LineRefusedError, type LoggedEntry } from '@witnessmark/api';
import { signEnvelope } from '@witnessmark/custody';
import { ConflictError } from '@witnessmark/store';
import { opensStop } from './dispositions.ts';
import { LineRefusal } from './error.ts';
import type { LineContext } from './line-context.ts';
import { markSpool, type SpoolMarks } from './offline/refused-place.ts';
import { RefusalBudget, type SuppressedRefusals } from './refusal-budget.ts';
import type { RefusedRequest } from './refused-request.ts';
import type { ReadRefusal } from './statements.ts';

const MAX_REMARK_LENGTH = 1000;
const NO_MARKS: Environment = { simulated: false, rehearsal: false, breakGlass: null };

type LedgerContext = Pick<LineContext, 'records' | 'views' | 'signer' | 'rules' | 'counters' | 'newId' | 'breakGlass'>;

export class RefusalLedger {
  readonly #context: LedgerContext;
  readonly #budget: RefusalBudget;

  constructor(context: LedgerContext) {
    this.#context = context;
    this.#budget = new RefusalBudget(context.rules.refusalsPerMinute);
  }

  /** Logs a refusal and returns its entry; null when it was only counted, or cannot be stored. */
  async record(refused: RefusedError, request: RefusedRequest, now: Instant): Promise<LoggedEntry | null> {
    const { counters } = this.#context;
    counters.refused(refused.code, request.source);
    try {
      return (await this.#findEarlier(refused.code, request)) ?? (await this.#logOnce(refused, request, now));
    } catch (error) {
      // The answer stays "no"; that it could not be recorded shows in the health of the log.
      if (error instanceof WitnessmarkError) return null;
      throw error;
    }
  }

  /** The "no" that a spooled statement was answered with before, whichever; null for one that was never refused. */
  async findSettled({ spool, request }: RefusedRequest): Promise<LineRefusedError | null> {
    const { views, records } = this.#context;
    if (spool?.place == null || request === null) return null;
    const row = await views.refusal(request.id);
    const statement = row === undefined ? null : await records.readStatement(row.log_index);
    if (row === undefined || statement?.kind !== 'refusal' || !isReasonCode(row.code)) return null;
    const { requestDigest, refusedPlace, expected, observed } = statement.predicate;
    if (refusedPlace === undefined || requestDigest?.sha256 !== request.digest) return null;
    const message = `expected ${expected}; found ${observed}`;
    return new LineRefusedError(row.code, message, await records.read(row.log_index));
  }

  /** Logs the sums of minutes that are over; of the running ones too when `everything` is to be on record. */
  async summarize(now: Instant, everything = false): Promise<void> {
    for (const sum of this.#budget.collect(now, everything)) {
      await this.#append(this.#toSummary(sum, now), {
        name: 'source',
        digest: { sha256: sha256Hex(encodeUtf8(sum.source)) },
      });
    }
  }

  /** The refusal logged when the same request got the same "no" before. */
  async #findEarlier(code: ReasonCode, { source, request }: RefusedRequest): Promise<LoggedEntry | null> {
    if (request === null) return null;
    const row = await this.#context.views.refusal(request.id);
    if (row?.code !== code || row.station !== source) return null;
    const statement = await this.#context.records.readStatement(row.log_index);
    const isSame = statement.kind === 'refusal' && statement.predicate.requestDigest?.sha256 === request.digest;
    return isSame ? this.#context.records.read(row.log_index) : null;
  }

  /** The same request may be refused twice at once: the second finds what the first has logged. */
  async #logOnce(refused: RefusedError, request: RefusedRequest, now: Instant): Promise<LoggedEntry | null> {
    const { spool } = request;
    const marks = spool === null ? {} : await markSpool(refused.code, spool, this.#context.views);
    // What a spool goes on from is never summed up.
    if (Object.keys(marks).length === 0 && !(await this.#mayLog(refused.code, request, now))) return null;
    try {
      return await this.#log(refused, request, marks, now);
    } catch (error) {
      if (error instanceof ConflictError) return this.#findEarlier(refused.code, request);
      throw error;
    }
  }

  async #mayLog(code: ReasonCode, { source }: RefusedRequest, now: Instant): Promise<boolean> {
    await this.summarize(now);
    if (opensStop({ kind: toRefusalKind(code), code })) {
      const open = await this.#context.views.openRefusals(source);
      if (open.length === 0) return true;
    }
    return this.#budget.take(source, code, now);
  }

  async #log(refused: RefusedError, request: RefusedRequest, marks: SpoolMarks, now: Instant): Promise<LoggedEntry> {
    const { rules, views, newId, counters, breakGlass } = this.#context;
    const isFree = request.request !== null && (await views.refusal(request.request.id)) === undefined;
    const { expected, observed } = toFinding(refused);
    const predicate: Refusal = {
      id: isFree ? request.request.id : newId(),
      transactionId: request.transactionId,
      kind: toRefusalKind(refused.code),
      code: refused.code,
      deviceId: request.deviceId,
      labelSerial: request.labelSerial,
      ...(request.request === null ? {} : { requestDigest: { sha256: request.request.digest } }),
      station: {
        id: request.source,
        line: rules.line,
        ...(marks.refusedPlace === undefined || request.spool?.owner.slot === undefined
          ? {}
          : { slot: request.spool.owner.slot }),
      },
      operatorId: request.operatorId,
      expected: toRemark(expected),
      observed: toRemark(observed),
      refusedAt: formatInstant(now),
      environment: {
        ...(request.environment ?? NO_MARKS),
        breakGlass: breakGlass.inForce(request.source, now)?.digest ?? null,
      },
      ...marks,
    };
    const subject =
      request.deviceId === null
        ? { name: 'source', digest: { sha256: request.sourceDigest } }
        : deviceSubject(request.deviceId);
    const entry = await this.#append(predicate, subject);
    if (opensStop(predicate)) counters.lineStops.add({ code: refused.code });
    return entry;
  }

  #toSummary({ source, from, until, counts }: SuppressedRefusals, now: Instant): Refusal {
    const { rules, newId } = this.#context;
    const ranked = [...counts].sort(([, left], [, right]) => right - left);
    const total = ranked.reduce((sum, [, count]) => sum + count, 0);
    const codes = ranked.map(([code, count]) => `${code} × ${count}`).join(', ');
    return {
      id: newId(),
      transactionId: null,
      kind: 'REFUSED',
      code: ranked[0]?.[0] ?? 'LS-502',
      deviceId: null,
      labelSerial: null,
      station: { id: source, line: rules.line },
      operatorId: null,
      expected: `at most ${rules.refusalsPerMinute} refusals of one source in a minute`,
      observed: toRemark(`${total} more from ${formatInstant(from)} to ${formatInstant(until)}: ${codes}`),
      refusedAt: formatInstant(now),
      environment: NO_MARKS,
    };
  }

  async #append(predicate: Refusal, subject: Subject): Promise<LoggedEntry> {
    const { records, signer } = this.#context;
    const payload = buildStatement(refusalDefinition, subject, predicate);
    const envelope = await signEnvelope(STATEMENT_PAYLOAD_TYPE, payload, [signer]);
    const statement: ReadRefusal = {
      kind: 'refusal',
      id: predicate.id,
      digest: sha256Hex(payload),
      subject: subject.digest.sha256,
      predicate,
    };
    return records.append(envelope, statement);
  }
}

/** Cut to what a statement may carry, never in the middle of a character. */
function toRemark(text: string): string {
  return text.slice(0, MAX_REMARK_LENGTH).toWellFormed();
}

function toFinding(refused: RefusedError): { readonly expected: string; readonly observed: string } {
  if (refused instanceof LineRefusal) return refused;
  return { expected: describeReasonCode(refused.code).cause, observed: refused.message };
}
