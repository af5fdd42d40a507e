// SPDX-License-Identifier: Apache-2.0
import type { ReasonCodeTable } from './reason-code.ts';

/** Suspending a rule in an emergency, and taking it back. */
export const BREAK_GLASS_CODES = {
  'BG-101': {
    operatorText: 'Two people must break the glass',
    cause: 'The opening is not signed by exactly the two different, entitled people it names.',
    nextStep: 'A second entitled person signs the same opening with an own key.',
    overrideBy: 'nobody',
  },
  'BG-102': {
    operatorText: 'Break-glass asks for too much',
    cause: 'The minutes pass the maximum of this line, or the opening is for another place.',
    nextStep: 'Ask for fewer minutes; a second opening needs a reseal and a review first.',
    overrideBy: 'nobody',
  },
  'BG-103': {
    operatorText: 'An earlier break-glass is not finished',
    cause: 'The last opening of this line is open, not resealed, or not reviewed.',
    nextStep: 'Reseal it and have it reviewed.',
    overrideBy: 'nobody',
  },
  'BG-104': {
    operatorText: 'Break-glass mark is missing',
    cause: 'Break-glass is open here, and the record does not carry its mark.',
    nextStep: 'Ask the line for its state and begin the unit again.',
    overrideBy: 'automatic',
  },
  'BG-105': {
    operatorText: 'Break-glass mark without an opening',
    cause: 'The record carries a mark that no opening in force here has.',
    nextStep: 'Ask the line for its state and begin the unit again.',
    overrideBy: 'automatic',
  },
  'BG-106': {
    operatorText: 'Nothing here waits for this step',
    cause: 'The opening named is unknown, or is not in the state that this step goes on from.',
    nextStep: 'Look at the state: open, then resealed, then reviewed.',
    overrideBy: 'nobody',
  },
  'BG-107': {
    operatorText: 'You may not do this step',
    cause: 'The person is not entitled, is another than the record names, or reviews what they opened themselves.',
    nextStep: 'A supervisor of the line or an approver reseals; an approver who did not open it reviews.',
    overrideBy: 'nobody',
  },
  'BG-108': {
    operatorText: 'Break-glass waits for its review',
    cause: 'The rules of this line give no permit before the last opening is resealed and reviewed.',
    nextStep: 'Reseal it and have it reviewed.',
    overrideBy: 'nobody',
  },
} as const satisfies ReasonCodeTable;
