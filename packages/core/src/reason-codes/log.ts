// SPDX-License-Identifier: Apache-2.0
import type { ReasonCodeTable } from './reason-code.ts';

/** Findings of log fsck and refusals of the log to start. */
export const LOG_CODES = {
  'LG-101': {
    operatorText: 'A log file is missing',
    cause: 'A tile, entry bundle or checkpoint that must exist does not.',
    nextStep: 'Restore it from a mirror, then run fsck again.',
    overrideBy: 'nobody',
  },
  'LG-102': {
    operatorText: 'An entry was changed',
    cause: 'The hash of an entry is not the one in the tree.',
    nextStep: 'Keep the disk; restore the named entry from a mirror.',
    overrideBy: 'nobody',
  },
  'LG-103': {
    operatorText: 'A tile was changed',
    cause: 'A hash tile does not follow from the entries.',
    nextStep: 'Keep the disk; tiles can be derived again from entries.',
    overrideBy: 'nobody',
  },
  'LG-104': {
    operatorText: 'The checkpoint does not fit',
    cause: 'The root of the checkpoint does not follow from the entries.',
    nextStep: 'Stop the line and tell the security officer.',
    overrideBy: 'nobody',
  },
  'LG-105': {
    operatorText: 'The checkpoint signature is wrong',
    cause: 'The checkpoint is not signed by the key of this log.',
    nextStep: 'Stop the line and tell the security officer.',
    overrideBy: 'nobody',
  },
  'LG-106': {
    operatorText: 'A view differs from the log',
    cause: 'A database row is not what the log entries say.',
    nextStep: 'Rebuild the database from the log.',
    overrideBy: 'nobody',
  },
  'LG-107': {
    operatorText: 'This log is behind',
    cause: 'A head shown to it is larger than its own: it was restored from an old copy.',
    nextStep: 'Do not append. Two people follow the recovery procedure.',
    overrideBy: 'nobody',
  },
  'LG-108': {
    operatorText: 'Two histories',
    cause: 'A head shown to it has the same size and another root.',
    nextStep: 'Stop the line and tell the security officer; keep both heads.',
    overrideBy: 'nobody',
  },
  'LG-109': {
    operatorText: 'An entry signature does not verify',
    cause: 'No trusted key made a signature of a logged entry.',
    nextStep: 'Treat the entry as unproven.',
    overrideBy: 'nobody',
  },
  'LG-110': {
    operatorText: 'Another process writes this log',
    cause: 'A second writer was started on one data directory.',
    nextStep: 'Stop one of the two.',
    overrideBy: 'nobody',
  },
  'LG-111': {
    operatorText: 'An entry is refused by its schema',
    cause: 'A logged entry is not a statement the views know.',
    nextStep: 'Upgrade this program, or treat the entry as foreign.',
    overrideBy: 'nobody',
  },
} as const satisfies ReasonCodeTable;
