// SPDX-License-Identifier: Apache-2.0
/** Gathers the unit evidence file of a device (spec/unit-evidence.md): from the log, never from the views, which only say where to look. */
import type { Bytes, Clock, Envelope } from '@witnessmark/core';
import {
  formatUnitEvidence,
  UNIT_EVIDENCE_LIMITS,
  UNIT_EVIDENCE_MEDIA_TYPE,
  type ReleaseEvidence,
} from '@witnessmark/bundle';
import type { LoggedEntry } from '@witnessmark/api';
import type { UnitRow, ViewReader } from '@witnessmark/store';
import type { Records } from './records.ts';
import type { ReleaseSource } from './release-book.ts';
import { LABEL_KIND } from './site-records/label-event.ts';
import { DELIVERY_KIND } from './site-records/offline-delivery.ts';
import { CHECK_KIND } from './site-records/unit-check.ts';
import { parseLoggable, type LoggableStatement } from './statements.ts';

interface EvidenceSources {
  readonly records: Records;
  readonly views: ViewReader;
  readonly releases: ReleaseSource;
  readonly clock: Clock;
}

interface Link extends LoggedEntry {
  readonly statement: LoggableStatement;
}

export async function buildUnitEvidence(unit: UnitRow, sources: EvidenceSources): Promise<Bytes> {
  const { views, records } = sources;
  const links: Link[] = [];
  for (const { log_index: index } of await views.chain(unit.device_id)) {
    const entry = await records.read(index);
    links.push({ ...entry, statement: parseLoggable(entry.envelope.payload) });
  }
  const indexes = new Set(links.map(({ index }) => index));
  for (const digest of new Set(links.flatMap(({ statement }) => citedSession(statement)))) {
    const session = await views.sessionByDigest(digest);
    if (session !== undefined) indexes.add(session.log_index);
  }
  for (const index of await breakGlassIndexes(links, views)) indexes.add(index);
  for (const index of await offlineIndexes(links, views)) indexes.add(index);
  for (const index of await aftermathIndexes(unit.device_id, views)) indexes.add(index);
  // The chain and its sessions always fit; should a device have gathered more refusals than a file holds, the newest count.
  const remarks = [...(await views.refusalsOf(unit.device_id)), ...(await views.dispositionsOf(unit.device_id))];
  const newest = remarks.map(({ log_index: index }) => index).sort((left, right) => right - left);
  for (const index of newest.slice(0, Math.max(0, UNIT_EVIDENCE_LIMITS.maxEntries - indexes.size))) indexes.add(index);

  const known = new Map<number, LoggedEntry>(links.map((link) => [link.index, link]));
  const entries: { readonly envelope: Envelope; readonly proof: string }[] = [];
  for (const index of [...indexes].sort((left, right) => left - right)) {
    const { envelope, proof } = known.get(index) ?? (await records.read(index));
    entries.push({ envelope, proof });
  }
  return formatUnitEvidence({
    mediaType: UNIT_EVIDENCE_MEDIA_TYPE,
    serial: unit.label_serial ?? unit.device_id,
    deviceId: unit.device_id,
    releases: await readReleases(links, sources),
    entries,
  });
}

function citedSession(statement: LoggableStatement): readonly string[] {
  const cites = statement.kind === 'intent' || statement.kind === 'event';
  return cites ? [statement.predicate.operator.sessionDigest.sha256] : [];
}

/** What came after the records: labels of the device, and checks of it or of a device that bore its label. */
async function aftermathIndexes(deviceId: string, views: ViewReader): Promise<readonly number[]> {
  const about = await views.siteRecordsAbout(deviceId);
  const bearing = (await views.siteRecordsRelatedTo(deviceId)).filter(({ kind }) => kind === CHECK_KIND);
  const own = about.filter(({ kind }) => kind === LABEL_KIND || kind === CHECK_KIND);
  return [...own, ...bearing].map(({ log_index: index }) => index);
}

/** The openings that links were made under, with what became of each. */
async function breakGlassIndexes(links: readonly Link[], views: ViewReader): Promise<readonly number[]> {
  const marks = links.flatMap(({ statement }) =>
    statement.kind === 'intent' || statement.kind === 'event' ? [statement.predicate.environment.breakGlass] : [],
  );
  const indexes: number[] = [];
  for (const mark of new Set(marks.filter((found) => found !== null))) {
    const opening = await views.siteRecordByDigest(mark);
    if (opening === undefined) continue;
    const rows = [opening, ...(await views.siteRecordsRelatedTo(opening.record_id))];
    indexes.push(...rows.map(({ log_index: index }) => index));
  }
  return indexes;
}

/** The allowance of each link that was made while the line did not answer, and the delivery that brought it. */
async function offlineIndexes(links: readonly Link[], views: ViewReader): Promise<readonly number[]> {
  const indexes: number[] = [];
  for (const { index, statement } of links) {
    if (statement.kind !== 'intent' && statement.kind !== 'event') continue;
    const digest = statement.predicate.offline?.allowanceDigest.sha256;
    const allowance = digest === undefined ? undefined : await views.siteRecordByDigest(digest);
    if (digest === undefined || allowance === undefined) continue;
    // What announces a statement is logged before it, whenever its delivery was broken off.
    const related = await views.siteRecordsRelatedTo(digest);
    const delivery = related.findLast(({ kind, log_index: at }) => kind === DELIVERY_KIND && at < index);
    indexes.push(allowance.log_index, ...(delivery === undefined ? [] : [delivery.log_index]));
  }
  return indexes;
}

/** A release the repository no longer holds is left out; the verifier says that approvals are missing. */
async function readReleases(
  links: readonly Link[],
  { releases, clock }: EvidenceSources,
): Promise<readonly ReleaseEvidence[]> {
  const ids = new Set(
    links.flatMap(({ statement }) => (statement.kind === 'intent' ? [statement.predicate.release.id] : [])),
  );
  const evidence: ReleaseEvidence[] = [];
  for (const id of ids) {
    const release = await releases.release(id, clock.now());
    if (release !== null) evidence.push({ candidate: release.candidate, approvals: release.approvals });
  }
  return evidence;
}
