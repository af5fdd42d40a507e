// SPDX-License-Identifier: Apache-2.0
/** Everybody who holds a key in the simulated factory, with real keys, and the trusted root that lists them. */
import {
  encodeBase64,
  formatInstant,
  formatNoteVerifierKey,
  type Instant,
  type SignatureScheme,
} from '@witnessmark/core';
import type { KeyRole, TrustedRoot } from '@witnessmark/attestation';
import { generateSoftwareKey, NoteSigner, type KeyAgreement, type Signer } from '@witnessmark/custody';

export const PLANT = 'PEN';
export const LINE = 'L3';
export const STATIONS = ['ST-07', 'ST-08'] as const;
export type StationName = (typeof STATIONS)[number];
const LOG_ORIGIN = 'log.example/pen/l3';

const YEAR_MS = 365 * 24 * 3_600_000;

export interface Person {
  readonly role: KeyRole;
  readonly owner: string;
  readonly scope: string;
  readonly key: Signer;
}

export interface People {
  readonly line: Person;
  readonly stations: Readonly<Record<StationName, Person>>;
  readonly operators: Readonly<Record<StationName, Person>>;
  readonly supervisor: Person;
  readonly author: Person;
  readonly approvers: readonly [Person, Person, Person];
  readonly log: NoteSigner;
  /** TUF keys that no person signs with. */
  readonly online: Signer;
  readonly effectivity: Signer;
  /** What releases are sealed to; without it they are published in clear. */
  readonly unsealing?: KeyAgreement;
}

type KeyMaker = (name: string, scheme: SignatureScheme) => Signer;

/** People with fresh keys, unless `makeKey` gives them others. */
export function hirePeople(makeKey: KeyMaker = (_, scheme) => generateSoftwareKey(scheme)): People {
  const hire = (role: KeyRole, owner: string, scope: string): Person => {
    return { role, owner, scope, key: makeKey(`${role} ${owner}`, 'ecdsa-sha2-nistp256') };
  };
  return {
    line: hire('evidence', LINE, LINE),
    stations: { 'ST-07': hire('station', 'ST-07', LINE), 'ST-08': hire('station', 'ST-08', LINE) },
    operators: { 'ST-07': hire('operator', 'op-3310', LINE), 'ST-08': hire('operator', 'op-4471', LINE) },
    supervisor: hire('supervisor', 'sv-07', LINE),
    author: hire('author', 'a.meyer', 'engineering'),
    approvers: [
      hire('approver', 'b.okafor', 'release'),
      hire('approver', 'c.lind', 'security'),
      hire('approver', 'd.sato', 'quality'),
    ],
    log: new NoteSigner(LOG_ORIGIN, makeKey('log', 'ed25519')),
    online: makeKey('online', 'ecdsa-sha2-nistp256'),
    effectivity: makeKey('effectivity', 'ecdsa-sha2-nistp256'),
  };
}

export function toTrustedRoot(people: People, now: Instant): TrustedRoot {
  const validity = { validFrom: formatInstant(now - YEAR_MS), validUntil: formatInstant(now + 5 * YEAR_MS) };
  const { line, stations, operators, supervisor, author, approvers } = people;
  const members = [line, ...Object.values(stations), ...Object.values(operators), supervisor, author, ...approvers];
  const { unsealing } = people;
  const sealing =
    unsealing === undefined ? [] : [{ role: 'unsealing' as const, owner: LINE, scope: LINE, key: unsealing }];
  return {
    mediaType: 'application/vnd.witnessmark.trusted-root.v1+json',
    name: 'simulated factory',
    version: 1,
    logs: [{ verifierKey: formatNoteVerifierKey(people.log.verifierKey), owner: LINE, ...validity }],
    witnesses: [],
    keys: [...members, ...sealing].map(({ role, owner, scope, key }) => ({
      role,
      publicKey: encodeBase64(key.publicKey.spki),
      owner,
      scope,
      custody: key.custody,
      ...validity,
    })),
    certificateAuthorities: [],
    revocations: [],
  };
}
