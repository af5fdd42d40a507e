// SPDX-License-Identifier: Apache-2.0
/**
 * `trusted-root.json`: every key a verifier, line or station may trust, with role, owner and validity (spec/trusted-root.md).
 * It comes from the relying party's own side, or as a TUF target, never from evidence.
 */
import {
  CUSTODY_GRADES,
  decodeBase64,
  parseInstant,
  parseNoteVerifierKey,
  parsePublicKey,
  type Bytes,
  type CustodyGrade,
  type Instant,
  type NoteVerifierKey,
  type PublicKey,
} from '@witnessmark/core';
import { z } from 'zod';
import { AttestationError } from '../error.ts';
import { identifier, instantText, sha256Text } from '../fields.ts';
import { formatDocument, parseDocument } from './document.ts';

const validity = { validFrom: instantText, validUntil: instantText.nullable() };
/** SubjectPublicKeyInfo, DER, in standard base64. */
const spki = z.string().min(1).max(256);
const noteKey = z.strictObject({ verifierKey: z.string().min(1).max(512), owner: identifier, ...validity });

/** What a key's signature may mean; an `unsealing` key signs nothing, images are sealed to it. One key has one role. */
export const KEY_ROLES = ['evidence', 'station', 'operator', 'supervisor', 'author', 'approver', 'unsealing'] as const;
export type KeyRole = (typeof KEY_ROLES)[number];

export const CUSTODY_KINDS = ['hardware', 'software'] as const;

/** What is known about how a key is kept. */
const keeping = {
  custody: z.enum(CUSTODY_KINDS),
  /** How the custody claim came to be known; absent, somebody says so. */
  custodyGrade: z.enum(CUSTODY_GRADES).optional(),
  /** Made in a rehearsal, to be thrown away. */
  rehearsal: z.literal(true).optional(),
};

const roleKey = z.strictObject({
  role: z.enum(KEY_ROLES),
  publicKey: spki,
  /** The person, station or line that holds the key; thresholds count owners. */
  owner: identifier,
  /** For approvers `release`, `security` or `quality`; for stations and lines the line they belong to. */
  scope: identifier,
  ...keeping,
  /** The token the key lives in; a threshold counts tokens as well as owners. */
  token: z.strictObject({ label: identifier, serial: identifier }).optional(),
  ...validity,
});

/** What the keys of the trust repository sign, beside statements. */
export const HOLDER_USES = ['root', 'targets', 'online', 'effectivity'] as const;
export type HolderUse = (typeof HOLDER_USES)[number];

/** Who holds the keys of the trust repository, and how many of them each of its roots asks for. */
const repositoryKeys = z.strictObject({
  roots: z
    .array(
      z.strictObject({
        version: z.int().min(1),
        rootThreshold: z.int().min(1).max(64),
        targetsThreshold: z.int().min(1).max(64),
      }),
    )
    .min(1)
    .max(256),
  holders: z
    .array(
      z.strictObject({
        keyid: sha256Text,
        owner: identifier,
        uses: z.array(z.enum(HOLDER_USES)).min(1).max(4),
        ...keeping,
      }),
    )
    .max(64),
});

export const trustedRootSchema = z.strictObject({
  mediaType: z.literal('application/vnd.witnessmark.trusted-root.v1+json'),
  name: identifier,
  version: z.int().min(1),
  logs: z.array(noteKey).max(32),
  witnesses: z.array(noteKey).max(32),
  keys: z.array(roleKey).max(10_000),
  certificateAuthorities: z
    .array(z.strictObject({ certificate: z.string().max(16_384), owner: identifier, ...validity }))
    .max(64),
  revocations: z
    .array(z.strictObject({ keyid: z.string().regex(/^[0-9a-f]{64}$/), revokedAt: instantText, reason: identifier }))
    .max(10_000),
  repository: repositoryKeys.optional(),
});

export type TrustedRoot = z.infer<typeof trustedRootSchema>;
export type TrustedRootKey = z.infer<typeof roleKey>;
export type TrustRepositoryKeys = z.infer<typeof repositoryKeys>;

/** A key of the trusted root, decoded and vetted. */
export interface TrustedKey {
  readonly role: KeyRole;
  readonly owner: string;
  readonly scope: string;
  readonly custody: (typeof CUSTODY_KINDS)[number];
  /** `asserted` where the document does not say. */
  readonly custodyGrade: CustodyGrade;
  readonly isRehearsal: boolean;
  /** Null where the document does not say. */
  readonly token: { readonly label: string; readonly serial: string } | null;
  readonly key: PublicKey;
  readonly validFrom: Instant;
  /** Exclusive; revocation cuts it short. */
  readonly validUntil: Instant;
}

/** A log's or witness's key of the trusted root, decoded and vetted. */
export interface TrustedNoteKey {
  readonly owner: string;
  readonly key: NoteVerifierKey;
  readonly validFrom: Instant;
  /** Exclusive; revocation cuts it short. */
  readonly validUntil: Instant;
}

export function parseTrustedRoot(bytes: Bytes): TrustedRoot {
  return parseDocument(trustedRootSchema, bytes);
}

export function formatTrustedRoot(root: TrustedRoot): Bytes {
  return formatDocument(trustedRootSchema, root);
}

/**
 * Decodes the role keys; throws the `ERR_KEY_*` codes of a degenerate key, and `ERR_DOCUMENT_FORMAT` when one key is
 * listed twice: it would count as two owners, or mean two things.
 */
export function toTrustedKeys(root: TrustedRoot): readonly TrustedKey[] {
  const revokedAt = revocationTimes(root);
  const keys = root.keys.map((entry): TrustedKey => {
    const key = parsePublicKey(decodeBase64(entry.publicKey));
    const end = entry.validUntil === null ? Infinity : parseInstant(entry.validUntil);
    return {
      role: entry.role,
      owner: entry.owner,
      scope: entry.scope,
      custody: entry.custody,
      custodyGrade: entry.custodyGrade ?? 'asserted',
      isRehearsal: entry.rehearsal === true,
      token: entry.token ?? null,
      key,
      validFrom: parseInstant(entry.validFrom),
      validUntil: Math.min(end, revokedAt.get(key.keyid) ?? Infinity),
    };
  });
  refuseRepeated(keys.map(({ key }) => key.keyid));
  return keys;
}

/** Decodes the log or witness keys of a trusted root; throws as {@link toTrustedKeys} does. */
export function toTrustedNoteKeys(root: TrustedRoot, use: 'logs' | 'witnesses'): readonly TrustedNoteKey[] {
  const revokedAt = revocationTimes(root);
  const keys = root[use].map((entry): TrustedNoteKey => {
    const key = parseNoteVerifierKey(entry.verifierKey);
    const end = entry.validUntil === null ? Infinity : parseInstant(entry.validUntil);
    return {
      owner: entry.owner,
      key,
      validFrom: parseInstant(entry.validFrom),
      validUntil: Math.min(end, revokedAt.get(key.publicKey.keyid) ?? Infinity),
    };
  });
  refuseRepeated(keys.map(({ key }) => key.publicKey.keyid));
  return keys;
}

export function isValidAt(key: Pick<TrustedKey, 'validFrom' | 'validUntil'>, instant: Instant): boolean {
  return key.validFrom <= instant && instant < key.validUntil;
}

/** The earliest revocation of each key. */
function revocationTimes(root: TrustedRoot): ReadonlyMap<string, Instant> {
  const times = new Map<string, Instant>();
  for (const { keyid, revokedAt } of root.revocations) {
    times.set(keyid, Math.min(times.get(keyid) ?? Infinity, parseInstant(revokedAt)));
  }
  return times;
}

function refuseRepeated(keyids: readonly string[]): void {
  if (new Set(keyids).size === keyids.length) return;
  throw new AttestationError('ERR_DOCUMENT_FORMAT', 'the trusted root lists one key twice');
}
