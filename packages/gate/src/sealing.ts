// SPDX-License-Identifier: Apache-2.0
/**
 * Releases sealed to the line (spec/sealed-image.md). What the repository publishes is the envelope; what people approve is
 * the manifest, which names image and envelope by digest. The seed is kept beside the image, so that everybody who has
 * both makes the envelope again and compares.
 */
import { createHash } from 'node:crypto';
import { isValidAt, type ReleaseManifest, type SealedImage, type TrustedKey } from '@witnessmark/attestation';
import { RefusedError, type Bytes, type Instant, type PublicKey } from '@witnessmark/core';
import type { Chunks, TargetContent } from '@witnessmark/trust';
import type { Site, Workspace } from './workspace.ts';

type ImageContent = Omit<TargetContent, 'path'>;

export interface SealingOptions {
  /** `required`: no release is proposed, approved or published whose images are in clear. */
  readonly policy: 'optional' | 'required';
  /** The envelope of an image for these keys; the same seed, image and keys give the same bytes. */
  readonly seal: (
    image: ImageContent,
    recipients: readonly PublicKey[],
    seed: Bytes,
  ) => Pick<TargetContent, 'length' | 'open'>;
  /** A fresh secret seed. */
  readonly newSeed: () => Bytes;
}

interface SealingContext {
  readonly workspace: Pick<Workspace, 'keys'>;
  readonly site: Site;
  readonly now: Instant;
}

/** Seals an image to every unsealing key of the line in the trusted root. Throws BX-203 when there is none. */
export async function sealNew(
  image: TargetContent,
  { seal, newSeed }: SealingOptions,
  { workspace, site, now }: SealingContext,
): Promise<{ readonly sealed: SealedImage; readonly seed: Bytes }> {
  const keys = workspace.keys.filter((key) => isUnsealingKey(key, site) && isValidAt(key, now));
  if (keys.length === 0) throw new RefusedError('BX-203', `the trusted root lists no unsealing key of ${site.line}`);
  const seed = newSeed();
  const envelope = seal(
    image,
    keys.map(({ key }) => key),
    seed,
  );
  const hash = createHash('sha256');
  for await (const chunk of await envelope.open()) hash.update(chunk);
  const sealed: SealedImage = {
    targetPath: `${image.path}.cms`,
    mediaType: 'application/cms',
    sha256: hash.digest('hex'),
    length: envelope.length,
    recipients: keys.map(({ key }) => key.keyid),
  };
  return { sealed, seed };
}

/** The bytes of an envelope, made once more. Throws BX-207 for a recipient that is not enrolled. */
export function sealAgain(
  image: TargetContent,
  { recipients }: SealedImage,
  { seal, keys, seed }: Pick<SealingOptions, 'seal'> & Pick<Workspace, 'keys'> & { readonly seed: Bytes },
): Promise<Chunks> {
  const enrolled = recipients.map((keyid) => findEnrolled(keyid, keys));
  return seal(image, enrolled, seed).open();
}

/** Throws BX-204 for images in clear where sealing is required, BX-207 for an envelope to a key that is not the line's now. */
export function checkSealing(
  { releaseId, components }: Pick<ReleaseManifest, 'releaseId' | 'components'>,
  policy: SealingOptions['policy'],
  { workspace, site, now }: SealingContext,
): void {
  for (const { name, sealed } of components) {
    if (sealed === undefined) {
      if (policy === 'required') throw new RefusedError('BX-204', `${name} of ${releaseId} is not sealed`);
      continue;
    }
    for (const keyid of sealed.recipients) {
      const own = workspace.keys.find((key) => key.key.keyid === keyid && isUnsealingKey(key, site));
      if (own === undefined || !isValidAt(own, now)) {
        const what = own === undefined ? `is no unsealing key of ${site.line}` : 'is not valid any more';
        throw new RefusedError('BX-207', `${name} of ${releaseId} is sealed to ${keyid.slice(0, 8)}, which ${what}`);
      }
    }
  }
}

function isUnsealingKey({ role, scope }: TrustedKey, { line }: Site): boolean {
  return role === 'unsealing' && scope === line;
}

function findEnrolled(keyid: string, keys: readonly TrustedKey[]): PublicKey {
  const enrolled = keys.find(({ role, key }) => role === 'unsealing' && key.keyid === keyid);
  if (enrolled === undefined) throw new RefusedError('BX-207', `${keyid.slice(0, 8)} is no enrolled unsealing key`);
  return enrolled.key;
}
