// SPDX-License-Identifier: Apache-2.0
import type { ReasonCodeTable } from './reason-code.ts';

/** Unit failures and holds: about this unit, or waiting. */
export const UNIT_CODES = {
  'UF-01': {
    operatorText: 'Device not found',
    cause: 'The programmer sees no device, or a hardware identifier no part has.',
    nextStep: 'Reseat the unit once; then put it in the red bin.',
    overrideBy: 'nobody',
  },
  'UF-02': {
    operatorText: 'Programming failed',
    cause: 'Erasing or writing reported an error.',
    nextStep: 'Put the unit in the red bin.',
    overrideBy: 'nobody',
  },
  'UF-03': {
    operatorText: 'Content check failed',
    cause: 'What was read back differs from the approved image.',
    nextStep: 'Put the unit in the red bin.',
    overrideBy: 'nobody',
  },
  'UF-04': {
    operatorText: 'Protection not set',
    cause: 'A read after reset shows the lock is not set.',
    nextStep: 'Put the unit in the red bin.',
    overrideBy: 'nobody',
  },
  'UF-05': {
    operatorText: 'Key slot not usable',
    cause: 'Generating or testing the device key failed.',
    nextStep: 'Put the unit in the red bin.',
    overrideBy: 'nobody',
  },
  'UF-06': {
    operatorText: 'Device answered no more',
    cause: 'The programmer did not finish in its time; the state of the device is unknown.',
    nextStep: 'Leave the unit; it is read back, then finished or held.',
    overrideBy: 'nobody',
  },
  'UF-07': {
    operatorText: 'Device was exchanged',
    cause: 'The hardware identifier after programming is not the one before.',
    nextStep: 'Quarantine both units.',
    overrideBy: 'supervisor',
  },
  'HD-01': {
    operatorText: 'Finish this unit, then wait',
    cause: 'The line server cannot be reached.',
    nextStep: 'Wait; work goes on by itself when the line server answers.',
    overrideBy: 'automatic',
  },
  'HD-02': {
    operatorText: 'Unit is on hold',
    cause: 'The unit was interrupted and its content is not proven.',
    nextStep: 'A supervisor allows one retry or quarantines the unit.',
    overrideBy: 'supervisor',
  },
  'HD-03': {
    operatorText: 'Too many attempts',
    cause: 'The unit failed as often as this line allows.',
    nextStep: 'A supervisor allows one more attempt, quarantines or scraps the unit.',
    overrideBy: 'supervisor',
  },
  'HD-04': {
    operatorText: 'Scan the label again',
    cause: 'The scanned text is not a serial of this product.',
    nextStep: 'Scan the label of the unit; a serial is never typed.',
    overrideBy: 'operator',
  },
  'HD-05': {
    operatorText: 'Start this unit again',
    cause: 'The station was interrupted before the first byte was written.',
    nextStep: 'Scan the unit again; nothing was written to it.',
    overrideBy: 'operator',
  },
  'HD-06': {
    operatorText: 'Made, waits for the line',
    cause: 'The unit was programmed and measured while the line did not answer; its record is in the spool.',
    nextStep: 'Put it aside without a label; it passes when the line has taken its record.',
    overrideBy: 'automatic',
  },
  'HD-07': {
    operatorText: 'Offline allowance is used up',
    cause:
      'The line does not answer, and no allowance covers another unit: its units or hours are used, or it was for other work.',
    nextStep: 'Wait; work goes on by itself when the line answers and has taken the waiting records.',
    overrideBy: 'automatic',
  },
} as const satisfies ReasonCodeTable;
