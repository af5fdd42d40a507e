// SPDX-License-Identifier: Apache-2.0
/**
 * What a recipient does with a sealed debug bundle: verify who agreed to it, and for how long, before decrypting; verify every byte
 * before writing one.
 */
import type { DebugBundleProposal, DebugBundleSeal, TrustedKey } from '@witnessmark/attestation';
import { formatInstant, parseInstant, RefusedError, sha256Hex, type Bytes, type Clock } from '@witnessmark/core';
import { readArchive, type Member } from '../archive/archive.ts';
import { BytesSource } from '../archive/byte-source.ts';
import { nodeFiles, type BoundaryFiles } from '../files.ts';
import { Staging } from '../staging.ts';
import { decryptWith } from './age.ts';
import { BUNDLE_LIMITS } from './contents.ts';
import { parseStatements, readProposal, readSeal } from './statements.ts';
import { digestOfMark, WATERMARK_FILE } from './watermark.ts';

export interface OpenBundleRequest {
  readonly sealed: Bytes;
  /** The file that goes with it. */
  readonly statements: Bytes;
  /** The recipient's age identity. */
  readonly identity: string;
  readonly keys: readonly TrustedKey[];
  readonly clock: Clock;
  /** A directory that does not exist yet. */
  readonly destination: string;
  readonly files?: BoundaryFiles;
}

export interface OpenedBundle {
  readonly proposal: DebugBundleProposal;
  readonly recipient: string;
  readonly paths: readonly string[];
}

/**
 * Throws BX-144 when the statements do not authorise this file, BX-141 after its expiry, BX-142 for another key and BX-143 for
 * another content; in each case nothing is written.
 */
export async function openDebugBundle(request: OpenBundleRequest): Promise<OpenedBundle> {
  const { sealed, keys, clock, files = nodeFiles } = request;
  const [first, ...others] = parseStatements(request.statements);
  const proposal = readProposal(first, keys);
  const last = others.at(-1);
  if (last === undefined) throw new RefusedError('BX-144', 'there is no seal');
  const seal = readSeal(proposal, others.slice(0, -1), last, keys);
  const now = clock.now();
  if (now >= parseInstant(seal.predicate.expiresAt)) {
    throw new RefusedError('BX-141', `it was for use until ${seal.predicate.expiresAt}; it is ${formatInstant(now)}`);
  }
  const digest = sha256Hex(sealed);
  const file = seal.predicate.files.find((entry) => entry.digest.sha256 === digest);
  if (file === undefined) throw new RefusedError('BX-143', 'the seal lists no file with this digest');

  const members = await readMembers(await decryptWith(request.identity, sealed));
  checkMembers(members, proposal.predicate, file);
  const staging = await Staging.open(request.destination, files);
  for (const { path, content } of members) await staging.add(path, content);
  await staging.seal();
  await staging.publish();
  return { proposal: proposal.predicate, recipient: file.recipient, paths: members.map(({ path }) => path) };
}

async function readMembers(archive: Bytes): Promise<readonly Member[]> {
  const members: Member[] = [];
  for await (const member of readArchive(new BytesSource(archive), BUNDLE_LIMITS)) members.push(member);
  return members;
}

/** What was approved, the note with the watermark, and nothing else. */
function checkMembers(
  members: readonly Member[],
  proposal: DebugBundleProposal,
  { recipient, watermark }: DebugBundleSeal['files'][number],
): void {
  const expected = new Map(proposal.contents.map(({ path, digest }) => [path, digest.sha256]));
  for (const { path, content } of members) {
    const isExpected =
      path === WATERMARK_FILE ? digestOfMark(content) === watermark.sha256 : expected.get(path) === sha256Hex(content);
    if (!isExpected) throw new RefusedError('BX-143', `${path} is not what was sealed for ${recipient}`);
    expected.delete(path);
  }
  const [missing] = expected.keys();
  if (missing !== undefined) throw new RefusedError('BX-143', `${missing} was approved and is not in it`);
  if (members.length !== proposal.contents.length + 1) throw new RefusedError('BX-143', 'it has no watermark');
}
