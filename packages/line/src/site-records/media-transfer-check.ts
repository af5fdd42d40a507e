// SPDX-License-Identifier: Apache-2.0
/** Who may have a medium's way in logged at the line. */
import { MEDIA_INGEST_ROLES, type MediaTransfer } from '@witnessmark/attestation';
import { ensure } from '../error.ts';
import { defineCheck, type CheckedRule, type SiteRecordCheck } from './check.ts';
import { mediaTransferRule } from './media-transfer.ts';

const checkTransfer: SiteRecordCheck<MediaTransfer> = ({ predicate }, { signers: [signer], line }) => {
  const { direction, person, site } = predicate;
  ensure(direction === 'ingest', 'LS-502', 'an ingest', 'an export, which the office logs');
  ensure(site.plant === line.rules.plant, 'LS-502', `a record of ${line.rules.plant}`, site.plant);
  ensure(MEDIA_INGEST_ROLES.includes(signer.role), 'BX-116', 'a person who may bring in media', signer.role);
  ensure(
    person.id === signer.owner && person.role === signer.role,
    'BX-116',
    `a record signed by ${person.id} as ${person.role}`,
    `one signed by ${signer.owner} as ${signer.role}`,
  );
};

export const MEDIA_TRANSFER_CHECKS: readonly CheckedRule[] = [defineCheck(mediaTransferRule, checkTransfer)];
