// SPDX-License-Identifier: Apache-2.0
/**
 * Whether the sources of a time service are those the hierarchy allows, as it allows them. Pure. A source that breaks it
 * carries no verdict; when the clock follows it, or may, nothing is signed, because its time is then that of whoever
 * put it there.
 */
import { parseInstant, type Instant } from '@witnessmark/core';
import type { TimeHierarchy } from '@witnessmark/attestation';
import type { SourceAuthentication, SourceReading, TimeReading } from './time-reading.ts';
import type { TimeReason } from './time-reason.ts';

type Listed = TimeHierarchy['sources'][number];

const STRENGTH: Readonly<Record<Listed['authentication'], number>> = { none: 0, symmetricKey: 1, nts: 2 };
const HEARD: ReadonlyMap<SourceAuthentication, number> = new Map([
  ['nts', STRENGTH.nts],
  ['symmetric key', STRENGTH.symmetricKey],
]);

export interface HierarchyFindings {
  readonly reasons: readonly TimeReason[];
  /** The reading without the sources that break the hierarchy. */
  readonly reading: TimeReading;
}

export function judgeHierarchy(reading: TimeReading, document: TimeHierarchy, now: Instant): HierarchyFindings {
  const listed = new Map(document.sources.map((source) => [source.address, source]));
  const judged = reading.sources.map((source) => ({ source, reason: judgeSource(source, listed.get(source.name)) }));
  const present = new Set(reading.sources.map(({ name }) => name));
  const missing = document.sources.filter(({ address }) => !present.has(address));
  return {
    reasons: [
      ...judged.flatMap(({ reason }) => reason ?? []),
      ...missing.map(({ address }) => toMissing(address)),
      ...(now > parseInstant(document.validUntil) ? [toExpired(document)] : []),
    ],
    reading: { ...reading, sources: judged.filter(({ reason }) => reason === null).map(({ source }) => source) },
  };
}

function judgeSource(source: SourceReading, listed: Listed | undefined): TimeReason | null {
  const { name, state, stratum, authentication } = source;
  const isFollowed = state === 'selected' || state === 'combined';
  const verdict = isFollowed ? 'INSANE' : 'DEGRADED';
  const role = isFollowed ? 'which the clock follows' : 'which the clock may follow';
  if (listed === undefined) {
    const expected = 'sources of the time hierarchy and no others';
    return { subject: 'hierarchy', code: 'LS-333', verdict, expected, observed: `${name}, ${role}` };
  }
  // A service that does not say how a source is authenticated has not said that it is.
  if ((HEARD.get(authentication) ?? STRENGTH.none) < STRENGTH[listed.authentication]) {
    const expected = `${name} authenticated by ${listed.authentication}`;
    const observed = `${authentication ?? 'nothing known of it'}, of a source ${role}`;
    return { subject: 'hierarchy', code: 'LS-334', verdict, expected, observed };
  }
  // A source that was never heard has no stratum yet; its silence is counted elsewhere.
  if (source.samples > 0 && stratum > listed.maxStratum) {
    const expected = `${name} at stratum ${listed.maxStratum} or better`;
    return { subject: 'hierarchy', code: 'LS-335', verdict, expected, observed: `stratum ${stratum}, ${role}` };
  }
  return null;
}

function toMissing(address: string): TimeReason {
  const expected = `${address}, as the time hierarchy says`;
  return { subject: 'hierarchy', code: 'LS-333', verdict: 'DEGRADED', expected, observed: 'a service without it' };
}

function toExpired({ version, validUntil }: TimeHierarchy): TimeReason {
  const observed = `version ${version}, which ran out at ${validUntil}`;
  return { subject: 'hierarchy', code: 'LS-331', verdict: 'DEGRADED', expected: 'a time hierarchy in force', observed };
}
