// SPDX-License-Identifier: Apache-2.0
/** A station's enrolment is logged by itself, its end by itself or by a supervisor when it cannot speak any more. */
import type { StationEnrolment, StationRetirement } from '@witnessmark/attestation';
import { ensure } from '../error.ts';
import { checkPlace, placeOf } from '../station-place.ts';
import { defineCheck, type CheckedRule, type SiteRecordCheck } from './check.ts';
import { stationEnrolmentRule, stationRetirementRule } from './station-identity.ts';

const checkEnrolment: SiteRecordCheck<StationEnrolment> = ({ predicate, subject }, { signers: [signer], line }) => {
  line.keys().requireStation(signer);
  checkPlace(predicate.station, placeOf(signer, line.rules));
  ensure(subject === signer.key.keyid, 'LS-506', 'an enrolment of the key that signed it', 'one of another key');
  const { machine, attestationKey } = predicate;
  line.identities.demandSameMachine(subject, { digest: machine.digest, attestationKey });
};

const checkRetirement: SiteRecordCheck<StationRetirement> = ({ predicate, subject }, { signers: [signer], line }) => {
  const { station, retiredBy } = predicate;
  const { rules } = line;
  checkPlace(station, { id: station.id, line: rules.line, plant: rules.plant });
  const ended = line.keys().find(subject);
  const isOwnKey = ended?.role === 'station' && ended.owner === station.id && ended.scope === rules.line;
  ensure(isOwnKey, 'LS-506', `a key of ${station.id}`, `key ${subject.slice(0, 8)}`);
  ensure(retiredBy.id === signer.owner, 'LS-507', `a retirement signed by ${retiredBy.id}`, `one by ${signer.owner}`);
  const isEntitled = signer.key.keyid === subject || signer.role === 'supervisor';
  ensure(isEntitled, 'LS-507', 'the station itself or a supervisor', `${signer.owner}, ${signer.role}`);
};

export const STATION_IDENTITY_CHECKS: readonly CheckedRule[] = [
  defineCheck(stationEnrolmentRule, checkEnrolment),
  defineCheck(stationRetirementRule, checkRetirement),
];
