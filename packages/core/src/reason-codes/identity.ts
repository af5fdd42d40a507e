// SPDX-License-Identifier: Apache-2.0
import type { ReasonCodeTable } from './reason-code.ts';

/** Stations as machines: their enrolment, their connection to the line, their TPM. */
export const IDENTITY_CODES = {
  'ID-101': {
    operatorText: 'This station did not identify itself',
    cause: 'The line asks stations for a client certificate, and the connection has none.',
    nextStep: 'Enrol the station, install the answer, and name key and certificate in its configuration.',
    overrideBy: 'nobody',
  },
  'ID-102': {
    operatorText: 'Station certificate is not from this site',
    cause: 'The client certificate was not issued by the station authority of the line.',
    nextStep: 'Install the certificate from the answer to the enrolment; ask where this one comes from.',
    overrideBy: 'nobody',
  },
  'ID-103': {
    operatorText: 'Station certificate ran out',
    cause: 'The client certificate is not valid yet, or not any more.',
    nextStep: 'Check the clock first, then enrol the station again for a new certificate.',
    overrideBy: 'nobody',
  },
  'ID-104': {
    operatorText: 'Station certificate does not belong here',
    cause: 'The client certificate names no station, or one of another line or plant.',
    nextStep: 'Use the certificate that was issued for this station at this line.',
    overrideBy: 'nobody',
  },
  'ID-105': {
    operatorText: 'This station was retired or replaced',
    cause: 'The station key that the client certificate names is not in force in the trusted root.',
    nextStep: 'Use the station that took its place, or enrol this one again.',
    overrideBy: 'security officer',
  },
  'ID-106': {
    operatorText: 'Another station speaks for this one',
    cause: 'The statement is signed by one station and came over the connection of another.',
    nextStep: 'Find out how the key of one station came to another machine; keep both as they are.',
    overrideBy: 'nobody',
  },
  'ID-107': {
    operatorText: 'Station hardware is not the enrolled one',
    cause: 'Parts of the machine differ from those the station was enrolled with: a copied disk, or a repair.',
    nextStep: 'After a repair retire the station and enrol it with new keys; otherwise keep the machine and call.',
    overrideBy: 'nobody',
  },
  'ID-108': {
    operatorText: 'Connection to the line is not protected',
    cause: 'A line or station outside this machine was named without TLS.',
    nextStep: 'Give the line a certificate and the station its own, or stay on 127.0.0.1 for a trial.',
    overrideBy: 'nobody',
  },
  'ID-109': {
    operatorText: 'The line is not the expected one',
    cause: 'The certificate of the line server was not issued by its authority, ran out, or names another host.',
    nextStep: 'Send nothing; compare the address and the certificate authority with the work sheet.',
    overrideBy: 'nobody',
  },
  'ID-121': {
    operatorText: 'Enrolment request is not valid',
    cause: 'The request is not signed with the keys it enrols, or its parts do not belong together.',
    nextStep: 'Make the request again on the station and carry its new fingerprint on paper.',
    overrideBy: 'nobody',
  },
  'ID-122': {
    operatorText: 'Fingerprint is not that of the request',
    cause: 'The fingerprint from the paper belongs to other bytes than the request that was brought.',
    nextStep: 'Do not enrol. Print request and fingerprint again at the station, and find out who brought the other.',
    overrideBy: 'nobody',
  },
  'ID-123': {
    operatorText: 'Enrolment request is too old',
    cause: 'The request was made too long ago, or in the future.',
    nextStep: 'Make the request again on the station.',
    overrideBy: 'nobody',
  },
  'ID-124': {
    operatorText: 'Answer does not fit this station',
    cause: 'The answer belongs to another request, its certificate to another key, or nobody trusted signed it.',
    nextStep: 'Fetch the answer to the newest request of this station from the office.',
    overrideBy: 'nobody',
  },
  'ID-125': {
    operatorText: 'Trust root is not the one on paper',
    cause: 'The root brought to the station has another digest than the work sheet says.',
    nextStep: 'Do not set up the station with it. Fetch the root again and compare.',
    overrideBy: 'nobody',
  },
  'ID-131': {
    operatorText: 'TPM quote is not signed by this station',
    cause: 'The quote was not signed by the attestation key that the station was enrolled with.',
    nextStep: 'Keep the machine; a quote of another TPM was shown.',
    overrideBy: 'nobody',
  },
  'ID-132': {
    operatorText: 'TPM quote is not about this',
    cause: 'The quote was made for other data than the measurement it came with.',
    nextStep: 'Measure again; a quote shown twice is one that was kept.',
    overrideBy: 'nobody',
  },
  'ID-133': {
    operatorText: 'TPM registers are not those quoted',
    cause: 'The values shown do not give the digest the TPM signed, or a demanded register is missing.',
    nextStep: 'Measure again; if it persists, keep the machine and tell the security officer.',
    overrideBy: 'nobody',
  },
} as const satisfies ReasonCodeTable;
