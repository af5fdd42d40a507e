// SPDX-License-Identifier: Apache-2.0
/** Who may approve what a station is made of: two people, neither of whom operates (spec/station-build.md, "Record"). */
import {
  BUILD_APPROVAL_ROLES,
  BUILD_PROPOSAL_ROLES,
  type StationBuild,
  type TrustedKey,
} from '@witnessmark/attestation';
import { ensure } from '../error.ts';
import { defineCheck, type CheckedRule, type SiteRecordCheck } from './check.ts';
import { stationBuildRule } from './station-build.ts';

const checkBuild: SiteRecordCheck<StationBuild> = ({ predicate, subject }, { now, signers, line }) => {
  const { rules, keys, starts } = line;
  const { place, stations, version, manifest, proposedBy, approvedBy } = predicate;
  ensure(place.plant === rules.plant, 'LS-502', `a record of ${rules.plant}`, place.plant);
  ensure(subject === manifest.digest.sha256, 'LS-506', 'a statement about its own manifest', 'another subject');
  ensure(new Set(stations).size === stations.length, 'LS-506', 'each station once', stations.join(', '));
  const stranger = stations.find((station) => !keys().isStation(station, now));
  ensure(stranger === undefined, 'LS-502', `stations of ${rules.line}`, stranger ?? '');
  ensure(proposedBy.id !== approvedBy.id, 'LS-410', 'two different people', `${proposedBy.id} twice`);
  for (const [person, roles] of [
    [proposedBy, BUILD_PROPOSAL_ROLES],
    [approvedBy, BUILD_APPROVAL_ROLES],
  ] as const) {
    const signer = signers.find(({ owner }) => owner === person.id);
    ensure(signer?.role === person.role, 'LS-410', `a signature of ${person.id} as ${person.role}`, 'none');
    ensure(isEntitled(signer, roles, rules.line), 'LS-410', roles.join(' or '), `${signer.role} ${person.id}`);
    const operates = keys().keys.some(({ role, owner }) => role === 'operator' && owner === person.id);
    ensure(!operates, 'LS-410', 'people who do not operate a station', `${person.id}, who is an operator too`);
  }
  for (const station of stations) {
    const newest = starts.build(station)?.version ?? 0;
    ensure(version > newest, 'LS-404', `a version above ${newest} for ${station}`, String(version));
  }
};

export const STATION_BUILD_CHECKS: readonly CheckedRule[] = [defineCheck(stationBuildRule, checkBuild)];

/** Supervisors count at their own line only. */
function isEntitled({ role, scope }: TrustedKey, roles: readonly string[], line: string): boolean {
  return roles.includes(role) && (role !== 'supervisor' || scope === line);
}
