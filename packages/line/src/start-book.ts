// SPDX-License-Identifier: Apache-2.0
/**
 * Which build of each station is approved, and its newest start, known without a look at the database: learnt at the
 * start, then from what is logged.
 */
import { parseInstant, type Instant } from '@witnessmark/core';
import type { StationBuild, StationStart } from '@witnessmark/attestation';
import type { ViewReader } from '@witnessmark/store';
import type { Records } from './records.ts';
import { STATION_BUILD_KIND } from './site-records/station-build.ts';
import { STATION_START_KIND } from './site-records/station-start.ts';
import type { ReadSiteRecord } from './statements.ts';

/** Builds that are read at the start, the newest; a station that changed longer ago is measured anew. */
const MAX_BUILDS = 1000;

export interface KnownStart {
  /** SHA-256 of the payload. */
  readonly digest: string;
  readonly index: number;
  readonly sequence: number;
  readonly keyDigest: string;
  readonly fingerprint: string;
  /** Of the TPM that quoted it, as the start carries it; null without a quote. */
  readonly attestationKey: string | null;
  readonly measuredAt: Instant;
}

export interface KnownBuild {
  /** SHA-256 of the record's payload. */
  readonly digest: string;
  readonly version: number;
  readonly manifestDigest: string;
}

export class StartBook {
  readonly #starts = new Map<string, KnownStart>();
  readonly #builds = new Map<string, KnownBuild>();

  async learn(stations: readonly string[], views: ViewReader, records: Records): Promise<void> {
    const builds = await views.recentSiteRecords(STATION_BUILD_KIND, MAX_BUILDS);
    const starts = await Promise.all(stations.map((station) => views.newestSiteRecord(STATION_START_KIND, station)));
    for (const row of [...builds.toReversed(), ...starts]) {
      if (row === undefined) continue;
      const statement = await records.readStatement(row.log_index);
      if (statement.kind === 'siteRecord') this.observe(statement, row.log_index);
    }
  }

  /** After it was logged. */
  observe({ rule, digest, predicate }: ReadSiteRecord, index: number): void {
    if (rule.kind === STATION_BUILD_KIND) this.#addBuild(digest, predicate as StationBuild);
    else if (rule.kind === STATION_START_KIND) this.#addStart(digest, index, predicate as StationStart);
  }

  /** Null for a station that was never measured. */
  newest(station: string): KnownStart | null {
    return this.#starts.get(station) ?? null;
  }

  /** Null for a station no approved record covers. */
  build(station: string): KnownBuild | null {
    return this.#builds.get(station) ?? null;
  }

  #addBuild(digest: string, { stations, version, manifest }: StationBuild): void {
    for (const station of stations) {
      if ((this.build(station)?.version ?? 0) >= version) continue;
      this.#builds.set(station, { digest, version, manifestDigest: manifest.digest.sha256 });
    }
  }

  #addStart(digest: string, index: number, start: StationStart): void {
    if ((this.newest(start.station.id)?.index ?? -1) >= index) return;
    this.#starts.set(start.station.id, {
      digest,
      index,
      sequence: start.sequence,
      keyDigest: start.keyDigest.sha256,
      fingerprint: start.fingerprint.sha256,
      attestationKey: start.quote?.attestationKey ?? null,
      measuredAt: parseInstant(start.measuredAt),
    });
  }
}
