// SPDX-License-Identifier: Apache-2.0
/** The line behind HTTP (spec/http-api.md): a server for the routes of the API on one `Line`, from its first to its last request. */
import type { Socket } from 'node:net';
import {
  API_LIMITS,
  JSON_MEDIA_TYPE,
  PROBLEM_MEDIA_TYPE,
  ROUTES,
  toProblem,
  type Route,
  type RouteName,
} from '@witnessmark/api';
import { demandProtection } from '@witnessmark/enrolment';
import type { FastifyInstance } from 'fastify';
import { buildHandlers, type HandlerOptions } from './handlers.ts';
import { problemOf } from './http-problem.ts';
import { sendNotFound, sendProblem } from './http-reply.ts';
import { peerReader, toServerOptions, type LineTls } from './tls.ts';

/** How long a client may take to send a request, and may stay silent between two. */
const REQUEST_TIMEOUT_MS = 30_000;
const KEEP_ALIVE_TIMEOUT_MS = 72_000;
const MAX_PARAMETER_LENGTH = 256;
/** Sums of suppressed refusals are logged this long after their minute at the latest, and new keys are known so soon. */
const SUMMARY_INTERVAL_MS = 15_000;

export interface LineServerOptions extends HandlerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Without it, only this machine is served. */
  readonly tls?: LineTls | undefined;
}

export interface LineServer {
  /** `http://host:port` or `https://host:port` */
  readonly url: string;
  /** Takes no more requests, answers the ones under way, and logs what is left to be summed up. The log stays open. */
  close(): Promise<void>;
}

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
  const handlers = buildHandlers({ ...options, peerOf: peerReader(options.tls) });
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

/** `{name}` becomes `:name`; the last parameter of a directory takes the rest of the path. */
function toFastifyPath(path: Route['path']): string {
  return path.replace('{path}', '*').replace(/\{(\w+)\}/g, ':$1');
}

/** What is not HTTP at all still gets a problem document, and the connection is over. */
function refuseConnection(error: Error, socket: Socket): void {
  if (socket.destroyed || !socket.writable) return;
  const body = JSON.stringify(toProblem('ERR_API_BODY_FORMAT', `not an HTTP request: ${error.name}`));
  const head = `HTTP/1.1 400 Bad Request\r\ncontent-type: ${PROBLEM_MEDIA_TYPE}\r\ncontent-length: ${Buffer.byteLength(body)}`;
  socket.end(`${head}\r\nconnection: close\r\n\r\n${body}`);
}
