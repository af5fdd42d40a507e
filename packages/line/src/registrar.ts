// SPDX-License-Identifier: Apache-2.0
/**
 * Has statements logged whose signatures were verified: asks the rules, countersigns, appends, and lets the database have
 * the last word. A statement that lost a race is judged again by what it finds then.
 */
import { isReasonCode, RefusedError, type Envelope } from '@witnessmark/core';
import { countersign } from '@witnessmark/custody';
import { ConflictError } from '@witnessmark/store';
import type { Turn } from './batch-order.ts';
import { LineRefusal } from './error.ts';
import type { LineContext } from './line-context.ts';
import type { LoggedRecord } from './records.ts';
import { makeWay } from './session-desk.ts';
import { checkStatement, type Submission } from './statement-checks.ts';
import { kindOf, type LoggableStatement } from './statements.ts';

/** How often a statement that lost a race is judged again; each time something else was logged meanwhile. */
const MAX_ROUNDS = 4;

export class Registrar {
  readonly #context: LineContext;

  constructor(context: LineContext) {
    this.#context = context;
  }

  /**
   * Nothing is looked up beforehand: a statement that was logged already meets its own row, or a rule that its own effect
   * now breaks, and only then is its entry sought. So the common case costs one look at the views, and a race none.
   */
  async record(
    envelope: Envelope,
    statement: LoggableStatement,
    submission: Submission,
    turn?: Turn,
  ): Promise<LoggedRecord> {
    return this.#record(envelope, statement, submission, { isOwn: false, turn });
  }

  /** The same for a statement that the line has signed itself, in somebody's name. */
  async recordOwn(envelope: Envelope, statement: LoggableStatement, submission: Submission): Promise<LoggedRecord> {
    return this.#record(envelope, statement, submission, { isOwn: true });
  }

  async #record(
    envelope: Envelope,
    statement: LoggableStatement,
    submission: Submission,
    { isOwn, turn }: { readonly isOwn: boolean; readonly turn?: Turn | undefined },
  ): Promise<LoggedRecord> {
    for (let round = 1; ; round += 1) {
      try {
        const limits = await checkStatement(statement, submission, this.#context);
        await makeWay(statement, submission.now, this.#context);
        const countersigned = isOwn ? envelope : await countersign(envelope, this.#context.signer);
        const appended = this.#context.records.append(countersigned, statement, limits);
        turn?.queued();
        const record = await appended;
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
      siteRecord: () => views.siteRecord(id),
    }[kind]();
    if (row === undefined) return null;
    if (row.payload_digest === digest) return records.read(row.log_index);
    throw new LineRefusal('LS-505', `the statement logged as ${id}`, `another ${kind} under the same id`);
  }

  #learn(statement: LoggableStatement, index: number): void {
    const { counters, counterFloor } = this.#context;
    counters.entries.add({ kind: kindOf(statement) });
    if (statement.kind === 'intent') {
      const { product, release } = statement.predicate;
      counterFloor.observe(product.sku, release.releaseCounter);
    } else if (statement.kind === 'event') {
      const { outcome, product, station } = statement.predicate;
      counters.units.add({ result: outcome, sku: product.sku, station: station.id });
    } else if (statement.kind === 'refusal') {
      const { code, station } = statement.predicate;
      if (isReasonCode(code)) counters.refused(code, station.id);
    } else if (statement.kind === 'siteRecord') {
      this.#context.breakGlass.observe(statement);
      this.#context.golden.observe(statement);
      this.#context.identities.observe(statement, index);
      this.#context.starts.observe(statement, index);
    }
  }
}

/** No rule looks up public keys before; the constraint alone keeps two devices from sharing one. Throws LS-102. */
function requireUniqueKey(conflict: ConflictError, statement: LoggableStatement): void {
  if (statement.kind !== 'event' || !conflict.isUnique('unit', 'public_key_digest')) return;
  const digest = statement.predicate.keys[0]?.publicKeyDigest.sha256 ?? '';
  throw new LineRefusal('LS-102', 'a public key of this device alone', `${digest} on another device`, conflict);
}
