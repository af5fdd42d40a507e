// SPDX-License-Identifier: Apache-2.0
/**
 * What each entry of the log does to the views, kind by kind. The only writer of views: the line commits exactly these
 * changes with the entry, and a rebuild from the log computes them again (spec/evidence-log.md, "Views").
 */
import { parseEnvelope, type Bytes } from '@witnessmark/core';
import type { ViewChange } from '@witnessmark/store';
import { parseLoggable, type LoggableStatement } from '../statements.ts';
import { projectDisposition } from './disposition.ts';
import { projectRefusal } from './refusal.ts';
import { projectSession } from './session.ts';
import { projectSiteRecord } from './site-record.ts';
import { projectEvent, projectIntent, type ProjectionLimits } from './unit.ts';

/** The changes of a logged entry, from its bytes alone. Throws the codes of {@link parseLoggable} for a foreign entry. */
export function projectEntry(index: number, entry: Bytes): readonly ViewChange[] {
  return projectStatement(index, parseLoggable(parseEnvelope(entry).payload));
}

export function projectStatement(
  index: number,
  statement: LoggableStatement,
  limits: ProjectionLimits = {},
): readonly ViewChange[] {
  switch (statement.kind) {
    case 'session':
      return projectSession(index, statement);
    case 'intent':
      return projectIntent(index, statement, limits);
    case 'event':
      return projectEvent(index, statement);
    case 'refusal':
      return projectRefusal(index, statement);
    case 'disposition':
      return projectDisposition(index, statement);
    case 'siteRecord':
      return projectSiteRecord(index, statement);
  }
}
