// SPDX-License-Identifier: Apache-2.0
/** Views as the API shows them. */
import { isReasonCode } from '@witnessmark/core';
import {
  API_LIMITS,
  type OpenSession,
  type OpenStop,
  type SiteRecordView,
  type StationTally,
  type UnitSummary,
} from '@witnessmark/api';
import type { OperatorSessionRow, UnitRow, ViewReader } from '@witnessmark/store';
import { findDecision } from './facts.ts';
import { toSlotTallies } from './station-tally.ts';
import type { LineContext } from './line-context.ts';

/** By device id or label serial. */
export async function findUnit(unit: string, views: ViewReader): Promise<UnitRow | null> {
  return (await views.unit(unit)) ?? (await views.unitByLabel(unit)) ?? null;
}

export async function summarizeUnit(row: UnitRow, views: ViewReader): Promise<UnitSummary> {
  return {
    deviceId: row.device_id,
    // An intent, which begins every unit, names both.
    labelSerial: row.label_serial as string,
    releaseId: row.release_id as string,
    sku: row.sku,
    state: (await findDecision(row.device_id, views)) ?? row.state,
    attempts: row.attempts,
    station: row.station,
    head: { seq: row.head_seq, digest: row.head_digest },
    openTransaction: row.open_transaction,
  };
}

/** Sessions that have not ended, oldest first. */
export async function listOpenSessions(views: ViewReader): Promise<readonly OpenSession[]> {
  return (await views.openSessions(API_LIMITS.maxOpenSessions)).map(toOpenSession);
}

/** Newest first; the statements themselves come from the log, the state from the view. */
export async function listSiteRecords(
  kind: string,
  { views, records }: Pick<LineContext, 'views' | 'records'>,
): Promise<readonly SiteRecordView[]> {
  const found: SiteRecordView[] = [];
  for (const row of await views.recentSiteRecords(kind, API_LIMITS.maxSiteRecords)) {
    const { envelope } = await records.read(row.log_index);
    const { record_id: id, state, related_id: relatedId, station, actor, at } = row;
    const digest = row.payload_digest;
    found.push({ id, kind, state, relatedId, station, actor, at, digest, index: row.log_index, envelope });
  }
  return found;
}

export async function listStationTallies(
  stations: readonly string[],
  { views, since }: { readonly views: ViewReader; readonly since: string },
): Promise<readonly StationTally[]> {
  const tallies: StationTally[] = [];
  for (const station of [...stations].sort().slice(0, API_LIMITS.maxStations)) {
    tallies.push({ station, since, slots: toSlotTallies(await views.tally(station, since)) });
  }
  return tallies;
}

/** Oldest first. */
export async function listOpenStops(stations: readonly string[], views: ViewReader): Promise<readonly OpenStop[]> {
  const stops: OpenStop[] = [];
  for (const station of stations) {
    for (const row of await views.openRefusals(station)) {
      if (!isReasonCode(row.code)) continue;
      stops.push({
        refusalId: row.refusal_id,
        refusalDigest: row.payload_digest,
        code: row.code,
        deviceId: row.device_id,
        station: row.station,
        line: row.line,
        index: row.log_index,
      });
    }
  }
  return stops.sort((left, right) => left.index - right.index);
}

function toOpenSession(row: OperatorSessionRow): OpenSession {
  return {
    id: row.session_id,
    digest: row.payload_digest,
    operator: row.operator,
    credential: row.credential,
    station: row.station,
    openedAt: row.opened_at,
    expiresAt: row.expires_at,
    lastUsedAt: row.last_used_at,
    units: row.units,
  };
}
