// SPDX-License-Identifier: Apache-2.0
/** The evidence log as the line uses it: statements in, logged entries out; what cannot be stored is said in the line's codes. */
import {
  formatEnvelope,
  hasCode,
  parseEnvelope,
  RefusedError,
  WitnessmarkError,
  type Bytes,
  type Envelope,
} from '@witnessmark/core';
import { ApiError, type LoggedEntry } from '@witnessmark/api';
import { ConflictError, type WorkKind } from '@witnessmark/store';
import { formatLogProof } from '@witnessmark/tlog';
import type { EvidenceLog } from '@witnessmark/log';
import { LineRefusal } from './error.ts';
import { projectStatement } from './projection/index.ts';
import type { ProjectionLimits } from './projection/unit.ts';
import { parseLoggable, type LoggableStatement } from './statements.ts';

/** A logged entry with its bytes in the log: the text `formatEnvelope` writes. */
export interface LoggedRecord extends LoggedEntry {
  readonly entry: Bytes;
}

type RecordLog = Pick<EvidenceLog, 'append' | 'readEntry' | 'entryProof'>;

export class Records {
  readonly #log: RecordLog;
  #failure: WitnessmarkError | null = null;

  constructor(log: RecordLog) {
    this.#log = log;
  }

  /**
   * Logs a complete envelope with its view changes; resolves when both are durable. Throws a `ConflictError` when the
   * views do not allow it, LS-302 when it cannot be stored, and `ERR_API_UNREACHABLE` when nobody knows or when it may
   * be tried again.
   */
  async append(envelope: Envelope, statement: LoggableStatement, limits: ProjectionLimits = {}): Promise<LoggedRecord> {
    const entry = formatEntry(envelope);
    this.checkAlive();
    try {
      const { index, proof, checkpoint } = await this.#log.append({
        entry,
        changes: (at) => projectStatement(at, statement, limits),
        work: toWorkKind(statement),
      });
      return { index, envelope, entry, proof: formatLogProof({ index, proof, checkpoint }) };
    } catch (error) {
      if (hasCode(error, 'ERR_LOG_FATAL') || hasCode(error, 'ERR_LOG_CLOSED'))
        this.#failure = error as WitnessmarkError;
      throw toAppendError(error);
    }
  }

  /** Throws LS-302 when the log has stopped: nothing is tried any more, so nothing changes. */
  checkAlive(): void {
    if (this.#failure === null) return;
    throw new LineRefusal('LS-302', 'a log that takes entries', this.#failure.message, this.#failure);
  }

  async read(index: number): Promise<LoggedRecord> {
    const [entry, proof] = await Promise.all([this.#log.readEntry(index), this.#log.entryProof(index)]);
    return { index, envelope: parseEnvelope(entry), entry, proof: formatLogProof(proof) };
  }

  /** The statement of an entry; what is in the log was verified when it came in. */
  async readStatement(index: number): Promise<LoggableStatement> {
    return parseLoggable(parseEnvelope(await this.#log.readEntry(index)).payload);
  }
}

/** What begins a unit is new work; everything else ends one, or is the record of a "no", and may use the disk's reserve. */
export function toWorkKind(statement: LoggableStatement): WorkKind {
  if (statement.kind === 'siteRecord') return statement.rule.work ?? 'closing';
  return statement.kind === 'intent' || statement.kind === 'session' ? 'new' : 'closing';
}

/** An envelope that outgrows an entry by the line's own signature was too large to begin with. */
function formatEntry(envelope: Envelope): Bytes {
  try {
    return formatEnvelope(envelope);
  } catch (error) {
    if (!(error instanceof WitnessmarkError)) throw error;
    throw new LineRefusal('LS-506', 'a statement that fits a log entry', error.message, error);
  }
}

function toAppendError(error: unknown): unknown {
  if (error instanceof ConflictError || error instanceof RefusedError) return error;
  if (hasCode(error, 'ERR_STORE_FULL')) {
    return new LineRefusal('LS-302', 'room on the evidence disk', 'a full disk; nothing was stored', error);
  }
  if (!(error instanceof WitnessmarkError)) return error;
  // Overloaded, closed or fatal: the caller asks again with the same id and learns what is stored.
  return new ApiError('ERR_API_UNREACHABLE', `the evidence log did not answer: ${error.code}`, { cause: error });
}
