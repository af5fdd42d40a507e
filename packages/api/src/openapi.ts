// SPDX-License-Identifier: Apache-2.0
/** The OpenAPI 3.1 document, generated from the routes and schemas that server and client use. */
import { z } from 'zod';
import { PROBLEM_MEDIA_TYPE } from './problem.ts';
import { ROUTES, type Route, type RouteBody } from './routes.ts';
import {
  badgesBody,
  badgeSignInBody,
  batchResultsBody,
  envelopeJson,
  healthBody,
  loggedEntryBody,
  openSessionsBody,
  openStopsBody,
  stationTalliesBody,
  permitRequestBody,
  permitResponseBody,
  problemBody,
  sessionChallengeAnswer,
  sessionChallengeBody,
  submitBatchBody,
  submitBody,
  timeBody,
  unitBody,
  unsealedImagesBody,
} from './schemas.ts';

const OPENAPI_VERSION = '3.1.0';
const API_VERSION = '1.0.0';

const SCHEMAS: ReadonlyMap<z.ZodType, string> = new Map<z.ZodType, string>([
  [envelopeJson, 'Envelope'],
  [permitRequestBody, 'PermitRequestBody'],
  [permitResponseBody, 'PermitResponseBody'],
  [submitBody, 'SubmitBody'],
  [loggedEntryBody, 'LoggedEntry'],
  [submitBatchBody, 'SubmitBatchBody'],
  [batchResultsBody, 'BatchResults'],
  [unsealedImagesBody, 'UnsealedImages'],
  [unitBody, 'Unit'],
  [openStopsBody, 'OpenStops'],
  [stationTalliesBody, 'StationTallies'],
  [timeBody, 'Time'],
  [sessionChallengeBody, 'SessionChallengeBody'],
  [sessionChallengeAnswer, 'SessionChallenge'],
  [badgeSignInBody, 'BadgeSignInBody'],
  [openSessionsBody, 'OpenSessions'],
  [badgesBody, 'Badges'],
  [healthBody, 'Health'],
  [problemBody, 'Problem'],
]);

const PROBLEM_BODY: RouteBody = {
  mediaType: PROBLEM_MEDIA_TYPE,
  schema: problemBody,
  description: 'A problem document (RFC 9457) with a code.',
};

/** By media type. */
type MediaContent = Readonly<Record<string, { readonly schema?: { readonly $ref: string } }>>;

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly parameters?: readonly object[];
  readonly requestBody?: { readonly required: true; readonly description: string; readonly content: MediaContent };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content: MediaContent }>>;
}

export interface OpenApiDocument {
  readonly openapi: typeof OPENAPI_VERSION;
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

export function buildOpenApiDocument(): OpenApiDocument {
  return {
    openapi: OPENAPI_VERSION,
    info: {
      title: 'Witnessmark line',
      version: API_VERSION,
      description: 'Permits, admission and the evidence log of one production line (spec/http-api.md).',
    },
    paths: Object.fromEntries(
      Object.entries<Route>(ROUTES).map(([operationId, route]) => [
        route.path,
        { [route.method.toLowerCase()]: toOperation(operationId, route) },
      ]),
    ),
    components: { schemas: toComponents() },
  };
}

function toOperation(operationId: string, route: Route): Operation {
  const parameters = Object.entries(route.parameters).map(([name, description]) => ({
    name,
    in: 'path',
    required: true,
    description,
    schema: { type: 'string', maxLength: 256 },
  }));
  const problems = route.problems.map((status) => [String(status), toResponse(PROBLEM_BODY)] as const);
  return {
    operationId,
    summary: route.summary,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(route.request === null ? {} : { requestBody: { required: true, ...toResponse(route.request) } }),
    responses: { 200: toResponse(route.response), ...Object.fromEntries(problems) },
  };
}

function toResponse({ mediaType, schema, description }: RouteBody): {
  readonly description: string;
  readonly content: MediaContent;
} {
  const name = schema === null ? undefined : SCHEMAS.get(schema);
  return {
    description,
    content: { [mediaType]: name === undefined ? {} : { schema: { $ref: `#/components/schemas/${name}` } } },
  };
}

function toComponents(): Readonly<Record<string, object>> {
  const registry = z.registry<{ id: string }>();
  for (const [schema, id] of SCHEMAS) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, { uri: (id) => `#/components/schemas/${id}` });
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, withoutIds(schema)]));
}

/** In OpenAPI a schema is named by its place among the components. */
function withoutIds(schema: object): object {
  return Object.fromEntries(Object.entries(schema).filter(([key]) => key !== '$schema' && key !== '$id'));
}
