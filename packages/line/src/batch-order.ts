// SPDX-License-Identifier: Apache-2.0
/**
 * The order of a batch (spec/http-api.md, "Batches"): its statements are judged one after the other and take their places in
 * the log in that order, without waiting for each other to be durable. Only one that is judged by what an earlier one
 * writes waits until that one was answered, so that the answers are those of statements sent one by one.
 */
import { spoolName } from '@witnessmark/attestation';
import type { LoggableStatement } from './statements.ts';

/** What a statement is judged by and what it changes, as names of things; null stands for everything. */
export interface Effects {
  readonly reads: readonly string[] | null;
  readonly writes: readonly string[] | null;
}

/** A statement's place in the order. */
export interface Turn {
  /** Resolves when every earlier statement that writes what this one reads was answered. */
  begin(effects: Effects): Promise<void>;
  /** The statement has its place in the log; the next one may be judged. */
  queued(): void;
}

export class BatchOrder {
  /** What unanswered statements write, in order. */
  readonly #unanswered = new Map<object, { readonly writes: Effects['writes']; readonly answered: Promise<unknown> }>();

  /** Has one statement recorded in its turn. Resolves, with its answer under way, when the next may begin. */
  async take<T>(record: (turn: Turn) => Promise<T>): Promise<{ readonly answer: Promise<T> }> {
    const { promise: passed, resolve: pass } = Promise.withResolvers<undefined>();
    const key = {};
    const { promise: answered, resolve: settle } = Promise.withResolvers<undefined>();
    const answer = record({
      begin: async ({ reads, writes }) => {
        await this.#waitFor(reads);
        this.#unanswered.set(key, { writes, answered });
      },
      queued: () => {
        pass(undefined);
      },
    });
    const end = (): void => {
      this.#unanswered.delete(key);
      settle(undefined);
      pass(undefined);
    };
    answer.then(end, end);
    await passed;
    return { answer };
  }

  async #waitFor(reads: Effects['reads']): Promise<void> {
    const needed = [...this.#unanswered.values()].filter(({ writes }) => meet(reads, writes));
    await Promise.all(needed.map(({ answered }) => answered));
  }
}

/** Which rules read and which views and memories change: statement-checks.ts and projection/, kind by kind. */
export function effectsOf(statement: LoggableStatement): Effects {
  const { reads, writes } = ownEffectsOf(statement);
  const spool = spoolOf(statement);
  if (spool === null || reads === null || writes === null) return { reads, writes };
  return { reads: [...reads, spool], writes: [...writes, spool] };
}

/** The spool whose next place a statement takes. */
function spoolOf(statement: LoggableStatement): string | null {
  if (statement.kind !== 'intent' && statement.kind !== 'event' && statement.kind !== 'refusal') return null;
  const { offline, station } = statement.predicate;
  return offline === undefined ? null : `spool ${spoolName(station.id, station.slot)}`;
}

function ownEffectsOf(statement: LoggableStatement): Effects {
  switch (statement.kind) {
    case 'session': {
      const { station, operator } = statement.predicate;
      const signIns = [signIn(station.id), signIn(operator.id)];
      return { reads: signIns, writes: [`session ${statement.digest}`, ...signIns] };
    }
    case 'intent': {
      const { identity, operator, station } = statement.predicate;
      const device = `device ${identity.deviceId}`;
      const session = `session ${operator.sessionDigest.sha256}`;
      return {
        reads: [device, session, stopAt(station.id), signIn(station.id), signIn(operator.id)],
        writes: [device],
      };
    }
    case 'event': {
      const device = `device ${statement.predicate.identity.deviceId}`;
      return { reads: [device], writes: [device, `matter ${statement.id}`] };
    }
    case 'refusal':
      return { reads: [], writes: [stopAt(statement.predicate.station.id), `matter ${statement.id}`] };
    case 'disposition': {
      const { refusalId, deviceId, station } = statement.predicate;
      const touched = [`matter ${refusalId}`, `device ${deviceId ?? ''}`];
      return { reads: touched, writes: [...touched, stopAt(station.id)] };
    }
    case 'siteRecord':
      // Each kind has rules of its own.
      return { reads: null, writes: null };
  }
}

function signIn(stationOrOperator: string): string {
  return `sign-in ${stationOrOperator}`;
}

function stopAt(station: string): string {
  return `stop ${station}`;
}

function meet(reads: Effects['reads'], writes: Effects['writes']): boolean {
  return reads === null || writes === null || reads.some((name) => writes.includes(name));
}
