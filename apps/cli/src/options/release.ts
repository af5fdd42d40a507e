// SPDX-License-Identifier: Apache-2.0
/** The options of the release commands. */
import { RELEASE_CLASSES } from '@witnessmark/attestation';
import { flag, list, optionalInteger, optionalText, requiredText } from '../command.ts';
import { officeOptions, personKey, reason, ticket } from './office.ts';

export const releaseProposeOptions = {
  ...officeOptions,
  image: requiredText('--image <FILE>', 'the firmware file the build produced'),
  releaseVersion: requiredText('--release-version <VERSION>', 'the version of the release'),
  key: personKey('author', 'WITNESSMARK_AUTHOR_KEY'),
  ticket,
  reason,
  releaseId: optionalText('--release-id <ID>', 'the id of the release', { fallback: 'SKU-VERSION' }),
  counter: optionalInteger('--counter <NUMBER>', 'the release counter, which never falls', {
    min: 1,
    max: Number.MAX_SAFE_INTEGER,
    fallback: 'the next one',
  }),
  securityCounter: optionalInteger('--security-counter <NUMBER>', 'of an image that carries none', {
    min: 0,
    max: 0xffff_ffff,
  }),
  address: optionalInteger('--address <NUMBER>', "where the image begins in the device's flash", {
    min: 0,
    max: 0xffff_ffff,
    fallback: '0',
  }),
  eco: optionalText('--eco <ID>', 'the engineering change order', { fallback: 'the ticket' }),
  workOrder: list('--work-order <ORDER>', 'only for these work orders'),
  maxUnits: optionalInteger('--max-units <NUMBER>', 'how many units at most', { min: 1, max: 1_000_000_000 }),
  class: optionalText('--class <CLASS>', 'what the release is for', {
    choices: RELEASE_CLASSES,
    fallback: 'production',
  }),
  builder: optionalText('--builder <PERSON>', 'who built the image, and so cannot approve it'),
  exception: optionalText('--exception <EXCEPTION>', 'the exception under which a security counter may fall'),
  leaveOpen: flag('--leave-open', 'a recipe that does not lock the device'),
  bootDigest: flag('--boot-digest', 'a recipe that starts the board, whose firmware then has to name its digest'),
  sealed: flag('--sealed', "publish the image sealed to the line's unsealing keys, not in clear"),
} as const;

export const releaseReviewOptions = officeOptions;

export const releaseApproveOptions = {
  ...officeOptions,
  key: personKey('approver', 'WITNESSMARK_APPROVER_KEY'),
  confirm: optionalText(
    '--confirm <CHARACTERS>',
    "the first four characters of the candidate's digest; asked for on a terminal",
  ),
  meaning: optionalText('--meaning <TEXT>', 'what the signature means, for the record; asked for on a terminal'),
  ticket,
  deny: flag('--deny', 'deny instead of approve: the proposal ends for good'),
} as const;

export const releaseSubmitOptions = {
  ...officeOptions,
  decision: requiredText('--decision <FILE>', 'the decision as it was stored where it was signed; - is stdin'),
} as const;

export const releaseExceptOptions = {
  ...officeOptions,
  key: requiredText('--key <KEY>', 'the own key of the author who asks, or of the approver who signs', {
    environment: 'WITNESSMARK_APPROVER_KEY',
  }),
  image: optionalText('--image <FILE>', 'asks for an exception for this image'),
  securityCounter: optionalInteger('--security-counter <NUMBER>', 'of an image that carries none', {
    min: 0,
    max: 0xffff_ffff,
  }),
  confirm: optionalText(
    '--confirm <CHARACTERS>',
    "the first four characters of the exception's digest; asked for on a terminal",
  ),
  ticket,
  reason,
} as const;

export const releaseIndicatorsOptions = officeOptions;

export const releaseStatusOptions = officeOptions;

export const releaseMirrorOptions = {
  ...officeOptions,
  to: requiredText('--to <DIR>', 'where the copy goes, for example a mounted stick; empty or an older copy'),
} as const;

export const releaseWithdrawOptions = {
  ...officeOptions,
  key: personKey('approver', 'WITNESSMARK_APPROVER_KEY'),
  confirm: optionalText('--confirm <RELEASE>', 'the release id once more; asked for on a terminal'),
  reason,
  ticket,
} as const;

export const releaseRefreshOptions = officeOptions;
