// SPDX-License-Identifier: Apache-2.0
/** Every route of the line's HTTP API as data: the server registers it, the client calls it, OpenAPI describes it. */
import type { z } from 'zod';
import {
  badgesBody,
  badgeSignInBody,
  batchResultsBody,
  healthBody,
  loggedEntryBody,
  openSessionsBody,
  openStopsBody,
  permitRequestBody,
  permitResponseBody,
  sessionChallengeAnswer,
  sessionChallengeBody,
  siteRecordsBody,
  stationTalliesBody,
  submitBatchBody,
  submitBody,
  timeBody,
  unitBody,
  unsealedImagesBody,
} from './schemas.ts';

export const JSON_MEDIA_TYPE = 'application/json';
export const EVIDENCE_MEDIA_TYPE = 'application/vnd.witnessmark.unit-evidence.v1+json';
export const NOTE_MEDIA_TYPE = 'text/plain; charset=utf-8';
export const METRICS_MEDIA_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
export const OCTETS_MEDIA_TYPE = 'application/octet-stream';

/** A body with a schema is JSON; one without is only named. */
export interface RouteBody {
  readonly mediaType: string;
  readonly schema: z.ZodType | null;
  readonly description: string;
}

export interface Route {
  readonly method: 'GET' | 'POST';
  /** With `{name}` for parameters, as OpenAPI writes it. */
  readonly path: `/${string}`;
  readonly summary: string;
  /** Parameter names of the path and what they mean. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly request: RouteBody | null;
  readonly response: RouteBody;
  /** Statuses besides 200 whose body is a problem document. */
  readonly problems: readonly number[];
}

const SUBMIT_PROBLEMS = [400, 403, 409, 413, 415, 500, 503] as const;
const UNIT_PARAMETER = { unit: 'Device id (64 lower-case hexadecimal digits) or label serial.' } as const;

export const ROUTES = {
  requestPermit: {
    method: 'POST',
    path: '/api/v1/permits',
    summary: 'Ask for one pass of one device at one station.',
    parameters: {},
    request: json(permitRequestBody, 'A permit request, signed by the station.'),
    response: json(permitResponseBody, 'The permit, signed by the line.'),
    problems: SUBMIT_PROBLEMS,
  },
  requestAllowance: {
    method: 'POST',
    path: '/api/v1/offline-allowances',
    summary: 'Ask for units that may be made while the line does not answer. Idempotent by the id of the request.',
    parameters: {},
    request: json(permitRequestBody, 'An offline request, signed by the station.'),
    response: json(loggedEntryBody, 'The allowance, signed by the line and logged.'),
    problems: SUBMIT_PROBLEMS,
  },
  submit: {
    method: 'POST',
    path: '/api/v1/entries',
    summary: 'Have a statement checked, countersigned and logged. Idempotent by the id of the statement.',
    parameters: {},
    request: json(
      submitBody,
      'A session, intent, event, refusal, disposition or site record; with an intent its permit.',
    ),
    response: json(loggedEntryBody, 'The logged envelope and its inclusion proof.'),
    problems: SUBMIT_PROBLEMS,
  },
  submitBatch: {
    method: 'POST',
    path: '/api/v1/entries/batch',
    summary: 'Have many statements checked, countersigned and logged, each by itself, in their order.',
    parameters: {},
    request: json(submitBatchBody, 'What many submissions would hold, first to last.'),
    response: json(batchResultsBody, 'For each statement its entry or its problem, in the same order.'),
    problems: [400, 413, 415, 500],
  },
  unseal: {
    method: 'POST',
    path: '/api/v1/unsealings',
    summary:
      "Have an unsealing logged, then get the release's content keys, wrapped for the station. Idempotent by its id.",
    parameters: {},
    request: json(submitBody, 'An unsealing, signed by the station, with its permit.'),
    response: json(unsealedImagesBody, 'The logged unsealing and the content keys.'),
    problems: SUBMIT_PROBLEMS,
  },
  unit: {
    method: 'GET',
    path: '/api/v1/units/{unit}',
    summary: 'Where a unit stands.',
    parameters: UNIT_PARAMETER,
    request: null,
    response: json(unitBody, 'State and head of the event chain.'),
    problems: [404, 500],
  },
  unitEvidence: {
    method: 'GET',
    path: '/api/v1/units/{unit}/evidence',
    summary: 'The unit evidence file.',
    parameters: UNIT_PARAMETER,
    request: null,
    response: other(EVIDENCE_MEDIA_TYPE, 'As spec/unit-evidence.md defines it.'),
    problems: [404, 500],
  },
  openStops: {
    method: 'GET',
    path: '/api/v1/stops',
    summary: 'Line stops that wait for a disposition.',
    parameters: {},
    request: null,
    response: json(openStopsBody, 'Oldest first.'),
    problems: [500],
  },
  sessionChallenge: {
    method: 'POST',
    path: '/api/v1/session-challenges',
    summary: 'Draw a challenge for a sign-in at a station, and learn what the line asks of sessions.',
    parameters: {},
    request: json(sessionChallengeBody, 'The station.'),
    response: json(sessionChallengeAnswer, 'To be bound into one session, soon.'),
    problems: SUBMIT_PROBLEMS,
  },
  badgeSignIn: {
    method: 'POST',
    path: '/api/v1/badge-sign-ins',
    summary:
      'Have the line check badge and PIN and open a session for its person. Idempotent by the id of the request.',
    parameters: {},
    request: json(badgeSignInBody, 'A badge sign-in signed by the station, and the PIN, which is nowhere kept.'),
    response: json(loggedEntryBody, 'The session, signed by the line and logged.'),
    problems: SUBMIT_PROBLEMS,
  },
  openSessions: {
    method: 'GET',
    path: '/api/v1/sessions',
    summary: 'Sessions that have not ended.',
    parameters: {},
    request: null,
    response: json(openSessionsBody, 'Oldest first.'),
    problems: [500],
  },
  stationTallies: {
    method: 'GET',
    path: '/api/v1/stations',
    summary: 'What each station did in one shift up to now, by slot: units begun, tried again, passed, failed, held.',
    parameters: {},
    request: null,
    response: json(stationTalliesBody, 'Enrolled stations, by name; slots in their order.'),
    problems: [500],
  },
  badges: {
    method: 'GET',
    path: '/api/v1/badges',
    summary: 'Badges that people have, by the digest that stands for each.',
    parameters: {},
    request: null,
    response: json(badgesBody, 'Oldest first.'),
    problems: [500],
  },
  siteRecords: {
    method: 'GET',
    path: '/api/v1/site-records/{kind}',
    summary: 'The newest records of a kind that are no link of a unit, with their statements.',
    parameters: { kind: 'The last part of the predicate type, for example `break-glass-opening`.' },
    request: null,
    response: json(siteRecordsBody, 'Newest first; empty for a kind the line has none of.'),
    problems: [500],
  },
  time: {
    method: 'GET',
    path: '/api/v1/time',
    summary: 'The clock of the line, and the break-glass in force.',
    parameters: {},
    request: null,
    response: json(timeBody, 'RFC 3339, UTC, milliseconds.'),
    problems: [500],
  },
  checkpoint: {
    method: 'GET',
    path: '/api/v1/log/checkpoint',
    summary: 'The latest checkpoint, which may be ahead of the published one.',
    parameters: {},
    request: null,
    response: other(NOTE_MEDIA_TYPE, 'A note as https://c2sp.org/tlog-checkpoint defines it.'),
    problems: [404, 500],
  },
  logFile: {
    method: 'GET',
    path: '/log/{path}',
    summary: 'The evidence log as https://c2sp.org/tlog-tiles defines it; the path holds slashes.',
    parameters: { path: '`checkpoint`, `tile/<level>/<index>` or `tile/entries/<index>`.' },
    request: null,
    response: other(OCTETS_MEDIA_TYPE, 'The file.'),
    problems: [404, 500],
  },
  trustFile: {
    method: 'GET',
    path: '/trust/{path}',
    summary: 'The TUF repository; the path holds slashes.',
    parameters: { path: '`metadata/<name>.json` or `targets/<path>`.' },
    request: null,
    response: other(OCTETS_MEDIA_TYPE, 'The file.'),
    problems: [404, 500],
  },
  openApi: {
    method: 'GET',
    path: '/openapi.json',
    summary: 'This document.',
    parameters: {},
    request: null,
    response: other(JSON_MEDIA_TYPE, 'OpenAPI 3.1.'),
    problems: [],
  },
  livez: {
    method: 'GET',
    path: '/livez',
    summary: 'Whether the process runs.',
    parameters: {},
    request: null,
    response: json(healthBody, 'Always `ok` when it answers.'),
    problems: [],
  },
  readyz: {
    method: 'GET',
    path: '/readyz',
    summary: 'Whether the line can do its work; status 503, same body, when it cannot.',
    parameters: {},
    request: null,
    response: json(healthBody, 'The checks.'),
    problems: [],
  },
  metrics: {
    method: 'GET',
    path: '/metrics',
    summary: 'Counters in the Prometheus text format; serials are never labels.',
    parameters: {},
    request: null,
    response: other(METRICS_MEDIA_TYPE, 'Prometheus text format 0.0.4.'),
    problems: [],
  },
} as const satisfies Readonly<Record<string, Route>>;

export type RouteName = keyof typeof ROUTES;

function json<T extends z.ZodType>(schema: T, description: string): RouteBody & { readonly schema: T } {
  return { mediaType: JSON_MEDIA_TYPE, schema, description };
}

function other(mediaType: string, description: string): RouteBody & { readonly schema: null } {
  return { mediaType, schema: null, description };
}
