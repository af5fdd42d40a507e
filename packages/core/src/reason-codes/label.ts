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
} as const satisfies ReasonCodeTable;
