// SPDX-License-Identifier: Apache-2.0
/** Which roles one person must not have at a time: who proposes, who approves and who operates are different people (LS-521). */
import { isValidAt, toTrustedKeys, type KeyRole, type TrustedRoot } from '@witnessmark/attestation';
import { RefusedError, type Instant } from '@witnessmark/core';

const ROLES_APART: ReadonlySet<KeyRole> = new Set(['author', 'approver', 'operator']);

/**
 * Throws LS-521 when somebody whom a change enrols would have two of these roles then; keys that ended by then do not
 * count. Who had two before is nobody's change now, and gets no session at a station.
 */
export function checkRolesApart(root: TrustedRoot, enrolled: ReadonlySet<string>, at: Instant): void {
  const roles = new Map<string, KeyRole>();
  for (const key of toTrustedKeys(root)) {
    if (!enrolled.has(key.owner) || !ROLES_APART.has(key.role) || !isValidAt(key, at)) continue;
    const other = roles.get(key.owner);
    if (other !== undefined && other !== key.role) {
      throw new RefusedError('LS-521', `${key.owner} would be ${other} and ${key.role}`);
    }
    roles.set(key.owner, key.role);
  }
}
