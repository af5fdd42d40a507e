// SPDX-License-Identifier: Apache-2.0
export { ApiError, LineRefusedError } from './error.ts';
export { HttpLineService } from './http-line-service.ts';
export { API_LIMITS, BATCH_JSON_LIMITS, REQUEST_JSON_LIMITS } from './limits.ts';
export { UNIT_STATES } from './line-service.ts';
export { buildOpenApiDocument } from './openapi.ts';
export { PROBLEM_MEDIA_TYPE, PROTOCOL_PROBLEMS, toProblem } from './problem.ts';
export {
  EVIDENCE_MEDIA_TYPE,
  JSON_MEDIA_TYPE,
  METRICS_MEDIA_TYPE,
  NOTE_MEDIA_TYPE,
  OCTETS_MEDIA_TYPE,
  ROUTES,
} from './routes.ts';
export { badgeSignInBody, permitRequestBody, sessionChallengeBody, submitBatchBody, submitBody } from './schemas.ts';

export type { BatchItem, BatchOutcome } from './batch.ts';
export type { ApiErrorCode } from './error.ts';
export type { HttpLineServiceOptions } from './http-line-service.ts';
export type {
  Attachments,
  LineService,
  LineTime,
  LineViews,
  LoggedEntry,
  OpenStop,
  SiteRecordView,
  SlotTally,
  StationTally,
  UnitState,
  UnitSummary,
  UnsealedImages,
  UnsealingService,
  WrappedContentKey,
} from './line-service.ts';
export type { OpenApiDocument } from './openapi.ts';
export type { ProtocolProblemCode } from './problem.ts';
export type { Route, RouteBody, RouteName } from './routes.ts';
export type { EnrolledBadge, OpenSession, SessionChallenge, SessionService, SessionTerms } from './session-service.ts';
export type { EnvelopeJson, Health, LoggedEntryJson, Problem } from './schemas.ts';
export type { OfflineService } from './offline-service.ts';
