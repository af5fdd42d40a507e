// SPDX-License-Identifier: Apache-2.0
/** The way to the line as a station sees it: what cannot be answered is "unreachable". Keeps what the line has promised. */
import { formatEnvelope, RefusedError, type Bytes, type Envelope } from '@witnessmark/core';
import {
  ApiError,
  type Attachments,
  type BatchItem,
  type BatchOutcome,
  type EnrolledBadge,
  type LineService,
  type LineTime,
  type LoggedEntry,
  type OfflineService,
  type OpenSession,
  type SessionChallenge,
  type SessionService,
  type UnsealedImages,
  type UnsealingService,
} from '@witnessmark/api';
import { hashLeaf, parseLogProof } from '@witnessmark/tlog';

/** An answer that told somebody an entry is in the log. */
interface Promised {
  readonly index: number;
  readonly leafHash: Bytes;
  readonly checkpoint: Bytes;
}

/** What a line does for its stations. */
export type SimLineService = LineService & UnsealingService & SessionService & OfflineService;

/** What `line` does, as a value whose members a test may replace. */
export function delegateTo(line: SimLineService): SimLineService {
  return {
    requestPermit: (request) => line.requestPermit(request),
    submit: (statement, attachments) => line.submit(statement, attachments),
    unseal: (statement, attachments) => line.unseal(statement, attachments),
    requestAllowance: (request) => line.requestAllowance(request),
    submitAll: (items) => line.submitAll(items),
    sessionChallenge: (station) => line.sessionChallenge(station),
    signInWithBadge: (request, pin) => line.signInWithBadge(request, pin),
    openSessions: () => line.openSessions(),
    badges: () => line.badges(),
    time: () => line.time(),
    unitEvidence: (unit) => line.unitEvidence(unit),
  };
}

export class SimWire implements SimLineService {
  readonly promised: Promised[] = [];
  /** Null while the line is away. */
  line: SimLineService | null;

  constructor(line: SimLineService | null) {
    this.line = line;
  }

  requestPermit(request: Envelope): Promise<Envelope> {
    return this.#ask((line) => line.requestPermit(request));
  }

  async submit(statement: Envelope, attachments?: Attachments): Promise<LoggedEntry> {
    const entry = await this.#ask((line) => line.submit(statement, attachments));
    this.#keep(entry);
    return entry;
  }

  async unseal(statement: Envelope, attachments: Attachments): Promise<UnsealedImages> {
    const answer = await this.#ask((line) => line.unseal(statement, attachments));
    this.#keep(answer.entry);
    return answer;
  }

  sessionChallenge(station: string): Promise<SessionChallenge> {
    return this.#ask((line) => line.sessionChallenge(station));
  }

  async signInWithBadge(request: Envelope, pin: string): Promise<LoggedEntry> {
    const entry = await this.#ask((line) => line.signInWithBadge(request, pin));
    this.#keep(entry);
    return entry;
  }

  openSessions(): Promise<readonly OpenSession[]> {
    return this.#ask((line) => line.openSessions());
  }

  async requestAllowance(request: Envelope): Promise<LoggedEntry> {
    const entry = await this.#ask((line) => line.requestAllowance(request));
    this.#keep(entry);
    return entry;
  }

  async submitAll(items: readonly BatchItem[]): Promise<readonly BatchOutcome[]> {
    const outcomes = await this.#ask((line) => line.submitAll(items));
    for (const outcome of outcomes) if (outcome.state === 'logged') this.#keep(outcome.entry);
    return outcomes;
  }

  badges(): Promise<readonly EnrolledBadge[]> {
    return this.#ask((line) => line.badges());
  }

  time(): Promise<LineTime> {
    return this.#ask((line) => line.time());
  }

  unitEvidence(unit: string): Promise<Bytes | null> {
    return this.#ask((line) => line.unitEvidence(unit));
  }

  #keep({ index, envelope, proof }: LoggedEntry): void {
    const { checkpoint } = parseLogProof(proof);
    this.promised.push({ index, leafHash: hashLeaf(formatEnvelope(envelope)), checkpoint });
  }

  async #ask<T>(question: (line: SimLineService) => Promise<T>): Promise<T> {
    if (this.line === null) throw new ApiError('ERR_API_UNREACHABLE', 'the line is away');
    try {
      return await question(this.line);
    } catch (cause) {
      if (cause instanceof RefusedError || cause instanceof ApiError) throw cause;
      throw new ApiError('ERR_API_UNREACHABLE', 'the line has a fault of its own', { cause });
    }
  }
}
