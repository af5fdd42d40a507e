// SPDX-License-Identifier: Apache-2.0
/** The statement that travels with an export, by which the other side knows what was sent, and by whom. */
import {
  MEDIA_EXPORT_ROLES,
  mediaTransfer,
  parseStatement,
  type MediaTransfer,
  type TrustedKey,
} from '@witnessmark/attestation';
import {
  MAX_ENVELOPE_BYTES,
  parseEnvelope,
  parseInstant,
  sha256Hex,
  WitnessmarkError,
  type Bytes,
} from '@witnessmark/core';
import { findSignerKey } from '../people.ts';
import { RefusedFile } from '../refused-file.ts';

/** At the top of an exported directory; the only file that is not part of its tree digest. */
export const BATCH_FILE = 'MEDIA.dsse.json';

export interface Batch {
  readonly predicate: MediaTransfer;
  /** Tree digest of what was exported. */
  readonly treeDigest: string;
  /** SHA-256 of the statement's payload. */
  readonly digest: string;
}

/** Reads and verifies the statement of an export; throws BX-117. */
export function readBatch(bytes: Bytes, keys: readonly TrustedKey[]): Batch {
  try {
    if (bytes.length > MAX_ENVELOPE_BYTES) throw refused('it is too large');
    const envelope = parseEnvelope(bytes);
    const statement = parseStatement(mediaTransfer, envelope.payload);
    const { predicate } = statement;
    const key = findSignerKey(envelope, keys, MEDIA_EXPORT_ROLES, parseInstant(predicate.transferredAt));
    if (key === null) throw refused('no enrolled person signed it');
    if (key.owner !== predicate.person.id) throw refused(`it says ${predicate.person.id} and ${key.owner} signed it`);
    if (predicate.direction !== 'export' || predicate.result !== 'accepted') throw refused('it is no accepted export');
    return { predicate, treeDigest: statement.subject[0].digest.sha256, digest: sha256Hex(envelope.payload) };
  } catch (cause) {
    if (cause instanceof RefusedFile || !(cause instanceof WitnessmarkError)) throw cause;
    throw refused(cause.message, cause);
  }
}

function refused(what: string, cause?: unknown): RefusedFile {
  return new RefusedFile('BX-117', BATCH_FILE, what, cause);
}
