// SPDX-License-Identifier: Apache-2.0
/** Statements as the tests' people sign them. */
import { sha256Hex, STATEMENT_PAYLOAD_TYPE, type Envelope } from '@witnessmark/core';
import { buildStatement, type PredicateDefinition } from '@witnessmark/attestation';
import { signEnvelope, type Signer } from '@witnessmark/custody';
import { CAST, type Name } from './cast.ts';

export interface Signed<T> {
  readonly envelope: Envelope;
  readonly predicate: T;
  readonly digest: string;
}

export async function signStatement<T>(
  definition: PredicateDefinition<T>,
  subject: { readonly name: string; readonly digest: { readonly sha256: string } },
  predicate: T,
  signers: readonly Signer[],
): Promise<Signed<T>> {
  const payload = buildStatement(definition, subject, predicate);
  const envelope = await signEnvelope(STATEMENT_PAYLOAD_TYPE, payload, signers);
  return { envelope, predicate, digest: sha256Hex(payload) };
}

/** About something that has no name of its own. */
export function signAs<T>(
  definition: PredicateDefinition<T>,
  sha256: string,
  predicate: T,
  by: readonly Name[],
): Promise<Signed<T>> {
  const signers = by.map((name) => CAST[name].key);
  return signStatement(definition, { name: 'subject', digest: { sha256 } }, predicate, signers);
}
