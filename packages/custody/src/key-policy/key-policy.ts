// SPDX-License-Identifier: Apache-2.0
/**
 * Every key of the system as data: what it is for, who holds it, how it is made, what it may do, what its loss means.
 * docs/keys.md is generated from it, keys are made from it, and every start reads the attributes back against it.
 */
import type { SignatureScheme } from '@witnessmark/core';
import type { CustodyGrade } from '../grade.ts';
import type { AttributeTemplate } from './attributes.ts';

export interface PivPolicy {
  /** `9c`: the PIN is needed for each signature. */
  readonly slot: '9c';
  readonly pinPolicy: 'never' | 'once' | 'always';
  readonly touchPolicy: 'never' | 'always' | 'cached';
}

export interface KeyPolicy {
  readonly name: string;
  readonly purpose: string;
  readonly holder: string;
  readonly usedBy: string;
  readonly token: 'hsm' | 'pivCard';
  /** CKA_LABEL; on a card the driver gives it. */
  readonly label: string;
  /** CKA_ID, hexadecimal. */
  readonly id: string;
  readonly scheme: SignatureScheme;
  /** Exactly what every read-back must show. */
  readonly privateKey: AttributeTemplate;
  readonly publicKey: AttributeTemplate;
  readonly piv: PivPolicy | null;
  readonly minimumGrade: CustodyGrade;
  readonly ceremony: string;
  readonly cryptoperiod: string;
  readonly onLoss: string;
  readonly onCompromise: string;
}

const HSM_PRIVATE_KEY: AttributeTemplate = {
  CKA_TOKEN: true,
  CKA_PRIVATE: true,
  CKA_MODIFIABLE: false,
  CKA_SENSITIVE: true,
  CKA_EXTRACTABLE: false,
  CKA_LOCAL: true,
  CKA_ALWAYS_SENSITIVE: true,
  CKA_NEVER_EXTRACTABLE: true,
  CKA_SIGN: true,
  CKA_SIGN_RECOVER: false,
  CKA_DECRYPT: false,
  CKA_UNWRAP: false,
  CKA_DERIVE: false,
};

const HSM_PUBLIC_KEY: AttributeTemplate = {
  CKA_TOKEN: true,
  CKA_PRIVATE: false,
  CKA_MODIFIABLE: false,
  CKA_VERIFY: true,
  CKA_VERIFY_RECOVER: false,
  CKA_ENCRYPT: false,
  CKA_WRAP: false,
  CKA_DERIVE: false,
};

/** A key that agrees on keys does nothing else: what it would sign could be taken for a statement. */
const HSM_AGREEMENT_KEY = {
  privateKey: { ...HSM_PRIVATE_KEY, CKA_SIGN: false, CKA_DERIVE: true },
  publicKey: { ...HSM_PUBLIC_KEY, CKA_VERIFY: false },
} as const;

/** What OpenSC says of a PIV key is what its driver assumes; the evidence is the card's attestation. */
const PIV_PRIVATE_KEY: AttributeTemplate = {
  CKA_TOKEN: true,
  CKA_PRIVATE: true,
  CKA_SENSITIVE: true,
  CKA_EXTRACTABLE: false,
  CKA_LOCAL: true,
  CKA_ALWAYS_SENSITIVE: true,
  CKA_NEVER_EXTRACTABLE: true,
  CKA_ALWAYS_AUTHENTICATE: true,
  CKA_SIGN: true,
  CKA_DECRYPT: false,
  CKA_UNWRAP: false,
  CKA_DERIVE: false,
};

const PIV_PUBLIC_KEY: AttributeTemplate = { CKA_TOKEN: true, CKA_VERIFY: true, CKA_ENCRYPT: false, CKA_WRAP: false };

const ON_HSM = {
  token: 'hsm',
  privateKey: HSM_PRIVATE_KEY,
  publicKey: HSM_PUBLIC_KEY,
  piv: null,
  minimumGrade: 'selfReported',
  ceremony: 'HSM initialisation',
} as const;

const ON_CARD = {
  token: 'pivCard',
  label: 'SIGN key',
  id: '02',
  scheme: 'ecdsa-sha2-nistp256',
  privateKey: PIV_PRIVATE_KEY,
  publicKey: PIV_PUBLIC_KEY,
  piv: { slot: '9c', pinPolicy: 'always', touchPolicy: 'always' },
  minimumGrade: 'vendorAttested',
} as const;

export const KEY_POLICIES: readonly KeyPolicy[] = [
  {
    ...ON_CARD,
    name: 'trust-root',
    purpose: 'Signs the root of the release repository, which names every other key. Three holders, two must sign.',
    holder: 'one of three root key holders, card in a sealed bag',
    usedBy: 'the holder, in a ceremony',
    ceremony: 'trust root; root rotation',
    cryptoperiod: '5 years',
    onLoss: 'The other two rotate the root; a second loss before that ends the repository.',
    onCompromise: 'One stolen card signs nothing alone. Rotate the root at once; look for a root nobody remembers.',
  },
  {
    ...ON_CARD,
    name: 'release-approval',
    purpose: 'Approves a release: signs the approval and the targets metadata. Three approvers, two must sign.',
    holder: 'one of three named approvers, card on the person',
    usedBy: 'the approver, for one digest after reviewing it',
    ceremony: 'card issue and loss',
    cryptoperiod: '2 years',
    onLoss: 'The card is revoked in the root and replaced; releases approved before stay approved.',
    onCompromise:
      'One stolen card promotes nothing alone. Revoke it; review every approval it made since it was last seen.',
  },
  {
    ...ON_HSM,
    name: 'release-online',
    label: 'release-online',
    id: '10',
    scheme: 'ecdsa-sha2-nistp256',
    purpose: 'Signs snapshot and timestamp of the release repository, so that stations notice a frozen mirror.',
    holder: 'custody process of the office',
    usedBy: 'the promotion gate, after the approvals are complete',
    cryptoperiod: '1 year',
    onLoss: 'No new timestamp: stations refuse releases once the last one has run out. Rotate in the root.',
    onCompromise:
      'Old but approved releases can be shown as current. Rotate in the root; nothing unapproved can be added.',
  },
  {
    ...ON_HSM,
    name: 'release-effectivity',
    label: 'release-effectivity',
    id: '15',
    scheme: 'ecdsa-sha2-nistp256',
    purpose: 'Says which approved release applies where, from when, until when and how often. Approves nothing.',
    holder: 'custody process of the office',
    usedBy: 'operations, through the promotion gate',
    cryptoperiod: '1 year',
    onLoss: 'What is in effect stays so until it runs out. The targets role delegates to a new key.',
    onCompromise:
      'Approved releases can be put into effect where they do not belong. Delegate to a new key; nothing unapproved can be added.',
  },
  {
    ...ON_HSM,
    name: 'line-evidence',
    label: 'line-evidence',
    id: '11',
    scheme: 'ecdsa-sha2-nistp256',
    purpose: 'Countersigns what stations and operators signed, and signs permits and refusals.',
    holder: 'custody process of the line',
    usedBy: 'the line server, for statements it has admitted',
    cryptoperiod: '1 year',
    onLoss: 'The line stops. A new key is named in the trusted root; records made before stay valid.',
    onCompromise:
      'Records can be forged from then on, and are found by reconciliation and by missing log entries. Revoke with the date.',
  },
  {
    ...ON_HSM,
    name: 'log-checkpoint',
    label: 'log-checkpoint',
    id: '12',
    scheme: 'ed25519',
    purpose: 'Signs the checkpoints of the evidence log.',
    holder: 'custody process of the line',
    usedBy: 'the log, for each batch that is durable',
    cryptoperiod: '2 years',
    onLoss: 'The log is closed at its last checkpoint and continued under a new origin.',
    onCompromise: 'A second history could be signed; witnesses and shown heads prove which one was first.',
  },
  {
    ...ON_HSM,
    name: 'device-ca',
    label: 'device-ca',
    id: '13',
    scheme: 'ecdsa-sha2-nistp256',
    purpose: 'Issues the certificates of devices programmed on this line.',
    holder: 'custody process of the line',
    usedBy: 'the certificate authority, for a session that holds a permit',
    ceremony: 'device CA',
    cryptoperiod: '3 years for issuing',
    onLoss: 'No new devices until another issuing key is certified; devices in the field are not affected.',
    onCompromise:
      'Devices can be invented. Revoke the CA from the date; genuine ones are told apart by their log entries.',
  },
  {
    ...ON_HSM,
    ...HSM_AGREEMENT_KEY,
    name: 'line-unsealing',
    label: 'line-unsealing',
    id: '14',
    scheme: 'ecdsa-sha2-nistp256',
    purpose: 'Opens the content keys of release images that are sealed to the line. Signs nothing.',
    holder: 'the line, in its HSM',
    usedBy: 'the line server, for a unit with a permit, after the unsealing is in the log',
    cryptoperiod: '1 year',
    onLoss: 'Sealed releases cannot be programmed until they are promoted again for another key.',
    onCompromise:
      'Whoever has it and a copy of the repository reads every image sealed to it. Revoke it in the trusted root, seal what follows to a new key.',
  },
  {
    ...ON_HSM,
    name: 'station',
    label: 'station',
    id: '16',
    scheme: 'ecdsa-sha2-nistp256',
    purpose: 'Signs what a station did and saw: intents, events, refusals, measurements of itself.',
    holder: 'the station, in its token or TPM',
    usedBy: 'the station program',
    ceremony: 'station enrolment',
    cryptoperiod: '2 years',
    onLoss: 'The station is retired and enrolled again with a new key; records made before stay valid.',
    onCompromise:
      'False observations can be reported under its name, from its own connection only. Revoke it with the date; look for a second machine.',
  },
  {
    ...ON_HSM,
    name: 'station-connection',
    label: 'station-connection',
    id: '17',
    scheme: 'ecdsa-sha2-nistp256',
    purpose: "Authenticates a station's connection to its line (TLS client). Signs no statement.",
    holder: 'the station, in the same token or TPM as its station key',
    usedBy: 'the station program, for each connection',
    ceremony: 'station enrolment',
    cryptoperiod: '1 year, the life of its certificate',
    onLoss: 'The station does not reach its line until it is enrolled again.',
    onCompromise:
      'Somebody else can connect as this station, and say nothing in its name without the station key. Enrol again with new keys.',
  },
];

/** Whether a policy's key agrees on keys instead of signing. */
export function isAgreementKey({ privateKey }: Pick<KeyPolicy, 'privateKey'>): boolean {
  return privateKey.CKA_DERIVE === true;
}

/** Throws `TypeError` for a name that no policy has. */
export function keyPolicy(name: string): KeyPolicy {
  const policy = KEY_POLICIES.find((candidate) => candidate.name === name);
  if (policy === undefined) throw new TypeError(`there is no key policy ${name}`);
  return policy;
}
