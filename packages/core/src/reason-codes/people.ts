// SPDX-License-Identifier: Apache-2.0
import type { ReasonCodeTable } from './reason-code.ts';

/** Who may stand at a station: sign-ins, badges, and who must not be one person. */
export const PEOPLE_CODES = {
  'LS-511': {
    operatorText: 'Pause was long: sign in again',
    cause: 'Nobody worked in this session for longer than it may pause.',
    nextStep: 'Sign in again with your own card or badge; the unit was not touched.',
    overrideBy: 'operator',
  },
  'LS-512': {
    operatorText: 'Batch is done: sign in again',
    cause: 'As many units were begun in this session as one sign-in covers.',
    nextStep: 'Sign in again with your own card or badge; the unit was not touched.',
    overrideBy: 'operator',
  },
  'LS-513': {
    operatorText: 'Somebody else is signed in here',
    cause: 'Another person has an open session at this station.',
    nextStep: 'They sign out, or "witnessmark station sign-out" ends their session; then sign in.',
    overrideBy: 'operator',
  },
  'LS-514': {
    operatorText: 'You are signed in at another station',
    cause: 'The same person has an open session at another station; their badge or card may be in other hands.',
    nextStep: 'Sign out there, or end that session while signing in here (--end-other). If it was not you, call.',
    overrideBy: 'operator',
  },
  'LS-515': {
    operatorText: 'This session has ended: sign in again',
    cause: 'The session was signed out, or another one took its place.',
    nextStep: 'Sign in again with your own card or badge.',
    overrideBy: 'operator',
  },
  'LS-516': {
    operatorText: 'This sign-in is not fresh',
    cause: 'The session does not carry a challenge that the line has just drawn for this station.',
    nextStep: 'Sign in again; a session cannot be prepared in advance or used twice.',
    overrideBy: 'operator',
  },
  'LS-517': {
    operatorText: 'Badge or PIN is wrong',
    cause: 'The line knows no such badge, or the PIN is not the one that belongs to it.',
    nextStep: 'Try again with your own badge; after several wrong PINs it is locked.',
    overrideBy: 'operator',
  },
  'LS-518': {
    operatorText: 'This badge is locked',
    cause: 'Too many wrong PINs were entered for the badge, or at this station.',
    nextStep: 'A supervisor unlocks the badge (badge unlock); a station waits a minute.',
    overrideBy: 'supervisor',
  },
  'LS-519': {
    operatorText: 'Sign in with a stronger credential',
    cause: 'The line does not accept this kind of sign-in, or the credential is not of the kind the session claims.',
    nextStep: 'Use the kind of credential the rules of the line name.',
    overrideBy: 'nobody',
  },
  'LS-520': {
    operatorText: 'You released this: somebody else operates',
    cause: 'The person signed in has proposed, built or approved the release that is in effect.',
    nextStep: 'Another person signs in; nobody makes units of a release they had a part in.',
    overrideBy: 'nobody',
  },
  'LS-521': {
    operatorText: 'One person cannot have these roles',
    cause: 'Somebody would hold keys for more than one of proposing, approving and operating.',
    nextStep: 'Give the roles to different people, or revoke the keys of the other role first.',
    overrideBy: 'nobody',
  },
  'LS-522': {
    operatorText: 'This badge cannot be changed so',
    cause: 'The badge is not in the state the change goes on from, or the person may not decide about badges.',
    nextStep: 'See "witnessmark badge list"; a supervisor enrols, unlocks and revokes.',
    overrideBy: 'supervisor',
  },
} as const satisfies ReasonCodeTable;
