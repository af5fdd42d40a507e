// SPDX-License-Identifier: Apache-2.0
/** The way to the line as a station sees it: what cannot be answered is "unreachable". Keeps what the line has promised. */
import { formatEnvelope, RefusedError, type Bytes, type Envelope } from '@witnessmark/core';
import {
  ApiError,
  type Attachments,
  type LineService,
  type LineTime,
  type LoggedEntry,
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

export class SimWire implements LineService, UnsealingService {
  readonly promised: Promised[] = [];
  /** Null while the line is away. */
  line: (LineService & UnsealingService) | null;

  constructor(line: (LineService & UnsealingService) | null) {
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

  async #ask<T>(question: (line: LineService & UnsealingService) => Promise<T>): Promise<T> {
    if (this.line === null) throw new ApiError('ERR_API_UNREACHABLE', 'the line is away');
    try {
      return await question(this.line);
    } catch (cause) {
      if (cause instanceof RefusedError || cause instanceof ApiError) throw cause;
      throw new ApiError('ERR_API_UNREACHABLE', 'the line has a fault of its own', { cause });
    }
  }
}
