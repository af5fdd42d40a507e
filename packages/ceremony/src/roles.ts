// SPDX-License-Identifier: Apache-2.0
/** Who takes part in a ceremony, and who may not be whom. One person has one role: each of them watches the others. */
import { decodeBase64, RefusedError, sha256Hex } from '@witnessmark/core';

export const ROLES = ['administrator', 'holder', 'witness', 'auditor'] as const;
export type Role = (typeof ROLES)[number];

export const MAX_HOLDERS = 8;

/** A role, and for holders which of them: `holder-1` is the first person named as holder. */
export type PersonRef = 'administrator' | 'witness' | 'auditor' | `holder-${number}`;

export const PERSON_REF = /^(?:administrator|witness|auditor|holder-[1-8])$/;

export interface Participant {
  /** As in the owners of the trusted root. */
  readonly id: string;
  readonly role: Role;
  /** SubjectPublicKeyInfo in base64 of the key this person will sign the transcript with; administrator and witness must. */
  readonly publicKey: string | null;
}

/** What a script demands of the room. */
export interface RoleDemand {
  readonly holders: number;
  readonly auditor: boolean;
}

/**
 * Whether these people may hold this ceremony: one administrator, one witness, the holders the script wants, all of them
 * different people with different keys. Throws CE-104 or CE-105.
 */
export function checkParticipants(people: readonly Participant[], demand: RoleDemand): void {
  const count = (role: Role): number => people.filter((person) => person.role === role).length;
  for (const role of ['administrator', 'witness'] as const) {
    if (count(role) !== 1) throw missing(`a ceremony has one ${role}, ${count(role)} are named`);
  }
  if (count('holder') !== demand.holders) {
    throw missing(`the script wants ${demand.holders} holders, ${count('holder')} are named`);
  }
  const auditors = count('auditor');
  if (auditors > 1 || (demand.auditor && auditors === 0)) {
    throw missing(`the script wants ${demand.auditor ? 'an' : 'at most one'} auditor, ${auditors} are named`);
  }
  const [double] = repeated(people.map(({ id }) => id));
  if (double !== undefined) throw new RefusedError('CE-105', `${double} is named for two roles`);
  for (const { id, role, publicKey } of people) {
    if (publicKey === null && (role === 'administrator' || role === 'witness')) {
      throw missing(`the ${role} ${id} has no key to sign the transcript with`);
    }
  }
  const keys = people.flatMap(({ publicKey }) => (publicKey === null ? [] : [sha256Hex(decodeBase64(publicKey))]));
  const [shared] = repeated(keys);
  if (shared !== undefined) throw new RefusedError('CE-105', `two people would sign with one key ${shared}`);
}

/** The person a reference means; null when nobody has that role here. */
export function findParticipant(people: readonly Participant[], ref: PersonRef): Participant | null {
  const ordinal = /^holder-([1-8])$/.exec(ref)?.[1];
  if (ordinal === undefined) return people.find(({ role }) => role === ref) ?? null;
  return people.filter(({ role }) => role === 'holder')[Number(ordinal) - 1] ?? null;
}

function repeated(values: readonly string[]): string[] {
  return values.filter((value, index) => values.indexOf(value) !== index);
}

function missing(detail: string): RefusedError {
  return new RefusedError('CE-104', detail);
}
