// SPDX-License-Identifier: Apache-2.0
/** Who may register a golden or known-bad unit, which devices can be one, and what a check of one may say. */
import type { GoldenCheck, GoldenUnit } from '@witnessmark/attestation';
import type { SiteRecordRow, ViewReader } from '@witnessmark/store';
import { ensure, LineRefusal } from '../error.ts';
import type { LineContext } from '../line-context.ts';
import { defineCheck, type CheckedRule, type SiteRecordCheck } from './check.ts';
import { GOLDEN_UNIT_KIND, goldenCheckRule, goldenUnitRule } from './golden.ts';

/** The code a known-bad unit shows, and nothing else. */
const KNOWN_BAD_CODE = 'UF-03';

/** LS-507, LS-506, LS-610 for a label of one that is registered, LS-611 for a device that cannot be one. */
const checkUnit: SiteRecordCheck<GoldenUnit> = async ({ subject, predicate }, { signers: [signer], line }) => {
  const { action, deviceId, labelSerial, person, registrationId, site } = predicate;
  const { rules, views } = line;
  ensure(site.plant === rules.plant, 'LS-502', `a record of ${rules.plant}`, site.plant);
  ensure(signer.role === 'supervisor', 'LS-507', 'the credential of a supervisor', `one of role ${signer.role}`);
  ensure(
    person.id === signer.owner && person.role === signer.role,
    'LS-507',
    `a record signed by ${person.id} as ${person.role}`,
    `one signed by ${signer.owner} as ${signer.role}`,
  );
  ensure(subject === deviceId, 'LS-506', `a statement about ${deviceId}`, `one about ${subject}`);
  ensure((action === 'retire') === (registrationId !== null), 'LS-506', 'a registration to retire, or none', action);
  const inUse = (await goldenRows(deviceId, views)).find(({ state }) => state !== 'retired');
  if (action === 'retire') {
    ensure(inUse?.record_id === registrationId, 'LS-611', 'the registration that is in use', registrationId ?? 'none');
    return;
  }
  ensure(inUse === undefined, 'LS-611', 'a device that is not registered', `registration ${inUse?.record_id ?? ''}`);
  const unit = await views.unit(deviceId);
  ensure(unit?.state !== 'passed', 'LS-611', 'a device that never was product', 'one that passed');
  ensure((unit?.open_transaction ?? null) === null, 'LS-611', 'a device nobody works on', unit?.station ?? '');
  const labelled = await views.unitByLabel(labelSerial);
  ensure(
    labelled === undefined || labelled.device_id === deviceId,
    'LS-611',
    `label ${labelSerial} on this device alone`,
    `on device ${labelled?.device_id ?? ''}`,
  );
};

/** LS-502, LS-506: a check is of the station that signed it, of a registered unit, and says what follows from what it read. */
const checkCheck: SiteRecordCheck<GoldenCheck> = async ({ subject, predicate }, { signers: [signer], line }) => {
  line.keys().requireStation(signer);
  const { station, kind, registrationId, deviceId, observed, result, code } = predicate;
  const { plant } = line.rules;
  ensure(
    station.id === signer.owner && station.plant === plant,
    'LS-502',
    `station ${signer.owner} of ${plant}, which signed`,
    `${station.id} of ${station.plant}`,
  );
  ensure(subject === (deviceId ?? signer.key.keyid), 'LS-506', 'a statement about the device, or the station', subject);
  if (result === 'unexpected') return;
  const wanted = kind === 'golden' ? null : KNOWN_BAD_CODE;
  ensure(code === wanted, 'LS-506', `${wanted ?? 'no code'} for a ${kind} unit`, String(code));
  const registration = await findRegistration(registrationId, line);
  if (registration?.deviceId !== deviceId || registration.kind !== kind) {
    throw new LineRefusal('LS-506', `a ${kind} unit in use`, deviceId ?? 'no device');
  }
  const isGood = observed?.sha256 === registration.content.digest.sha256;
  ensure(
    observed !== null && isGood === (kind === 'golden'),
    'LS-506',
    `content of a ${kind} unit`,
    observed?.sha256 ?? 'none',
  );
};

async function findRegistration(id: string | null, { views, records }: LineContext): Promise<GoldenUnit | null> {
  const row = id === null ? undefined : await views.siteRecord(id);
  if (row?.kind !== GOLDEN_UNIT_KIND || row.state === 'retired') return null;
  const statement = await records.readStatement(row.log_index);
  return statement.kind === 'siteRecord' ? (statement.predicate as GoldenUnit) : null;
}

async function goldenRows(deviceId: string, views: ViewReader): Promise<readonly SiteRecordRow[]> {
  return (await views.siteRecordsAbout(deviceId)).filter(({ kind }) => kind === GOLDEN_UNIT_KIND);
}

export const GOLDEN_CHECKS: readonly CheckedRule[] = [
  defineCheck(goldenUnitRule, checkUnit),
  defineCheck(goldenCheckRule, checkCheck),
];
