// SPDX-License-Identifier: Apache-2.0
/** What holds for every site record that a station makes while somebody is signed in there. */
import type { LabelEvent } from '@witnessmark/attestation';
import { ensure } from '../error.ts';
import { checkPlace, placeOf } from '../station-place.ts';
import type { SiteRecordSubmission } from './check.ts';

/** The first signature is that of the station the record names. Throws LS-502. */
export function checkStation(
  station: LabelEvent['station'],
  { signers: [signer], line }: Pick<SiteRecordSubmission, 'signers' | 'line'>,
): void {
  line.keys().requireStation(signer);
  checkPlace(station, placeOf(signer, line.rules));
}

/** The session it names is logged, of that person, and of that station. Throws LS-501. */
export async function checkOperator(
  { id, sessionDigest }: LabelEvent['operator'],
  { signers: [signer], line }: Pick<SiteRecordSubmission, 'signers' | 'line'>,
): Promise<void> {
  const session = await line.views.sessionByDigest(sessionDigest.sha256);
  ensure(
    session?.operator === id && session.station === signer.owner,
    'LS-501',
    `a logged session of ${id} at ${signer.owner}`,
    session === undefined ? 'none' : `one of ${session.operator} at ${session.station}`,
  );
}
