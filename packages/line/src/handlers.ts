// SPDX-License-Identifier: Apache-2.0
/** What is done for each route of the API (spec/http-api.md). */
import { encodeBase64, formatInstant, fromEnvelope } from '@witnessmark/core';
import {
  API_LIMITS,
  badgeSignInBody,
  BATCH_JSON_LIMITS,
  buildOpenApiDocument,
  JSON_MEDIA_TYPE,
  permitRequestBody,
  ROUTES,
  sessionChallengeBody,
  submitBatchBody,
  submitBody,
  type Health,
  type RouteName,
} from '@witnessmark/api';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { sendFile, sendJson, sendNotFound, sendRecord } from './http-reply.ts';
import { parameterOf, readAttachments, readBody, readEnvelope } from './http-request.ts';
import type { Line } from './line.ts';
import { formatMetrics } from './metrics.ts';
import type { Peer } from './peer.ts';
import { formatBatchResults } from './record-answer.ts';

type Handler = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;

export interface HandlerOptions {
  readonly line: Line;
  /** The directory of the log's tiles and checkpoint. */
  readonly logDirectory: string;
  /** The TUF repository. */
  readonly trustDirectory: string;
  /** Hears of faults that are not the caller's. */
  readonly onFault?: (error: unknown) => void;
}

export function buildHandlers({
  line,
  logDirectory,
  trustDirectory,
  onFault,
  peerOf,
}: HandlerOptions & { readonly peerOf: (request: FastifyRequest) => Peer }): Readonly<Record<RouteName, Handler>> {
  const openApi = buildOpenApiDocument();
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
      const attachments = readAttachments(permit);
      return sendRecord(reply, await line.record(readEnvelope(envelope), attachments, peerOf(request)));
    },
    submitBatch: async (request, reply) => {
      const { statements } = readBody(request, submitBatchBody, BATCH_JSON_LIMITS);
      // All envelopes are read before the first statement is judged: a batch is understood as a whole or not at all.
      const items = statements.map(({ envelope, permit }) => ({
        statement: readEnvelope(envelope),
        attachments: readAttachments(permit),
      }));
      const results = formatBatchResults(await line.recordAll(items, peerOf(request)), onFault);
      return reply.type(JSON_MEDIA_TYPE).send(results);
    },
    unseal: async (request, reply) => {
      const { envelope, permit } = readBody(request, submitBody);
      const attachments = readAttachments(permit);
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
