// SPDX-License-Identifier: Apache-2.0
/** The options of the trust commands. */
import { HOLDER_USES, KEY_ROLES } from '@witnessmark/attestation';
import { CUSTODY_GRADES } from '@witnessmark/core';
import { flag, list, optionalInteger, optionalText, requiredText } from '../command.ts';
import { officeOptions, personKey, reason, ticket } from './office.ts';

export const trustShowOptions = officeOptions;

export const trustExportOptions = {
  ...officeOptions,
  to: requiredText('--to <FILE>', 'where the trusted root goes'),
} as const;

export const trustEnrolOptions = {
  key: requiredText('--key <KEY>', 'the key to enrol, at hand: a file, or a pkcs11: or custody: reference', {
    environment: 'WITNESSMARK_APPROVER_KEY',
  }),
  owner: requiredText('--owner <ID>', 'the person, station or line that holds the key'),
  role: optionalText('--role <ROLE>', 'what its statements may mean; none for a key of the repository only', {
    choices: KEY_ROLES,
  }),
  scope: optionalText('--scope <SCOPE>', 'of an approver its role, of a station its line', { fallback: 'the owner' }),
  use: list('--use <USE>', `what it signs in the trust repository: ${HOLDER_USES.join(', ')}`),
  grade: optionalText('--grade <GRADE>', 'how it is known how the key is kept', {
    choices: CUSTODY_GRADES,
    fallback: 'asserted',
  }),
  cardSerial: optionalInteger('--card-serial <NUMBER>', 'of a card its vendor attests; with --certificate', {
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
  }),
  certificate: list('--certificate <FILE>', "the vendor's attestation in DER, leaf first, and those above it"),
  rehearsal: flag('--rehearsal', 'the key was made in a rehearsal'),
  out: requiredText('--out <FILE>', 'where the enrolment goes'),
} as const;

export const trustProposeOptions = {
  ...officeOptions,
  key: personKey('author or approver who proposes', 'WITNESSMARK_AUTHOR_KEY'),
  enrol: list('--enrol <FILE>', 'adds the key of this enrolment'),
  revoke: list('--revoke <KEYID>', 'ends a key; a holder of root or targets loses that too'),
  revokedAt: optionalText('--revoked-at <TIME>', 'since when it is not to be trusted', { fallback: 'now' }),
  removeHolder: list('--remove-holder <KEYID>', 'a key signs root and targets no longer'),
  rootThreshold: optionalInteger('--root-threshold <NUMBER>', 'holders the next root asks for', { min: 1, max: 64 }),
  targetsThreshold: optionalInteger('--targets-threshold <NUMBER>', 'holders a release asks for', { min: 1, max: 64 }),
  renewRoot: flag('--renew-root', 'a new root with the same keys, before the present one runs out'),
  ticket,
  reason,
} as const;

export const trustReviewOptions = officeOptions;

export const trustSignOptions = {
  ...officeOptions,
  key: personKey('holder', 'WITNESSMARK_APPROVER_KEY'),
  rootKey: optionalText('--root-key <KEY>', "the holder's root key, when it is another one"),
  confirm: optionalText(
    '--confirm <CHARACTERS>',
    "the first four characters of the change's digest; asked for on a terminal",
  ),
  meaning: optionalText('--meaning <TEXT>', 'what the signature means, for the record; asked for on a terminal'),
  ticket,
  deny: flag('--deny', 'deny instead: the change ends for good'),
} as const;

export const trustStatusOptions = officeOptions;

export const trustPublishOptions = {
  ...officeOptions,
  onlineKey: optionalText('--online-key <KEY>', 'the new online key, when the change replaces it'),
  effectivityKey: optionalText('--effectivity-key <KEY>', 'the new effectivity key, when the change replaces it'),
} as const;
