// SPDX-License-Identifier: Apache-2.0
/**
 * The line behind HTTP. Every answer is read within a byte limit and a deadline and held against its schema; what cannot
 * be read that way is an `ApiError`, never half an answer.
 */
import {
  concatBytes,
  decodeBase64,
  formatJson,
  fromEnvelope,
  isReasonCode,
  parseInstant,
  parseStrictJson,
  toEnvelope,
  WitnessmarkError,
  type Bytes,
  type Envelope,
  type JsonLimits,
  type JsonValue,
} from '@witnessmark/core';
import type { z } from 'zod';
import { splitBatches, type BatchItem, type BatchOutcome } from './batch.ts';
import { ApiError, LineRefusedError } from './error.ts';
import type {
  Attachments,
  LineService,
  LineTime,
  LineViews,
  LoggedEntry,
  OpenStop,
  SiteRecordView,
  StationTally,
  UnitSummary,
  UnsealedImages,
  UnsealingService,
} from './line-service.ts';
import type { OfflineService } from './offline-service.ts';
import { API_LIMITS, BATCH_RESPONSE_JSON_LIMITS, RESPONSE_JSON_LIMITS } from './limits.ts';
import { PROBLEM_MEDIA_TYPE } from './problem.ts';
import { JSON_MEDIA_TYPE, ROUTES, type Route } from './routes.ts';
import type { EnrolledBadge, OpenSession, SessionChallenge, SessionService } from './session-service.ts';
import {
  badgesBody,
  batchResultsBody,
  loggedEntryBody,
  openSessionsBody,
  openStopsBody,
  permitResponseBody,
  problemBody,
  sessionChallengeAnswer,
  siteRecordsBody,
  stationTalliesBody,
  timeBody,
  toReasonCode,
  unitBody,
  unsealedImagesBody,
  type BatchResult,
  type Problem,
} from './schemas.ts';

export interface HttpLineServiceOptions {
  /** Scheme, host and port; a path in it is kept as a prefix. */
  readonly baseUrl: string;
  /** Deadline of one request, answer included. */
  readonly timeoutMs: number;
  /** Ends every request when it fires. */
  readonly signal?: AbortSignal;
  /** For tests and for callers with their own connection handling. */
  readonly fetch?: typeof fetch;
}

interface Answer {
  readonly status: number;
  readonly mediaType: string;
  readonly body: Bytes;
}

export class HttpLineService implements LineService, LineViews, UnsealingService, SessionService, OfflineService {
  readonly #baseUrl: string;
  readonly #timeoutMs: number;
  readonly #signal: AbortSignal | undefined;
  readonly #fetch: typeof fetch;

  constructor(options: HttpLineServiceOptions) {
    const url = new URL(options.baseUrl);
    if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new TypeError('the line speaks http or https');
    this.#baseUrl = url.href.replace(/\/$/, '');
    this.#timeoutMs = options.timeoutMs;
    this.#signal = options.signal;
    this.#fetch = options.fetch ?? globalThis.fetch;
  }

  async requestPermit(request: Envelope): Promise<Envelope> {
    const answer = await this.#call(ROUTES.requestPermit, { body: { envelope: fromEnvelope(request) } });
    return readEnvelope(readJson(answer, permitResponseBody).permit);
  }

  async requestAllowance(request: Envelope): Promise<LoggedEntry> {
    const answer = await this.#call(ROUTES.requestAllowance, { body: { envelope: fromEnvelope(request) } });
    return readLoggedEntry(readJson(answer, loggedEntryBody));
  }

  async submit(statement: Envelope, attachments: Attachments = {}): Promise<LoggedEntry> {
    const answer = await this.#call(ROUTES.submit, { body: toSubmission(statement, attachments) });
    return readLoggedEntry(readJson(answer, loggedEntryBody));
  }

  /**
   * Submits any number of statements in as few requests as their limits allow, one request after the other: each is
   * answered for itself, as if it had been submitted after the answer to the one before. Rejects with an `ApiError` when a
   * request gets no usable answer; then all of them may be submitted again.
   */
  async submitAll(items: readonly BatchItem[]): Promise<readonly BatchOutcome[]> {
    const outcomes: BatchOutcome[] = [];
    for (const { count, body } of splitBatches(
      items.map(({ statement, attachments = {} }) => toSubmission(statement, attachments)),
    )) {
      const answer = await this.#call(ROUTES.submitBatch, { body, maxBytes: API_LIMITS.maxBatchResponseBytes });
      const { results } = readJson(answer, batchResultsBody, BATCH_RESPONSE_JSON_LIMITS);
      if (results.length !== count) throw protocolError(`${count} statements have ${results.length} results`);
      for (const result of results) outcomes.push(readBatchResult(result));
    }
    return outcomes;
  }

  async unseal(statement: Envelope, attachments: Attachments): Promise<UnsealedImages> {
    const answer = await this.#call(ROUTES.unseal, { body: toSubmission(statement, attachments) });
    const { entry, contentKeys } = readJson(answer, unsealedImagesBody);
    return {
      entry: readLoggedEntry(entry),
      contentKeys: contentKeys.map(({ image, recipientInfo }) => ({ image, recipientInfo: readBase64(recipientInfo) })),
    };
  }

  async sessionChallenge(station: string): Promise<SessionChallenge> {
    const answer = readJson(await this.#call(ROUTES.sessionChallenge, { body: { station } }), sessionChallengeAnswer);
    return { ...answer, expiresAt: parseInstant(answer.expiresAt) };
  }

  async signInWithBadge(request: Envelope, pin: string): Promise<LoggedEntry> {
    const answer = await this.#call(ROUTES.badgeSignIn, { body: { envelope: fromEnvelope(request), pin } });
    return readLoggedEntry(readJson(answer, loggedEntryBody));
  }

  async openSessions(): Promise<readonly OpenSession[]> {
    const answer = await this.#call(ROUTES.openSessions);
    return readJson(answer, openSessionsBody).sessions;
  }

  async badges(): Promise<readonly EnrolledBadge[]> {
    return readJson(await this.#call(ROUTES.badges), badgesBody).badges;
  }

  async time(): Promise<LineTime> {
    const { now, breakGlass } = readJson(await this.#call(ROUTES.time), timeBody);
    return { now: parseInstant(now), breakGlass };
  }

  async unitEvidence(unit: string): Promise<Bytes | null> {
    const maxBytes = API_LIMITS.maxEvidenceBytes;
    const answer = await this.#find(ROUTES.unitEvidence, { parameters: { unit }, maxBytes });
    return answer?.body ?? null;
  }

  async unit(unit: string): Promise<UnitSummary | null> {
    const answer = await this.#find(ROUTES.unit, { parameters: { unit } });
    return answer === null ? null : readJson(answer, unitBody);
  }

  async openStops(): Promise<readonly OpenStop[]> {
    const { stops } = readJson(await this.#call(ROUTES.openStops), openStopsBody);
    return stops.map((stop) => {
      if (!isReasonCode(stop.code)) throw protocolError(`the line names a code we do not know: ${stop.code}`);
      return { ...stop, code: stop.code };
    });
  }

  async stationTallies(): Promise<readonly StationTally[]> {
    return readJson(await this.#call(ROUTES.stationTallies), stationTalliesBody).stations;
  }

  async siteRecords(kind: string): Promise<readonly SiteRecordView[]> {
    const maxBytes = API_LIMITS.maxSiteRecordsBytes;
    const answer = await this.#call(ROUTES.siteRecords, { parameters: { kind }, maxBytes });
    const { records } = readJson(answer, siteRecordsBody, { ...RESPONSE_JSON_LIMITS, maxBytes });
    return records.map((record) => ({ ...record, kind, envelope: readEnvelope(record.envelope) }));
  }

  async checkpoint(): Promise<Bytes | null> {
    const answer = await this.#find(ROUTES.checkpoint);
    return answer?.body ?? null;
  }

  /** A call whose "not found" is an answer. */
  async #find(route: Route, options: CallOptions = {}): Promise<Answer | null> {
    const answer = await this.#exchange(route, options);
    return answer.status === 404 ? null : requireSuccess(answer, route);
  }

  async #call(route: Route, options: CallOptions = {}): Promise<Answer> {
    return requireSuccess(await this.#exchange(route, options), route);
  }

  async #exchange(route: Route, options: CallOptions): Promise<Answer> {
    const path = route.path.replace(/\{(\w+)\}/g, (_, name: string) =>
      encodeURIComponent(options.parameters?.[name] ?? ''),
    );
    const deadline = AbortSignal.timeout(this.#timeoutMs);
    const signal = this.#signal === undefined ? deadline : AbortSignal.any([deadline, this.#signal]);
    try {
      const response = await this.#fetch(`${this.#baseUrl}${path}`, {
        method: route.method,
        redirect: 'error',
        signal,
        ...(options.body === undefined
          ? {}
          : { headers: { 'content-type': JSON_MEDIA_TYPE }, body: Uint8Array.from(toBytes(options.body)) }),
      });
      return {
        status: response.status,
        mediaType: response.headers.get('content-type') ?? '',
        body: await readBody(response, options.maxBytes ?? API_LIMITS.maxResponseBytes),
      };
    } catch (cause) {
      if (cause instanceof WitnessmarkError) throw cause;
      throw new ApiError('ERR_API_UNREACHABLE', `${route.method} ${path}: the line did not answer`, { cause });
    }
  }
}

interface CallOptions {
  readonly parameters?: Readonly<Record<string, string>>;
  /** JSON, or its text. */
  readonly body?: JsonValue | Bytes;
  readonly maxBytes?: number;
}

function toBytes(body: JsonValue | Bytes): Bytes {
  return body instanceof Uint8Array ? body : formatJson(body);
}

function toSubmission(statement: Envelope, { permit }: Attachments): JsonValue {
  return { envelope: fromEnvelope(statement), ...(permit === undefined ? {} : { permit: fromEnvelope(permit) }) };
}

async function readBody(response: Response, maxBytes: number): Promise<Bytes> {
  const chunks: Bytes[] = [];
  let length = 0;
  if (response.body === null) return new Uint8Array(0);
  // Leaving the loop by an error cancels the stream, so that no more than the limit is ever taken in.
  for await (const chunk of response.body as AsyncIterable<Bytes>) {
    length += chunk.length;
    if (length > maxBytes) throw protocolError(`the answer has more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return concatBytes(...chunks);
}

/** Passes a success on; turns a problem document into the error it stands for. */
function requireSuccess(answer: Answer, route: Route): Answer {
  if (answer.status === 200) {
    if (essence(answer.mediaType) === essence(route.response.mediaType)) return answer;
    throw protocolError(`the answer is not ${route.response.mediaType}`);
  }
  throw toError(essence(answer.mediaType) === PROBLEM_MEDIA_TYPE ? readProblem(answer) : null, answer.status);
}

/** The error that a problem stands for, or a status without one. */
function toError(problem: Problem | null, status: number): LineRefusedError | ApiError {
  const code = problem === null ? null : toReasonCode(problem);
  if (problem !== null && code !== null) {
    const refusal = problem.refusal === null ? null : readLoggedEntry(problem.refusal);
    return new LineRefusedError(code, problem.detail, refusal);
  }
  const what = problem === null ? `status ${status}` : `${problem.code}: ${problem.detail}`;
  if (status >= 500) return new ApiError('ERR_API_UNREACHABLE', `the line could not answer: ${what}`);
  return protocolError(`the line did not accept the request: ${what}`);
}

function readBatchResult({ entry, problem }: BatchResult): BatchOutcome {
  if (entry !== null && problem === null) return { state: 'logged', entry: readLoggedEntry(entry) };
  if (entry !== null || problem === null) throw protocolError('a result is neither an entry nor a problem');
  const error = toError(problem, problem.status);
  return error instanceof LineRefusedError ? { state: 'refused', error } : { state: 'unknown', error };
}

/** A problem document, or null when the body is something else. */
function readProblem(answer: Answer): Problem | null {
  try {
    return problemBody.safeParse(parseStrictJson(answer.body, RESPONSE_JSON_LIMITS)).data ?? null;
  } catch {
    return null;
  }
}

function readJson<T>(answer: Answer, schema: z.ZodType<T>, limits: JsonLimits = RESPONSE_JSON_LIMITS): T {
  let value: JsonValue;
  try {
    value = parseStrictJson(answer.body, limits);
  } catch (cause) {
    throw protocolError('the answer is not strict JSON', cause);
  }
  const result = schema.safeParse(value);
  if (!result.success) throw protocolError('the answer breaks its schema');
  return result.data;
}

function readLoggedEntry(body: z.infer<typeof loggedEntryBody>): LoggedEntry {
  return { index: body.index, envelope: readEnvelope(body.envelope), proof: body.proof };
}

function readEnvelope(value: JsonValue): Envelope {
  try {
    return toEnvelope(value);
  } catch (cause) {
    throw protocolError('the answer holds no envelope', cause);
  }
}

function readBase64(text: string): Bytes {
  try {
    return decodeBase64(text);
  } catch (cause) {
    throw protocolError('the answer holds what is not base64', cause);
  }
}

/** The media type without its parameters. */
function essence(mediaType: string): string {
  return (mediaType.split(';')[0] as string).trim().toLowerCase();
}

function protocolError(message: string, cause?: unknown): ApiError {
  return new ApiError('ERR_API_PROTOCOL', message, { cause });
}
