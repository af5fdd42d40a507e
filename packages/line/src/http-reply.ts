// SPDX-License-Identifier: Apache-2.0
/** The kinds of answers the line gives over HTTP. */
import { JSON_MEDIA_TYPE, PROBLEM_MEDIA_TYPE, ROUTES, toProblem, type Problem } from '@witnessmark/api';
import type { FastifyReply } from 'fastify';
import { formatRecord } from './record-answer.ts';
import type { LoggedRecord } from './records.ts';
import { openStaticFile } from './static-files.ts';

export function sendJson(
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
export function sendRecord(reply: FastifyReply, record: LoggedRecord): FastifyReply {
  return reply.type(JSON_MEDIA_TYPE).send(Buffer.concat(formatRecord(record)));
}

export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  return sendJson(reply, problem, problem.status, PROBLEM_MEDIA_TYPE);
}

export function sendNotFound(reply: FastifyReply, detail: string): FastifyReply {
  return sendProblem(reply, toProblem('ERR_API_NOT_FOUND', detail));
}

export async function sendFile(reply: FastifyReply, directory: string, path: string): Promise<FastifyReply> {
  const file = await openStaticFile(directory, path);
  if (file === null) return sendNotFound(reply, 'there is no such file');
  reply.header('content-length', file.length).header('x-content-type-options', 'nosniff');
  return reply.type(ROUTES.logFile.response.mediaType).send(file.stream);
}
