// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeUtf8, hasCode } from '@witnessmark/core';
import {
  formatReleaseManifest,
  parseReleaseManifest,
  RECIPE_STEPS,
  toComponentReferences,
  toSealedImageReferences,
  type ReleaseManifest,
} from '@witnessmark/attestation';
import { draftManifest } from '../../../../testing/world/src/evidence/drafts.ts';

const manifest = draftManifest();
const SEALED = {
  targetPath: 'images/gw.bin.cms',
  mediaType: 'application/cms',
  sha256: 'ab'.repeat(32),
  length: 4500,
  recipients: keyids(8),
} as const;

function keyids(count: number): string[] {
  return Array.from({ length: count }, (_, number) => String(number).padStart(64, '0'));
}

function isRefused(change: (copy: ReturnType<typeof JSON.parse>) => void): boolean {
  const copy = structuredClone(manifest);
  change(copy);
  try {
    parseReleaseManifest(encodeUtf8(JSON.stringify(copy)));
  } catch (error) {
    return hasCode(error, 'ERR_DOCUMENT_FORMAT');
  }
  return false;
}

describe('release manifest', () => {
  it('reads what it writes', () => {
    expect(parseReleaseManifest(formatReleaseManifest(manifest))).toEqual(manifest);
  });

  it('names the envelope of a sealed image, and what of it statements cite', () => {
    const [component] = manifest.components;
    const sealed: ReleaseManifest = {
      ...manifest,
      components: [{ ...component!, sealed: { ...SEALED, recipients: keyids(8) } }],
    };
    expect(parseReleaseManifest(formatReleaseManifest(sealed))).toEqual(sealed);
    expect(toSealedImageReferences(sealed)).toEqual([
      { name: component!.targetPath, digest: { sha256: component!.sha256 }, sealedDigest: { sha256: SEALED.sha256 } },
    ]);
    // The image is cited by its own name and digest, sealed or not.
    expect(toComponentReferences(sealed)).toEqual(toComponentReferences(manifest));
    expect(toSealedImageReferences(manifest)).toEqual([]);
  });

  it('has one text, whatever order its members came in, so that its digest can be recomputed', () => {
    const entries = Object.entries(manifest);
    fc.assert(
      fc.property(fc.shuffledSubarray(entries, { minLength: entries.length }), (shuffled) => {
        const read = parseReleaseManifest(encodeUtf8(JSON.stringify(Object.fromEntries(shuffled))));
        expect(formatReleaseManifest(read)).toEqual(formatReleaseManifest(manifest));
      }),
    );
  });

  it('has a recipe that programs and measures, in the order of the allowed moves, none twice', () => {
    const steps = fc.array(fc.constantFrom(...RECIPE_STEPS), { maxLength: 6 });
    fc.assert(
      fc.property(steps, (chosen) => {
        const isSorted = chosen.every(
          (step, index) => index === 0 || RECIPE_STEPS.indexOf(step) > RECIPE_STEPS.indexOf(chosen[index - 1]!),
        );
        const isAllowed = isSorted && chosen.includes('program') && chosen.includes('measure');
        expect(isRefused((copy) => (copy.recipe.steps = chosen))).toBe(!isAllowed);
      }),
    );
  });

  it.each<[string, (copy: ReturnType<typeof JSON.parse>) => void]>([
    ['a recipe that does not measure', (copy) => (copy.recipe.steps = ['program', 'lock'])],
    ['a recipe that measures first', (copy) => (copy.recipe.steps = ['measure', 'program'])],
    ['a recipe with an unknown step', (copy) => (copy.recipe.steps = ['program', 'measure', 'skip'])],
    ['A38: an image outside its folder', (copy) => (copy.components[0].targetPath = 'images/../root.json')],
    ['A38: an image in a folder', (copy) => (copy.components[0].targetPath = 'images/a/b')],
    ['A38: a hidden image', (copy) => (copy.components[0].targetPath = 'images/.bin')],
    ['A38: an absolute image', (copy) => (copy.components[0].targetPath = '/images/a')],
    ['A38: an envelope outside its folder', (copy) => (copy.components[0].sealed = { ...SEALED, targetPath: 'x/a' })],
    ['an envelope without a recipient', (copy) => (copy.components[0].sealed = { ...SEALED, recipients: [] })],
    ['an envelope with nine', (copy) => (copy.components[0].sealed = { ...SEALED, recipients: keyids(9) })],
    [
      'an envelope to one key twice',
      (copy) => (copy.components[0].sealed = { ...SEALED, recipients: [...keyids(1), ...keyids(1)] }),
    ],
    ['an envelope of another kind', (copy) => (copy.components[0].sealed = { ...SEALED, mediaType: 'text/plain' })],
    ['an envelope of no known size', (copy) => (copy.components[0].sealed = { ...SEALED, length: undefined })],
    ['no components', (copy) => (copy.components = [])],
    ['17 components', (copy) => (copy.components = Array(17).fill(copy.components[0]))],
    ['an empty image', (copy) => (copy.components[0].length = 0)],
    ['an image above 256 MiB', (copy) => (copy.components[0].length = 256 * 1024 * 1024 + 1)],
    ['a negative counter', (copy) => (copy.releaseCounter = -1)],
    ['a counter with a fraction', (copy) => (copy.components[0].securityCounter = 1.5)],
    ['an unknown label rule', (copy) => (copy.labelRule = 'any')],
    ['an unknown member', (copy) => (copy.skipVerify = true)],
  ])('with %s is refused', (_what, damage) => {
    expect(isRefused(damage)).toBe(true);
  });

  it.each<[string, (copy: ReturnType<typeof JSON.parse>) => void]>([
    ['16 components', (copy) => (copy.components = Array(16).fill(copy.components[0]))],
    ['an image of one byte', (copy) => (copy.components[0].length = 1)],
    ['an image of 256 MiB', (copy) => (copy.components[0].length = 256 * 1024 * 1024)],
    ['all four steps', (copy) => (copy.recipe.steps = [...RECIPE_STEPS])],
  ])('with %s is read', (_what, change) => {
    expect(isRefused(change)).toBe(false);
  });

  it('is not written when it could not be read', () => {
    expect(() => formatReleaseManifest({ ...manifest, components: [] })).toThrow(TypeError);
  });
});
