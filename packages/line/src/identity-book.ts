// SPDX-License-Identifier: Apache-2.0
/**
 * On which machine each key of a station was enrolled, and which keys have ended by a retirement in the log, before a change
 * of the trusted root says so too: learnt at the start, then from what is logged.
 */
import type { StationEnrolment, StationStart, TrustedKey } from '@witnessmark/attestation';
import type { ViewReader } from '@witnessmark/store';
import { ensure } from './error.ts';
import type { Records } from './records.ts';
import { STATION_ENROLMENT_KIND, STATION_RETIREMENT_KIND } from './site-records/station-identity.ts';
import type { ReadSiteRecord } from './statements.ts';

/** Read at the start, the newest of each kind; older retirements are in the trusted root by then. */
const MAX_RECORDS = 1000;

interface SeenMachine {
  /** Of its fingerprint. */
  readonly digest: string;
  readonly attestationKey: string | null;
}

export class IdentityBook {
  readonly #enrolled = new Map<string, StationEnrolment>();
  readonly #ended = new Map<string, number>();

  async learn(views: ViewReader, records: Records): Promise<void> {
    for (const kind of [STATION_ENROLMENT_KIND, STATION_RETIREMENT_KIND]) {
      const rows = await views.recentSiteRecords(kind, MAX_RECORDS);
      for (const row of rows.toReversed()) {
        const statement = await records.readStatement(row.log_index);
        if (statement.kind === 'siteRecord') this.observe(statement, row.log_index);
      }
    }
  }

  /** After it was logged. */
  observe({ rule, subject, predicate }: ReadSiteRecord, index: number): void {
    if (rule.kind === STATION_RETIREMENT_KIND) this.#ended.set(subject, index);
    // The first one stands: the same key on another machine is another station.
    else if (rule.kind === STATION_ENROLMENT_KIND && !this.#enrolled.has(subject)) {
      this.#enrolled.set(subject, predicate as StationEnrolment);
    }
  }

  /** Throws ID-107 when the key was enrolled on another machine, or with another TPM. */
  demandSameMachine(keyid: string, { digest, attestationKey }: SeenMachine): void {
    const enrolled = this.#enrolled.get(keyid);
    if (enrolled === undefined) return;
    const { station } = enrolled;
    const name = (digest: string): string => `the machine ${digest.slice(0, 16)}…`;
    const isSame = digest === enrolled.machine.digest;
    ensure(isSame, 'ID-107', `${name(enrolled.machine.digest)} of ${station.id}`, name(digest));
    const isSameTpm = attestationKey === enrolled.attestationKey;
    ensure(
      isSameTpm,
      'ID-107',
      `the TPM ${station.id} was enrolled with`,
      attestationKey === null ? 'none' : 'another one',
    );
  }

  /** Throws as {@link demandSameMachine} does, for a measurement of the station. */
  demandEnrolledMachine({ keyDigest, fingerprint, quote }: StationStart): void {
    const attestationKey = quote?.attestationKey ?? null;
    this.demandSameMachine(keyDigest.sha256, { digest: fingerprint.sha256, attestationKey });
  }

  /** Throws ID-105 for the key of a station that was retired. */
  demandActive({ owner, key }: TrustedKey): void {
    const index = this.#ended.get(key.keyid);
    ensure(
      index === undefined,
      'ID-105',
      `a key of ${owner} that is in use`,
      `one that ended with entry ${index ?? ''}`,
    );
  }
}
