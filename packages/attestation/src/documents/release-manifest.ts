// SPDX-License-Identifier: Apache-2.0
/** `release.json`: what a release consists of and how a station applies it; a TUF target (spec/release-manifest.md). */
import { formatJson, toDigestSet, type Bytes, type DigestSet } from '@witnessmark/core';
import { z } from 'zod';
import { counter, identifier, remark, sha256Text } from '../fields.ts';
import { formatDocument, parseDocument } from './document.ts';

/** The allowed moves, in order. Every recipe measures. */
export const RECIPE_STEPS = ['program', 'measure', 'bootDigest', 'key', 'lock'] as const;

/** What a release is made for; lines say which classes they make. */
export const RELEASE_CLASSES = ['production', 'debug'] as const;
export type ReleaseClass = (typeof RELEASE_CLASSES)[number];

/** The image as the repository carries it when only the line's key may open it (spec/sealed-image.md). */
const sealedImage = z.strictObject({
  targetPath: z.string().regex(/^images\/[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/),
  mediaType: z.literal('application/cms'),
  sha256: sha256Text,
  length: z
    .int()
    .min(1)
    .max(256 * 1024 * 1024),
  /** Key ids of the line's unsealing keys it is sealed to, as the trusted root lists them; nobody else can open it. */
  recipients: z
    .array(sha256Text)
    .min(1)
    .max(8)
    .refine((keyids) => new Set(keyids).size === keyids.length, 'one key twice'),
});

export const releaseManifestSchema = z.strictObject({
  mediaType: z.literal('application/vnd.witnessmark.release.v1+json'),
  releaseId: identifier,
  version: identifier,
  /** Never falls for a product; stations and line refuse a lower one. */
  releaseCounter: counter,
  /** Absent in manifests from before there were classes: these count as `production`, and are judged as such. */
  releaseClass: z.enum(RELEASE_CLASSES).exactOptional(),
  product: z.strictObject({ sku: identifier, hwModel: identifier, hwVersions: z.array(identifier).min(1).max(32) }),
  components: z
    .array(
      z.strictObject({
        name: identifier,
        /** Name of the image; of the image among the repository's targets, unless it is sealed. */
        targetPath: z.string().regex(/^images\/[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/),
        mediaType: identifier,
        sha256: sha256Text,
        length: z
          .int()
          .min(1)
          .max(256 * 1024 * 1024),
        /** First byte address in the device's flash. */
        address: counter,
        version: identifier,
        securityCounter: counter,
        /** Present when the repository holds the envelope and not the image; the digest above is the image's. */
        sealed: sealedImage.exactOptional(),
      }),
    )
    .min(1)
    .max(16),
  recipe: z.strictObject({
    name: identifier,
    version: identifier,
    steps: z
      .array(z.enum(RECIPE_STEPS))
      .min(2)
      .max(RECIPE_STEPS.length)
      .refine(isAllowedRecipe, 'program and measure are required, in order, none twice'),
  }),
  /** How the printed serial relates to the device; `derived` is recomputed by anybody. */
  labelRule: z.enum(['derived', 'assigned']),
  notes: remark,
  supersedes: identifier.nullable(),
});

export type ReleaseManifest = z.infer<typeof releaseManifestSchema>;
export type ReleaseComponent = ReleaseManifest['components'][number];
export type SealedImage = z.infer<typeof sealedImage>;

/** The class of a release; a production class that is only assumed earns nothing, it is checked the same. */
export function releaseClassOf({ releaseClass }: Pick<ReleaseManifest, 'releaseClass'>): ReleaseClass {
  return releaseClass ?? 'production';
}

export function parseReleaseManifest(bytes: Bytes): ReleaseManifest {
  return parseDocument(releaseManifestSchema, bytes);
}

export function formatReleaseManifest(manifest: ReleaseManifest): Bytes {
  return formatDocument(releaseManifestSchema, manifest);
}

/** A recipe as statements cite it: the digest is over its compact JSON, members in the order of the schema. */
export interface RecipeReference {
  readonly name: string;
  readonly version: string;
  readonly digest: DigestSet;
}

/**
 * The component a board starts from, whose digest its firmware has to name when the recipe has the step `bootDigest`: the
 * one at the lowest address.
 */
export function bootComponentOf<Component extends { readonly address: number }>(
  components: readonly Component[],
): Component {
  return components.reduce((first, component) => (component.address < first.address ? component : first));
}

/** A component as statements cite it; the slot is its first address, `0x` and lower-case hexadecimal. */
export interface ComponentReference {
  readonly name: string;
  readonly slot: string;
  readonly image: { readonly name: string; readonly digest: DigestSet; readonly length: number };
}

export function toRecipeReference({ recipe }: Pick<ReleaseManifest, 'recipe'>): RecipeReference {
  return { name: recipe.name, version: recipe.version, digest: toDigestSet(formatJson(recipe)) };
}

export function toComponentReferences({
  components,
}: Pick<ReleaseManifest, 'components'>): readonly ComponentReference[] {
  return components.map(({ name, address, targetPath, sha256, length }) => ({
    name,
    slot: `0x${address.toString(16)}`,
    image: { name: targetPath, digest: { sha256 }, length },
  }));
}

/** A sealed component as statements cite it. */
export interface SealedImageReference {
  readonly name: string;
  readonly digest: DigestSet;
  readonly sealedDigest: DigestSet;
}

/** Those components of a release that are sealed; none when it is not. */
export function toSealedImageReferences({
  components,
}: Pick<ReleaseManifest, 'components'>): readonly SealedImageReference[] {
  return components.flatMap(({ targetPath, sha256, sealed }) =>
    sealed === undefined ? [] : [{ name: targetPath, digest: { sha256 }, sealedDigest: { sha256: sealed.sha256 } }],
  );
}

function isAllowedRecipe(steps: readonly (typeof RECIPE_STEPS)[number][]): boolean {
  const order = steps.map((step) => RECIPE_STEPS.indexOf(step));
  const rises = order.every((position, index) => index === 0 || position > (order[index - 1] as number));
  return rises && steps.includes('program') && steps.includes('measure');
}
