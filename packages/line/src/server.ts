// SPDX-License-Identifier: Apache-2.0
/** The line behind HTTP (spec/http-api.md): the routes of the API on one `Line`, and the two directories anybody may read. */
import type { Socket } from 'node:net';
import {
  encodeBase64,
  formatInstant,
  fromEnvelope,
  parseStrictJson,
  toEnvelope,
  WitnessmarkError,
  type Envelope,
} from '@witnessmark/core';
import {
  API_LIMITS,
  badgeSignInBody,
  BATCH_JSON_LIMITS,
  buildOpenApiDocument,
  JSON_MEDIA_TYPE,
  permitRequestBody,
  sessionChallengeBody,
  PROBLEM_MEDIA_TYPE,
  REQUEST_JSON_LIMITS,
  ROUTES,
  submitBatchBody,
  submitBody,
  toProblem,
  type EnvelopeJson,
  type Health,
  type Problem,
  type Route,
  type RouteName,
} from '@witnessmark/api';
import { demandProtection } from '@witnessmark/enrolment';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { problemOf, ProtocolError } from './http-problem.ts';
import type { Line } from './line.ts';
import { formatMetrics } from './metrics.ts';
import { formatBatchResults, formatRecord } from './record-answer.ts';
import type { LoggedRecord } from './records.ts';
import { openStaticFile } from './static-files.ts';
import { peerReader, toServerOptions, type LineTls } from './tls.ts';

/** How long a client may take to send a request, and may stay silent between two. */
const REQUEST_TIMEOUT_MS = 30_000;
const KEEP_ALIVE_TIMEOUT_MS = 72_000;
const MAX_PARAMETER_LENGTH = 256;
/** Sums of suppressed refusals are logged this long after their minute at the latest, and new keys are known so soon. */
const SUMMARY_INTERVAL_MS = 15_000;

export interface LineServerOptions {
  readonly line: Line;
  /** The directory of the log's tiles and checkpoint. */
  readonly logDirectory: string;
  /** The TUF repository. */
  readonly trustDirectory: string;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Without it, only this machine is served. */
  readonly tls?: LineTls | undefined;
  /** Hears of faults that are not the caller's. */
  readonly onFault?: (error: unknown) => void;
}

export interface LineServer {
  /** `http://host:port` or `https://host:port` */
  readonly url: string;
  /** Takes no more requests, answers the ones under way, and logs what is left to be summed up. The log stays open. */
  close(): Promise<void>;
}

type Handler = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;

/** Throws ID-108 for an address beyond this machine without TLS. */
export async function startLineServer(options: LineServerOptions): Promise<LineServer> {
  const { line, host, port, onFault } = options;
  demandProtection(host, options.tls !== undefined);
  const app = await buildServer(options);
  const url = await app.listen({ host, port });
  const summarize = (everything: boolean): Promise<void> =>
    line.summarizeRefusals(everything).catch((error: unknown) => onFault?.(error));
  // The look at its health has the line read its trust repository: revocations count where nobody asks for permits.
  const tend = (): Promise<unknown> =>
    summarize(false).then(() => line.checkHealth().catch((error: unknown) => onFault?.(error)));
  const timer = setInterval(() => void tend(), SUMMARY_INTERVAL_MS);
  timer.unref();
  return {
    url,
    close: async () => {
      clearInterval(timer);
      await app.close();
      await summarize(true);
    },
  };
}

async function buildServer(options: LineServerOptions): Promise<FastifyInstance> {
  // It takes 25 MB; most who load this package serve nothing.
  const { default: Fastify } = await import('fastify');
  const app = Fastify({
    ...(options.tls && { https: toServerOptions(options.tls) }),
    bodyLimit: API_LIMITS.maxRequestBytes,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    // An idle connection does not hold up the end of the server.
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: MAX_PARAMETER_LENGTH },
    // Paths that reach no route: badly encoded, or longer than any parameter.
    frameworkErrors: (error, _request, reply) => {
      sendProblem(reply, problemOf(error));
    },
    clientErrorHandler: refuseConnection,
  });
  // Bytes are kept as they came: the strict reader, not Fastify's, decides what they say.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(JSON_MEDIA_TYPE, { parseAs: 'buffer' }, (_request, body, done) => {
    done(null, body);
  });
  app.setErrorHandler((error, _request, reply) => {
    const problem = problemOf(error);
    if (problem.status === 500) options.onFault?.(error);
    sendProblem(reply, problem);
  });
  app.setNotFoundHandler((_request, reply) => {
    sendNotFound(reply, 'this API has no such route');
  });
  const handlers = buildHandlers(options);
  for (const [name, route] of Object.entries<Route>(ROUTES)) {
    const path = toFastifyPath(route.path);
    const bodyLimit = name === 'submitBatch' ? API_LIMITS.maxBatchBytes : API_LIMITS.maxRequestBytes;
    app.route({ method: route.method, url: path, bodyLimit, handler: handlers[name as RouteName] });
    app.route({
      method: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'].filter(
        (method) => method !== route.method && !(method === 'HEAD' && route.method === 'GET'),
      ),
      url: path,
      handler: (_request, reply) => {
        reply.header('allow', route.method);
        sendProblem(reply, toProblem('ERR_API_METHOD', `this route has the method ${route.method}`));
      },
    });
  }
  return app;
}

function buildHandlers({
  line,
  logDirectory,
  trustDirectory,
  tls,
  onFault,
}: LineServerOptions): Readonly<Record<RouteName, Handler>> {
  const openApi = buildOpenApiDocument();
  const peerOf = peerReader(tls);
  return {
    requestPermit: async (request, reply) => {
      const { envelope } = readBody(request, permitRequestBody);
      const permit = await line.requestPermit(readEnvelope(envelope), peerOf(request));
      return sendJson(reply, { permit: fromEnvelope(permit) });
    },
    requestAllowance: async (request, reply) => {
      const { envelope } = readBody(request, permitRequestBody);
      const { index, envelope: logged, proof } = await line.requestAllowance(readEnvelope(envelope), peerOf(request));
      return sendJson(reply, { index, envelope: fromEnvelope(logged), proof });
    },
    submit: async (request, reply) => {
      const { envelope, permit } = readBody(request, submitBody);
      const attachments = permit === undefined ? {} : { permit: readEnvelope(permit) };
      return sendRecord(reply, await line.record(readEnvelope(envelope), attachments, peerOf(request)));
    },
    submitBatch: async (request, reply) => {
      const { statements } = readBody(request, submitBatchBody, BATCH_JSON_LIMITS);
      // All envelopes are read before the first statement is judged: a batch is understood as a whole or not at all.
      const items = statements.map(({ envelope, permit }) => ({
        statement: readEnvelope(envelope),
        attachments: permit === undefined ? {} : { permit: readEnvelope(permit) },
      }));
      const results = formatBatchResults(await line.recordAll(items, peerOf(request)), onFault);
      return reply.type(JSON_MEDIA_TYPE).send(results);
    },
    unseal: async (request, reply) => {
      const { envelope, permit } = readBody(request, submitBody);
      const attachments = permit === undefined ? {} : { permit: readEnvelope(permit) };
      const { entry, contentKeys } = await line.unseal(readEnvelope(envelope), attachments, peerOf(request));
      return sendJson(reply, {
        entry: { ...entry, envelope: fromEnvelope(entry.envelope) },
        contentKeys: contentKeys.map(({ image, recipientInfo }) => ({
          image,
          recipientInfo: encodeBase64(recipientInfo),
        })),
      });
    },
    unit: async (request, reply) => {
      const unit = await line.unit(parameterOf(request, 'unit'));
      return unit === null ? sendNotFound(reply, 'the line knows no such unit') : sendJson(reply, unit);
    },
    unitEvidence: async (request, reply) => {
      const evidence = await line.unitEvidence(parameterOf(request, 'unit'));
      if (evidence === null) return sendNotFound(reply, 'the line knows no such unit');
      return reply.type(ROUTES.unitEvidence.response.mediaType).send(Buffer.from(evidence));
    },
    sessionChallenge: async (request, reply) => {
      const { station } = readBody(request, sessionChallengeBody);
      const { expiresAt, ...drawn } = await line.sessionChallenge(station);
      return sendJson(reply, { ...drawn, expiresAt: formatInstant(expiresAt) });
    },
    badgeSignIn: async (request, reply) => {
      const { envelope, pin } = readBody(request, badgeSignInBody);
      return sendRecord(reply, await line.recordBadgeSignIn(readEnvelope(envelope), pin, peerOf(request)));
    },
    badges: async (_request, reply) => sendJson(reply, { badges: await line.badges() }),
    openSessions: async (_request, reply) => sendJson(reply, { sessions: await line.openSessions() }),
    openStops: async (_request, reply) =>
      sendJson(reply, { stops: (await line.openStops()).slice(0, API_LIMITS.maxOpenStops) }),
    stationTallies: async (_request, reply) => sendJson(reply, { stations: await line.stationTallies() }),
    siteRecords: async (request, reply) => {
      const records = await line.siteRecords(parameterOf(request, 'kind'));
      const body = records.map(({ id, state, relatedId, station, actor, at, digest, index, envelope }) => {
        return { id, state, relatedId, station, actor, at, digest, index, envelope: fromEnvelope(envelope) };
      });
      return sendJson(reply, { records: body });
    },
    time: async (_request, reply) => {
      const { now, breakGlass } = await line.time();
      return sendJson(reply, { now: formatInstant(now), breakGlass });
    },
    checkpoint: async (_request, reply) => {
      const note = await line.checkpoint();
      if (note === null) return sendNotFound(reply, 'the log is empty');
      return reply.type(ROUTES.checkpoint.response.mediaType).send(Buffer.from(note));
    },
    logFile: (request, reply) => sendFile(reply, logDirectory, parameterOf(request, '*')),
    trustFile: (request, reply) => sendFile(reply, trustDirectory, parameterOf(request, '*')),
    openApi: (_request, reply) => Promise.resolve(sendJson(reply, openApi)),
    livez: (_request, reply) => Promise.resolve(sendJson(reply, { status: 'ok', checks: [] } satisfies Health)),
    readyz: async (_request, reply) => {
      const health = await line.checkHealth();
      return sendJson(reply, health, health.status === 'ok' ? 200 : 503);
    },
    metrics: async (_request, reply) => {
      const gauges = {
        logEntries: line.logSize,
        openStops: (await line.openStops()).length,
        ready: (await line.checkHealth()).status === 'ok',
      };
      return reply.type(ROUTES.metrics.response.mediaType).send(formatMetrics(line.counters, gauges));
    },
  };
}

/** `{name}` becomes `:name`; the last parameter of a directory takes the rest of the path. */
function toFastifyPath(path: Route['path']): string {
  return path.replace('{path}', '*').replace(/\{(\w+)\}/g, ':$1');
}

function readBody<T>(request: FastifyRequest, schema: z.ZodType<T>, limits = REQUEST_JSON_LIMITS): T {
  if (!(request.body instanceof Uint8Array)) throw new ProtocolError('ERR_API_BODY_FORMAT', 'the request has no body');
  let value: unknown;
  try {
    value = parseStrictJson(request.body, limits);
  } catch (error) {
    if (!(error instanceof WitnessmarkError)) throw error;
    throw new ProtocolError('ERR_API_BODY_FORMAT', `${error.code}: ${error.message}`);
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issues = result.error.issues
    .slice(0, 5)
    .map(({ path, code }) => `${path.map(String).join('.') || '(root)'}: ${code}`);
  throw new ProtocolError('ERR_API_BODY_FORMAT', `the body breaks its schema at ${issues.join(', ')}`);
}

function readEnvelope(value: EnvelopeJson): Envelope {
  try {
    return toEnvelope(value);
  } catch (error) {
    if (!(error instanceof WitnessmarkError)) throw error;
    throw new ProtocolError('ERR_API_BODY_FORMAT', `${error.code}: ${error.message}`);
  }
}

function parameterOf(request: FastifyRequest, name: string): string {
  return (request.params as Readonly<Record<string, string>>)[name] ?? '';
}

function sendJson(
  reply: FastifyReply,
  value: unknown,
  status = 200,
  mediaType: string = JSON_MEDIA_TYPE,
): FastifyReply {
  return reply
    .code(status)
    .type(mediaType)
    .send(Buffer.from(JSON.stringify(value)));
}

/** A logged entry in the form of the API, around the entry's own bytes. */
function sendRecord(reply: FastifyReply, record: LoggedRecord): FastifyReply {
  return reply.type(JSON_MEDIA_TYPE).send(Buffer.concat(formatRecord(record)));
}

function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  return sendJson(reply, problem, problem.status, PROBLEM_MEDIA_TYPE);
}

function sendNotFound(reply: FastifyReply, detail: string): FastifyReply {
  return sendProblem(reply, toProblem('ERR_API_NOT_FOUND', detail));
}

/** What is not HTTP at all still gets a problem document, and the connection is over. */
function refuseConnection(error: Error, socket: Socket): void {
  if (socket.destroyed || !socket.writable) return;
  const body = JSON.stringify(toProblem('ERR_API_BODY_FORMAT', `not an HTTP request: ${error.name}`));
  const head = `HTTP/1.1 400 Bad Request\r\ncontent-type: ${PROBLEM_MEDIA_TYPE}\r\ncontent-length: ${Buffer.byteLength(body)}`;
  socket.end(`${head}\r\nconnection: close\r\n\r\n${body}`);
}

async function sendFile(reply: FastifyReply, directory: string, path: string): Promise<FastifyReply> {
  const file = await openStaticFile(directory, path);
  if (file === null) return sendNotFound(reply, 'there is no such file');
  reply.header('content-length', file.length).header('x-content-type-options', 'nosniff');
  return reply.type(ROUTES.logFile.response.mediaType).send(file.stream);
}
