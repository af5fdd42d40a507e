// SPDX-License-Identifier: Apache-2.0
/** The station's way to the line: repeats what was not answered, believes no answer before it has checked it. */
import {
  hasCode,
  sha256Hex,
  STATEMENT_PAYLOAD_TYPE,
  verifyEnvelope,
  WitnessmarkError,
  type Bytes,
  type Envelope,
  type Instant,
  type PublicKey,
} from '@witnessmark/core';
import { parseStatement, permit, type Permit, type PermitRequest } from '@witnessmark/attestation';
import {
  LineRefusedError,
  type Attachments,
  type BatchItem,
  type BatchOutcome,
  type LoggedEntry,
  type OfflineService,
  type SessionService,
  type UnsealedImages,
  type UnsealingService,
} from '@witnessmark/api';
import { sampleLineTime, type LineTimeSample } from './clock-check.ts';
import { StationRefusal } from './error.ts';
import type { StationPorts } from './ports.ts';
import { verifyReceipt, type ReceiptExpectation } from './receipt.ts';

const DEFAULT_RETRY_PAUSES_MS: readonly number[] = [100, 400, 1500];

export interface GrantedPermit {
  readonly envelope: Envelope;
  readonly statement: PermitTerms;
  /** SHA-256 of the statement's payload, lower-case hexadecimal. */
  readonly digest: string;
  /** An allowance in place of a permit: the line does not answer. */
  readonly isOffline?: true;
}

/** What a unit's statements take from the permit. */
export type PermitTerms = Pick<Permit, 'chain' | 'attempt' | 'breakGlass' | 'startDigest'>;

type ReceiptOrigin = Pick<ReceiptExpectation, 'sent' | 'author' | 'at'>;

type RecorderPorts = Pick<
  StationPorts,
  'clock' | 'pause' | 'journal' | 'line' | 'lineTrust' | 'signer' | 'identity' | 'retryPausesMs'
>;

export class Recorder {
  readonly #ports: RecorderPorts;

  constructor(ports: RecorderPorts) {
    this.#ports = ports;
  }

  /** Throws `ERR_API_UNREACHABLE` when the line is away. */
  sampleTime(): Promise<LineTimeSample> {
    return this.#repeat(() => sampleLineTime(this.#ports.clock, () => this.#ports.line.time()));
  }

  /** Throws a `LineRefusedError` when the line says no, LS-504 when its permit is not an answer to this request. */
  async requestPermit(request: Envelope, asked: PermitRequest, at: Instant): Promise<GrantedPermit> {
    const envelope = await this.#ask(() => this.#ports.line.requestPermit(request), at);
    const statement = readPermit(envelope, this.#ports.lineTrust.evidenceKeys(at));
    requireAnswer(statement, asked, this.#ports.identity);
    return { envelope, statement, digest: sha256Hex(envelope.payload) };
  }

  /**
   * Returns when the statement is in the log and its receipt has been recomputed. Throws a `LineRefusedError` for a
   * "no", LS-303 for a receipt that does not hold, and an `ApiError` when there was no answer: then nobody knows
   * whether it is logged, and it has to be submitted again.
   */
  async submit(
    envelope: Envelope,
    options: { readonly author: PublicKey; readonly at: Instant; readonly attachments?: Attachments },
  ): Promise<LoggedEntry> {
    const { author, at, attachments } = options;
    const entry = await this.#ask(() => this.#ports.line.submit(envelope, attachments), at);
    this.believe(entry, { sent: envelope, author, at });
    return entry;
  }

  /** The allowance as it was logged, its receipt recomputed; throws as {@link submit} does. */
  async requestAllowance(line: OfflineService, request: Envelope, at: Instant): Promise<LoggedEntry> {
    const entry = await this.#ask(() => line.requestAllowance(request), at);
    this.believe(entry, { sent: null, author: null, at });
    return entry;
  }

  /** Each is answered for itself; no answer is believed yet. Throws an `ApiError` when there was none. */
  submitAll(line: OfflineService, items: readonly BatchItem[]): Promise<readonly BatchOutcome[]> {
    return this.#repeat(() => line.submitAll(items));
  }

  /** Returns when the unsealing is in the log, its receipt recomputed as by {@link submit}, with what it was answered. */
  async unseal(
    line: UnsealingService,
    envelope: Envelope,
    options: { readonly author: PublicKey; readonly at: Instant; readonly permit: Envelope },
  ): Promise<UnsealedImages> {
    const { author, at, permit } = options;
    const answer = await this.#ask(() => line.unseal(envelope, { permit }), at);
    this.believe(answer.entry, { sent: envelope, author, at });
    return answer;
  }

  /** Returns the session that the line has opened for a badge, its receipt recomputed as by {@link submit}. */
  async signInWithBadge(
    line: Pick<SessionService, 'signInWithBadge'>,
    request: Envelope,
    { pin, at }: { readonly pin: string; readonly at: Instant },
  ): Promise<LoggedEntry> {
    const entry = await this.#ask(() => line.signInWithBadge(request, pin), at);
    this.believe(entry, { sent: null, author: null, at });
    return entry;
  }

  /** Holds a receipt from the journal against the keys again: files can be edited. Throws LS-303. */
  recheck(entry: LoggedEntry, origin: ReceiptOrigin): void {
    const { journal, lineTrust: trust } = this.#ports;
    // Later receipts may have been seen since, so its head only has to be true, not the newest.
    journal.raiseFloor({ head: verifyReceipt(entry, { ...origin, trust, lastHead: null }) });
  }

  async #ask<T>(question: () => Promise<T>, at: Instant): Promise<T> {
    try {
      return await this.#repeat(question);
    } catch (error) {
      if (error instanceof LineRefusedError && error.refusal !== null) {
        this.believe(error.refusal, { sent: null, author: null, at });
      }
      throw error;
    }
  }

  /** Recomputes a receipt up to a head that goes on from the last one seen. Throws LS-303. */
  believe(entry: LoggedEntry, origin: ReceiptOrigin): void {
    const { journal, lineTrust: trust } = this.#ports;
    journal.raiseFloor({ head: verifyReceipt(entry, { ...origin, trust, lastHead: journal.floor.head }) });
  }

  /** Repeating is safe: statements carry their id, and one id has one effect. */
  async #repeat<T>(question: () => Promise<T>): Promise<T> {
    for (const pauseMs of this.#ports.retryPausesMs ?? DEFAULT_RETRY_PAUSES_MS) {
      try {
        return await question();
      } catch (error) {
        if (!hasCode(error, 'ERR_API_UNREACHABLE')) throw error;
        await this.#ports.pause(pauseMs);
      }
    }
    return question();
  }
}

function readPermit(envelope: Envelope, keys: readonly PublicKey[]): Permit {
  let payload: Bytes;
  try {
    ({ payload } = verifyEnvelope(envelope, { keys, threshold: 1, payloadType: STATEMENT_PAYLOAD_TYPE }));
    return parseStatement(permit, payload).predicate;
  } catch (error) {
    if (!(error instanceof WitnessmarkError)) throw error;
    const observed = `${error.code}: ${error.message}`;
    throw new StationRefusal('LS-504', { expected: 'a permit signed by this line', observed, cause: error });
  }
}

/** A permit for another device, station, operator or release, however well signed, is no permit for this unit. */
function requireAnswer(granted: Permit, asked: PermitRequest, station: StationPorts['identity']): void {
  const pairs: readonly (readonly [string, string | null, string | null])[] = [
    ['request', asked.requestId, granted.requestId],
    ['transaction', asked.transactionId, granted.transactionId],
    ['device', asked.identity.deviceId, granted.deviceId],
    ['serial', asked.identity.label?.serial ?? null, granted.labelSerial],
    ['SKU', asked.product.sku, granted.product.sku],
    ['hardware version', asked.product.hwVersion, granted.product.hwVersion],
    ['release', asked.releaseId, granted.release.id],
    ['station', station.id, granted.station.id],
    ['line', station.line, granted.station.line],
    ['operator', asked.operator.id, granted.operatorId],
    ['start', asked.station?.startDigest.sha256 ?? null, granted.startDigest?.sha256 ?? null],
  ];
  for (const [what, expected, observed] of pairs) {
    if (expected === observed) continue;
    throw new StationRefusal('LS-504', {
      expected: `a permit for ${what} ${String(expected)}`,
      observed: String(observed),
    });
  }
}
