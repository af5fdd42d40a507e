// SPDX-License-Identifier: Apache-2.0
/** The keys of the trusted root that a station believes, prepared once. */
import type { Instant, NoteVerifierKey, PublicKey } from '@witnessmark/core';
import {
  isValidAt,
  toTrustedKeys,
  toTrustedNoteKeys,
  type KeyRole,
  type TrustedKey,
  type TrustedNoteKey,
  type TrustedRoot,
} from '@witnessmark/attestation';

export class LineTrust {
  /** Every key with a role, for whoever judges releases. */
  readonly keys: readonly TrustedKey[];
  readonly #line: string;
  readonly #logs: readonly TrustedNoteKey[];

  /** Throws the `ERR_KEY_*` and `ERR_NOTE_VERIFIER_KEY` codes of a key that cannot be believed. */
  constructor(root: TrustedRoot, line: string) {
    this.keys = toTrustedKeys(root);
    this.#line = line;
    this.#logs = toTrustedNoteKeys(root, 'logs');
  }

  /** The keys that countersign for this line. */
  evidenceKeys(at: Instant): readonly PublicKey[] {
    return this.#keysOf('evidence', at).flatMap(({ scope, key }) => (scope === this.#line ? [key] : []));
  }

  /** The keys that ever countersigned for this line: what is on record stays on record when they have run out. */
  get everyEvidenceKey(): readonly PublicKey[] {
    return this.keys.flatMap(({ role, scope, key }) => (role === 'evidence' && scope === this.#line ? [key] : []));
  }

  /** The keys of an operator that are valid then. */
  operatorKeys(operatorId: string, at: Instant): readonly PublicKey[] {
    return this.#keysOf('operator', at).flatMap(({ owner, key }) => (owner === operatorId ? [key] : []));
  }

  /** The keys a supervisor ever had: what was registered with one stays registered when it has run out. */
  supervisorKeys(supervisorId: string): readonly PublicKey[] {
    return this.keys.flatMap(({ role, owner, key }) => (role === 'supervisor' && owner === supervisorId ? [key] : []));
  }

  logKeys(at: Instant): readonly NoteVerifierKey[] {
    return this.#logs.filter((log) => isValidAt(log, at)).map(({ key }) => key);
  }

  #keysOf(role: KeyRole, at: Instant): readonly TrustedKey[] {
    return this.keys.filter((entry) => entry.role === role && isValidAt(entry, at));
  }
}
