// SPDX-License-Identifier: Apache-2.0
/** Metadata that waits for its signatures: people sign its canonical bytes where their keys are, one after the other. */
import { Signature, type Metadata, type Root, type Targets } from '@tufjs/models';
import {
  encodeHex,
  equalBytes,
  parseInstant,
  RefusedError,
  sha256Hex,
  type Bytes,
  type Instant,
  type PublicKey,
} from '@witnessmark/core';
import { formatMetadata, parseMetadata, parseRoot, parseTargets, signedBytes, type AnySigned } from './metadata.ts';
import { toTufKey } from './tuf-key.ts';

/** A handle to a key; what custody calls a signer. P-256 signatures are DER. */
export interface MetadataSigner {
  readonly publicKey: PublicKey;
  sign(message: Bytes): Promise<Bytes>;
}

/** The keys that sign without asking people. */
export interface RepositorySigners {
  /** Snapshot and timestamp. */
  readonly online: MetadataSigner;
  readonly effectivity: MetadataSigner;
}

export interface StagedMetadata {
  readonly role: 'root' | 'targets';
  readonly version: number;
  readonly expiresAt: Instant;
  /** The metadata file, without signatures. */
  readonly document: Bytes;
  /** What every signature covers: the canonical JSON of the document's `signed`. */
  readonly signedBytes: Bytes;
  /** SHA-256 of `signedBytes`, lower-case hexadecimal. */
  readonly digest: string;
}

/** A signature as TUF writes it. */
export interface MetadataSignature {
  readonly keyid: string;
  /** Lower-case hexadecimal. */
  readonly sig: string;
}

export interface SignedMetadata {
  readonly staged: StagedMetadata;
  readonly signatures: readonly MetadataSignature[];
}

/** Reads staged metadata from the bytes of `document`; throws as the readers of metadata do. */
export function parseStagedMetadata(role: StagedMetadata['role'], document: Bytes): StagedMetadata {
  const metadata = parseMetadata(role, document);
  if (Object.keys(metadata.signatures).length > 0 || !equalBytes(formatMetadata(metadata), document)) {
    throw new RefusedError('TR-109', `the staged ${role} metadata is not written as we write it`);
  }
  return toStagedMetadata(role, metadata as Metadata<Root> | Metadata<Targets>);
}

export function toStagedMetadata(
  role: StagedMetadata['role'],
  metadata: Metadata<Root> | Metadata<Targets>,
): StagedMetadata {
  const bytes = signedBytes(metadata);
  return {
    role,
    version: metadata.signed.version,
    expiresAt: parseInstant(metadata.signed.expires),
    document: formatMetadata(metadata),
    signedBytes: bytes,
    digest: sha256Hex(bytes),
  };
}

export async function signStagedMetadata(staged: StagedMetadata, signer: MetadataSigner): Promise<MetadataSignature> {
  return signBytes(staged.signedBytes, signer);
}

/** Signs metadata in place, with keys that are at hand, and returns it. */
export async function signMetadata<M extends Metadata<AnySigned>>(
  metadata: M,
  signers: readonly MetadataSigner[],
): Promise<M> {
  const bytes = signedBytes(metadata);
  for (const signer of signers) addSignatures(metadata, [await signBytes(bytes, signer)]);
  return metadata;
}

export function assembleRoot({ staged, signatures }: SignedMetadata): Metadata<Root> {
  return addSignatures(parseRoot(staged.document), signatures);
}

export function assembleTargets({ staged, signatures }: SignedMetadata): Metadata<Targets> {
  return addSignatures(parseTargets(staged.document), signatures);
}

async function signBytes(bytes: Bytes, signer: MetadataSigner): Promise<MetadataSignature> {
  return { keyid: toTufKey(signer.publicKey).keyID, sig: encodeHex(await signer.sign(bytes)) };
}

/** A key's later signature replaces its earlier one. */
function addSignatures<M extends Metadata<AnySigned>>(metadata: M, signatures: readonly MetadataSignature[]): M {
  for (const { keyid, sig } of signatures) metadata.signatures[keyid] = new Signature({ keyID: keyid, sig });
  return metadata;
}
