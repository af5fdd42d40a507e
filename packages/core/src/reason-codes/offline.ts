// SPDX-License-Identifier: Apache-2.0
import type { ReasonCodeTable } from './reason-code.ts';

/** Working without the line, bringing in what was made, and the copies of releases that this needs. */
export const OFFLINE_CODES = {
  'LS-311': {
    operatorText: 'No offline work here',
    cause: 'The rules of the line, the release or the order allow no unit while the line does not answer.',
    nextStep: 'Wait for the line; whether units may be made without it is a rule of the line.',
    overrideBy: 'nobody',
  },
  'LS-312': {
    operatorText: 'Offline records are missing',
    cause: 'The numbers of the spool jump: statements made without the line were deleted, cut off or never delivered.',
    nextStep: 'Keep the disk, find the units of the range that is named; then a supervisor releases the station.',
    overrideBy: 'supervisor',
  },
  'LS-313': {
    operatorText: 'Offline records were changed',
    cause: 'A spooled statement does not name the one before it: the spool was reordered, exchanged or copied.',
    nextStep: 'Keep the disk and tell the security officer; then a supervisor releases the station.',
    overrideBy: 'supervisor',
  },
  'LS-314': {
    operatorText: 'Offline record was delivered before',
    cause: 'The number of a spooled statement is accounted for already, by another statement.',
    nextStep: 'Look for a restored or copied station; the first record stands.',
    overrideBy: 'nobody',
  },
  'LS-315': {
    operatorText: 'Offline allowance does not cover this',
    cause: 'A spooled statement names no allowance of this station, or goes beyond its units, hours, release or order.',
    nextStep: 'Quarantine the unit; find out why the station went beyond what it was allowed.',
    overrideBy: 'supervisor',
  },
  'LS-316': {
    operatorText: 'Its intent was refused',
    cause: 'The intent that this spooled event closes was refused when it was delivered.',
    nextStep: 'Follow the refusal of the intent; the unit has no record of its own.',
    overrideBy: 'nobody',
  },
  'LS-317': {
    operatorText: 'Deliver offline records first',
    cause: 'The station asks for something while its spool holds statements the line has not seen.',
    nextStep: 'Wait until the station has delivered its spool.',
    overrideBy: 'automatic',
  },
  'LS-321': {
    operatorText: 'Release copy was changed',
    cause: 'An entry of the release cache is not what was sealed there.',
    nextStep: 'Keep the disk, tell the security officer; then run "witnessmark station cache purge".',
    overrideBy: 'process engineer',
  },
  'LS-322': {
    operatorText: 'Release copies were exchanged',
    cause: 'A sound entry of the release cache lies under the name of another one.',
    nextStep: 'Keep the disk, tell the security officer; then run "witnessmark station cache purge".',
    overrideBy: 'process engineer',
  },
  'LS-323': {
    operatorText: 'Foreign release copy',
    cause: 'An entry of the release cache was sealed with the key of another station, or is none.',
    nextStep: 'Find out who put it there; then run "witnessmark station cache purge".',
    overrideBy: 'process engineer',
  },
  'LS-324': {
    operatorText: 'Release copy is cut off',
    cause: 'An entry of the release cache is shorter or longer than it says.',
    nextStep: 'Check the disk, then run "witnessmark station cache purge".',
    overrideBy: 'process engineer',
  },
  'LS-325': {
    operatorText: 'Outdated release copy',
    cause: 'An entry of the release cache was purged or sealed anew before, and an older one lies in its place.',
    nextStep: 'Look for a restored disk; then run "witnessmark station cache purge".',
    overrideBy: 'process engineer',
  },
  'LS-326': {
    operatorText: 'Release cache has no key',
    cause: 'The key of the release cache is missing, cannot be unwrapped, or may be read by others.',
    nextStep: 'Repair the token or the rights of the key file; a new key begins an empty cache.',
    overrideBy: 'process engineer',
  },
  'LS-327': {
    operatorText: 'Release cache is too small',
    cause: 'What one release needs does not fit the quota of the release cache.',
    nextStep: 'Raise the quota in the station configuration.',
    overrideBy: 'process engineer',
  },
} as const satisfies ReasonCodeTable;
