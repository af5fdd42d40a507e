// SPDX-License-Identifier: Apache-2.0
/**
 * What a message is signed for, as custody keeps account of it: the type of the statement, read from the very bytes that
 * are signed. Custody allows a client its purposes by these names, and reconciliation knows by them what must be logged.
 */
import { PREDICATE_TYPES } from '@witnessmark/attestation';
import type { Bytes } from '@witnessmark/core';

/** Checkpoints of a log; metadata of the trust repository. */
export const CHECKPOINT_PURPOSE = 'checkpoint';
export const METADATA_PURPOSE = 'tuf-metadata';
const OTHER_PURPOSE = 'other';

/** A quotation mark inside a value is escaped, so that these bytes stand before the type only. */
const MARK = Buffer.from(',"predicateType":"');
const MAX_TYPE_LENGTH = 256;
const NAMES: ReadonlyMap<string, string> = new Map(
  Object.values(PREDICATE_TYPES).map((type) => [type, type.split('/').at(-2) as string]),
);

/** Given a pre-authentication encoding; `other` when it holds no statement of ours. */
export function purposeOfStatement(message: Bytes): string {
  const bytes = Buffer.from(message.buffer, message.byteOffset, message.length);
  const at = bytes.indexOf(MARK);
  if (at < 0) return OTHER_PURPOSE;
  const type = bytes.toString('latin1', at + MARK.length, at + MARK.length + MAX_TYPE_LENGTH);
  return NAMES.get(type.slice(0, type.indexOf('"'))) ?? OTHER_PURPOSE;
}

/** Every statement, for whoever signs all of them. */
export const STATEMENT_PURPOSES: readonly string[] = [...NAMES.values()];

/** Every statement that is logged wherever it is signed; permits, their requests and answers to stations are not. */
const NOT_LOGGED: ReadonlySet<string> = new Set(['badge-sign-in', 'permit', 'permit-request', 'station-admission']);
export const LOGGED_PURPOSES: ReadonlySet<string> = new Set(
  [...NAMES.values()].filter((name) => !NOT_LOGGED.has(name)),
);
