// SPDX-License-Identifier: Apache-2.0
/**
 * The line behind HTTP. Every answer is read within a byte limit and a deadline and held against its schema; what cannot
 * be read that way is an `ApiError`, never half an answer.
 */
import {
  concatBytes,
  formatJson,
  fromEnvelope,
  isReasonCode,
  parseInstant,
  parseStrictJson,
  toEnvelope,
  WitnessmarkError,
  type Bytes,
  type Envelope,
  type JsonValue,
} from '@witnessmark/core';
import type { z } from 'zod';
import { ApiError, LineRefusedError } from './error.ts';
import type {
  Attachments,
  LineService,
  LineTime,
  LineViews,
  LoggedEntry,
  OpenStop,
  UnitSummary,
} from './line-service.ts';
import { API_LIMITS, RESPONSE_JSON_LIMITS } from './limits.ts';
import { PROBLEM_MEDIA_TYPE } from './problem.ts';
import { JSON_MEDIA_TYPE, ROUTES, type Route } from './routes.ts';
import {
  loggedEntryBody,
  openStopsBody,
  permitResponseBody,
  problemBody,
  timeBody,
  toReasonCode,
  unitBody,
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

export class HttpLineService implements LineService, LineViews {
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

  async submit(statement: Envelope, attachments: Attachments = {}): Promise<LoggedEntry> {
    const permit = attachments.permit === undefined ? {} : { permit: fromEnvelope(attachments.permit) };
    const answer = await this.#call(ROUTES.submit, { body: { envelope: fromEnvelope(statement), ...permit } });
    return readLoggedEntry(readJson(answer, loggedEntryBody));
  }

  async time(): Promise<LineTime> {
    return { now: parseInstant(readJson(await this.#call(ROUTES.time), timeBody).now) };
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
          : { headers: { 'content-type': JSON_MEDIA_TYPE }, body: Uint8Array.from(formatJson(options.body)) }),
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
  readonly body?: JsonValue;
  readonly maxBytes?: number;
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
  const problem = essence(answer.mediaType) === PROBLEM_MEDIA_TYPE ? readProblem(answer) : null;
  const code = problem === null ? null : toReasonCode(problem);
  if (problem !== null && code !== null) {
    throw new LineRefusedError(
      code,
      problem.detail,
      problem.refusal === null ? null : readLoggedEntry(problem.refusal),
    );
  }
  const what = problem === null ? `status ${answer.status}` : `${problem.code}: ${problem.detail}`;
  if (answer.status >= 500) throw new ApiError('ERR_API_UNREACHABLE', `the line could not answer: ${what}`);
  throw protocolError(`the line did not accept the request: ${what}`);
}

/** A problem document, or null when the body is something else. */
function readProblem(answer: Answer): Problem | null {
  try {
    return problemBody.safeParse(parseStrictJson(answer.body, RESPONSE_JSON_LIMITS)).data ?? null;
  } catch {
    return null;
  }
}

function readJson<T>(answer: Answer, schema: z.ZodType<T>): T {
  let value: JsonValue;
  try {
    value = parseStrictJson(answer.body, RESPONSE_JSON_LIMITS);
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

/** The media type without its parameters. */
function essence(mediaType: string): string {
  return (mediaType.split(';')[0] as string).trim().toLowerCase();
}

function protocolError(message: string, cause?: unknown): ApiError {
  return new ApiError('ERR_API_PROTOCOL', message, { cause });
}
