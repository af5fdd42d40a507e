// SPDX-License-Identifier: Apache-2.0
import type { ReasonCodeTable } from './reason-code.ts';

/** Refusals of the release repository, named as in TUF. */
export const TRUST_CODES = {
  'TR-101': {
    operatorText: 'Release metadata went back',
    cause: 'A version is lower than one seen before (rollback).',
    nextStep: 'Fetch a newer mirror; never reset the station to accept it.',
    overrideBy: 'nobody',
  },
  'TR-102': {
    operatorText: 'Release metadata ran out',
    cause: 'The metadata is past its expiry (freeze).',
    nextStep: 'Fetch a fresh mirror; check the clock first.',
    overrideBy: 'nobody',
  },
  'TR-103': {
    operatorText: 'Release metadata does not fit together',
    cause: 'Snapshot and metadata disagree (mix-and-match).',
    nextStep: 'Copy the complete repository again.',
    overrideBy: 'nobody',
  },
  'TR-104': {
    operatorText: 'Not enough signatures',
    cause: 'Fewer different keys than the threshold signed the metadata.',
    nextStep: 'Have the release approved by enough people.',
    overrideBy: 'nobody',
  },
  'TR-105': {
    operatorText: 'A release file has other bytes',
    cause: 'Length or digest of a target differ from the signed ones.',
    nextStep: 'Copy the complete repository again; keep the medium.',
    overrideBy: 'nobody',
  },
  'TR-106': {
    operatorText: 'A root change is not valid',
    cause: 'The new root is not signed by enough old and new keys, or skips a version.',
    nextStep: 'Supply every root version in between.',
    overrideBy: 'nobody',
  },
  'TR-107': {
    operatorText: 'Release metadata is missing',
    cause: 'A file the repository must hold is missing or unreadable.',
    nextStep: 'Copy the complete repository again.',
    overrideBy: 'nobody',
  },
  'TR-108': {
    operatorText: 'A file is not on the list',
    cause: 'The name is not a target of the repository.',
    nextStep: 'Have it released first.',
    overrideBy: 'nobody',
  },
  'TR-109': {
    operatorText: 'Release metadata is malformed',
    cause: 'A metadata file is not what TUF specifies, or is too large.',
    nextStep: 'Copy the complete repository again; keep the medium.',
    overrideBy: 'nobody',
  },
  'TR-110': {
    operatorText: 'One key stands for two',
    cause: 'A role lists one public key under two key ids.',
    nextStep: 'Make a new root with different keys.',
    overrideBy: 'nobody',
  },
} as const satisfies ReasonCodeTable;
