// SPDX-License-Identifier: Apache-2.0
/** The options of the release commands. */
import { flag, list, optionalInteger, optionalText, requiredText, type OptionDefinition } from '../command.ts';

/** Either a data directory, with the file in its place, or the file itself. */
const officeOptions = {
  data: optionalText('--data <DIR>', 'a data directory; its office.json is used', { environment: 'WITNESSMARK_DATA' }),
  config: optionalText('--config <FILE>', 'an office configuration instead'),
} as const;

function personKey(who: string, environment: string): OptionDefinition<string> {
  return requiredText('--key <FILE>', `the own key of the ${who}`, { environment });
}

/** Asked for on a terminal; elsewhere its absence is an error. */
const ticket = optionalText('--ticket <ID>', 'the ticket this belongs to; asked for on a terminal');
const reason = optionalText('--reason <TEXT>', 'why, for the record; asked for on a terminal');

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
  leaveOpen: flag('--leave-open', 'a recipe that does not lock the device'),
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
