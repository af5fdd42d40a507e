// SPDX-License-Identifier: Apache-2.0
import type { ReasonCodeTable } from './reason-code.ts';

/** Labels: what was scanned, and what was printed. */
export const LABEL_CODES = {
  'LB-101': {
    operatorText: 'Scan the label again',
    cause: 'The scanned text has no form that a label of this system has.',
    nextStep: 'Scan the label of the unit; a serial is never typed.',
    overrideBy: 'operator',
  },
  'LB-102': {
    operatorText: 'Label has a wrong check digit',
    cause: 'The check digit of a GS1 number does not fit its other digits: misread, or misprinted.',
    nextStep: 'Scan again; if it stays so, void the label and print a new one.',
    overrideBy: 'supervisor',
  },
  'LB-103': {
    operatorText: 'Scanner changed the label text',
    cause: 'Separators are missing or control characters stand where none may: many keyboard scanners swallow them.',
    nextStep: 'Set the scanner up to send control characters and the symbology identifier.',
    overrideBy: 'process engineer',
  },
  'LB-104': {
    operatorText: 'Label has an unknown field',
    cause:
      'A field identifier on the label is not one that this system reads, or its value is not what the field holds.',
    nextStep: 'Check that it is a label of this product.',
    overrideBy: 'nobody',
  },
  'LB-105': {
    operatorText: 'Label names no single serial',
    cause: 'The label carries no serial, or one field twice.',
    nextStep: 'Scan the label of the unit, not that of the box or order.',
    overrideBy: 'operator',
  },
  'LB-106': {
    operatorText: 'Wrong kind of bar code',
    cause: 'The kind of bar code and the form of its text do not go together.',
    nextStep: 'Scan the label of the unit; if it stays so, void the label.',
    overrideBy: 'supervisor',
  },
  'LB-107': {
    operatorText: 'Label cannot be printed',
    cause: 'A field is longer than its place on the label, or holds a character the bar code cannot carry.',
    nextStep: 'Correct the label template or the product data.',
    overrideBy: 'nobody',
  },
  'LB-108': {
    operatorText: 'No record to label or check',
    cause: 'The newest record of this unit is not one of a finished unit that passed, or not the one that was named.',
    nextStep: 'Program the unit first; a label comes from its record and from nothing else.',
    overrideBy: 'nobody',
  },
  'LB-109': {
    operatorText: 'Unit already has a label',
    cause: 'A label of this unit counts: it was printed and neither voided nor replaced.',
    nextStep: 'Scan that label; if it is not there, order a reprint with its reason.',
    overrideBy: 'supervisor',
  },
  'LB-110': {
    operatorText: 'This label no longer counts',
    cause: 'The label was voided, or another took its place.',
    nextStep: 'Take it off and destroy it; scan the label that counts.',
    overrideBy: 'supervisor',
  },
  'LB-111': {
    operatorText: 'Scan the printed label first',
    cause: 'A label was printed for the unit before and has not been scanned back.',
    nextStep: 'Stick that label and scan it, or order a reprint if none came out.',
    overrideBy: 'supervisor',
  },
  'LB-112': {
    operatorText: 'Label may not be printed',
    cause: 'The printer did not take the whole label, so nobody knows what came out.',
    nextStep: 'Look at the printer, destroy what came out, and order a reprint.',
    overrideBy: 'operator',
  },
  'LB-113': {
    operatorText: 'Reprint or void is not decided',
    cause: 'No reason was given, or the person who decides did not sign or may not decide on this line.',
    nextStep: 'Give a reason and have somebody decide whom the rules of the line allow.',
    overrideBy: 'supervisor',
  },
  'LB-114': {
    operatorText: 'Labels of this unit changed meanwhile',
    cause: 'The label event does not follow the newest one of this unit.',
    nextStep: 'Look at the labels of the unit again; somebody else may have printed or voided one.',
    overrideBy: 'operator',
  },
  'LB-115': {
    operatorText: 'Label differs from the record',
    cause: 'What the label says is not what the record of its unit says.',
    nextStep: 'Print labels from the record only; investigate who made this one.',
    overrideBy: 'nobody',
  },
  'LB-116': {
    operatorText: 'Unit is not as recorded',
    cause: 'Content or lock of the device is not what the newest record of it says: it was changed outside the line.',
    nextStep: 'Quarantine the unit and investigate who had it.',
    overrideBy: 'supervisor',
  },
  'LB-117': {
    operatorText: 'Label belongs to another unit',
    cause: 'The device in the fixture and the label on it belong to two different records.',
    nextStep: 'Quarantine both units, find how the labels came to be swapped, and label them again.',
    overrideBy: 'supervisor',
  },
  'LB-118': {
    operatorText: 'Device has no record',
    cause: 'No intent or record in the log is about this device, and yet it bears a label of the line.',
    nextStep: 'Quarantine the device; find the one that the label was made for.',
    overrideBy: 'supervisor',
  },
  'LB-119': {
    operatorText: 'Another device answers in the fixture',
    cause: 'The device that named itself first is not the one that named itself after it was measured.',
    nextStep: 'Look for a second device, an adapter or a cable in the fixture.',
    overrideBy: 'supervisor',
  },
  'LB-120': {
    operatorText: 'Flag of the unit is not lifted',
    cause: 'Lifting needs a new consistent check that names the flag, signed by a supervisor who is not the operator.',
    nextStep: 'Check the unit again with a supervisor; a unit taken out by decision stays out.',
    overrideBy: 'nobody',
  },
} as const satisfies ReasonCodeTable;
