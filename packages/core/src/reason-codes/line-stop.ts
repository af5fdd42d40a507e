// SPDX-License-Identifier: Apache-2.0
import type { ReasonCodeTable } from './reason-code.ts';

/** Line stops: do not start another unit here, call the supervisor. */
export const LINE_STOP_CODES = {
  'LS-101': {
    operatorText: 'Label and device do not match',
    cause: 'The serial on the label is not the one that belongs to the hardware identifier read from the device.',
    nextStep:
      'Keep the board in the fixture. A supervisor quarantines the board or voids the label; there is no "continue".',
    overrideBy: 'supervisor',
  },
  'LS-102': {
    operatorText: 'This device was already programmed',
    cause: 'The hardware identifier, label or public key already belongs to a unit that passed.',
    nextStep: 'Take the unit to rework; a new pass needs a rework order.',
    overrideBy: 'supervisor',
  },
  'LS-103': {
    operatorText: 'This unit was scrapped',
    cause: 'A scrap record exists for this device.',
    nextStep: 'Do not reuse the unit. Security and QA decide together.',
    overrideBy: 'security and QA',
  },
  'LS-104': {
    operatorText: 'Device could not prove itself',
    cause: 'An identity challenge or attestation failed.',
    nextStep: 'Quarantine the unit and tell the security officer.',
    overrideBy: 'nobody',
  },
  'LS-105': {
    operatorText: 'Another station works on this device',
    cause: 'An open intent for this device exists at another station.',
    nextStep: 'Finish or close the unit where it was begun.',
    overrideBy: 'supervisor',
  },
  'LS-106': {
    operatorText: 'Record does not fit the unit history',
    cause: 'The number, predecessor or transaction of a record does not continue the history of this device.',
    nextStep: 'Quarantine the unit; find out why station and line disagree about it.',
    overrideBy: 'supervisor',
  },
  'LS-201': {
    operatorText: 'Firmware package is not trusted',
    cause: 'A signature or digest of the release does not verify against the trust repository.',
    nextStep: 'Stop, keep the medium, and tell the security officer.',
    overrideBy: 'nobody',
  },
  'LS-202': {
    operatorText: 'Firmware package is not released',
    cause: 'The release has not been approved by enough people.',
    nextStep: 'See "witnessmark release status" for who is missing.',
    overrideBy: 'nobody',
  },
  'LS-203': {
    operatorText: 'Firmware package was withdrawn',
    cause: 'The release was withdrawn or superseded for this product.',
    nextStep: 'Update the station from the line server and ask for the release in effect.',
    overrideBy: 'nobody',
  },
  'LS-204': {
    operatorText: 'Firmware is older than allowed',
    cause: 'The release counter or a security counter is below the highest seen.',
    nextStep: 'Use the release in effect; a lower counter is never accepted.',
    overrideBy: 'nobody',
  },
  'LS-205': {
    operatorText: 'Wrong product for this station',
    cause: 'No effectivity rule covers this product, hardware version or work order here.',
    nextStep: 'Check the work order and the label; change the station over if needed.',
    overrideBy: 'supervisor',
  },
  'LS-206': {
    operatorText: 'Order quantity is reached',
    cause: 'The effectivity rule allows no further unit.',
    nextStep: 'Stop the order; operations must issue a new effectivity.',
    overrideBy: 'nobody',
  },
  'LS-207': {
    operatorText: 'Firmware is not made for this line',
    cause: 'The line makes other classes of releases than this one, for example production and not debug.',
    nextStep: 'Ask for a production release; debug releases belong on a bench.',
    overrideBy: 'nobody',
  },
  'LS-301': {
    operatorText: 'Station clock is wrong',
    cause: 'The clock went back, or differs too much from the line server and the last evidence.',
    nextStep: 'Repair time synchronisation, then start the station again.',
    overrideBy: 'process engineer',
  },
  'LS-302': {
    operatorText: 'Records cannot be stored',
    cause: 'A record could not be made durable.',
    nextStep: 'Free space or repair the disk; the next unit is refused until records can be stored.',
    overrideBy: 'process engineer',
  },
  'LS-303': {
    operatorText: 'Record chain is broken',
    cause: 'A log head does not extend one seen before.',
    nextStep: 'Stop the line and tell the security officer; keep every disk as it is.',
    overrideBy: 'nobody',
  },
  'LS-304': {
    operatorText: 'Signing device is missing',
    cause: 'The signing key cannot be reached.',
    nextStep: 'Insert the token or repair the connection.',
    overrideBy: 'process engineer',
  },
  'LS-401': {
    operatorText: 'Station software changed',
    cause: 'The measured station software is not the approved one.',
    nextStep: 'Rebuild the station, or have the change approved.',
    overrideBy: 'process engineer with approval',
  },
  'LS-402': {
    operatorText: 'Unknown USB device connected',
    cause: 'A device outside the policy is connected.',
    nextStep: 'Remove it; it stays on record.',
    overrideBy: 'supervisor',
  },
  'LS-403': {
    operatorText: 'Programmer is missing',
    cause: 'The programmer or the programming tool cannot be reached; nothing was sent to the device.',
    nextStep: 'Repair the connection to the programmer, then start the unit again.',
    overrideBy: 'process engineer',
  },
  'LS-501': {
    operatorText: 'Sign in with your own badge',
    cause: 'The operator session is missing, expired, or belongs to somebody else.',
    nextStep: 'Sign in with your own credential.',
    overrideBy: 'operator',
  },
  'LS-502': {
    operatorText: 'Station is not enrolled',
    cause: 'The request was not signed by a key enrolled as this station.',
    nextStep: 'Enrol the station key in the trusted root, or use the enrolled station.',
    overrideBy: 'security officer',
  },
  'LS-503': {
    operatorText: 'A line stop is open here',
    cause: 'An earlier line stop at this station has no disposition yet.',
    nextStep: 'A supervisor records a disposition for the open stop.',
    overrideBy: 'supervisor',
  },
  'LS-504': {
    operatorText: 'Permit does not cover this unit',
    cause: 'The permit is missing, ran out, was not issued by this line, or is for something else.',
    nextStep: 'Ask for a new permit; nothing was written yet.',
    overrideBy: 'automatic',
  },
  'LS-505': {
    operatorText: 'One number for two records',
    cause: 'The id of this record was used before with other content.',
    nextStep: 'The first record stands; the process engineer looks for a restored or copied station.',
    overrideBy: 'nobody',
  },
  'LS-506': {
    operatorText: 'Record is not acceptable',
    cause: 'A signed record breaks its format, or contradicts itself, its intent or its release.',
    nextStep: 'The process engineer checks the station software.',
    overrideBy: 'nobody',
  },
  'LS-507': {
    operatorText: 'This decision is not allowed',
    cause: 'The person may not decide, the action does not fit the code, or nothing waits for a decision.',
    nextStep: 'A supervisor, not the operator, decides with an action listed for the code.',
    overrideBy: 'nobody',
  },
  'LS-601': {
    operatorText: 'Three failures in a row',
    cause: 'One station failed three units one after the other.',
    nextStep: 'Check fixture, cable and programmer before going on.',
    overrideBy: 'supervisor',
  },
} as const satisfies ReasonCodeTable;
