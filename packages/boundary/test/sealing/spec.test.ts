// SPDX-License-Identifier: Apache-2.0
/** The example of spec/sealed-image.md is what sealing makes, and opens. */
import { createECDH, createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openSealedImage, parseSealedImage, sealImage } from '@witnessmark/boundary';
import { concatBytes, encodeUtf8, equalBytes, isReasonCode, sha256Hex, type Bytes } from '@witnessmark/core';
import { SoftwareKeyAgreement } from '@witnessmark/custody';
import { describe, expect, it } from 'vitest';

const SPEC_DIRECTORY = join(import.meta.dirname, '../../../../spec');
const IMAGE = encodeUtf8('firmware\n');
const SEED = Uint8Array.from({ length: 32 }, (_, index) => index);
const SCALAR = Buffer.from(Uint8Array.from({ length: 32 }, (_, index) => index + 1));

function exampleKey(): SoftwareKeyAgreement {
  const pair = createECDH('prime256v1');
  pair.setPrivateKey(SCALAR);
  const point = pair.getPublicKey();
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((half) => half.toString('base64url'));
  const jwk = { kty: 'EC', crv: 'P-256', d: SCALAR.toString('base64url'), x: x!, y: y! };
  return new SoftwareKeyAgreement(createPrivateKey({ key: jwk, format: 'jwk' }));
}

function page(name: string): string {
  return readFileSync(join(SPEC_DIRECTORY, name), 'utf8');
}

describe('spec/sealed-image.md', () => {
  const [, block = ''] = /^```base64\n(.*?)^```$/ms.exec(page('sealed-image.md')) ?? [];
  const example: Bytes = Uint8Array.from(Buffer.from(block, 'base64'));

  it('shows the envelope that its seed, image and key give', async () => {
    const { publicKey } = exampleKey();
    const order = { length: IMAGE.length, sha256: sha256Hex(IMAGE), open: () => Promise.resolve([IMAGE]) };
    const chunks: Bytes[] = [];
    for await (const chunk of await sealImage(order, [publicKey], SEED).open()) chunks.push(chunk);
    expect(equalBytes(concatBytes(...chunks), example)).toBe(true);
  });

  it('shows one that opens to the image it says', async () => {
    expect(parseSealedImage(example).recipients).toHaveLength(1);
    expect(await openSealedImage(example, exampleKey())).toEqual(Buffer.from(IMAGE));
  });
});

describe.each(['sealed-image.md', 'image-unsealing.md'])('spec/%s', (name) => {
  it('names codes of the catalogue only', () => {
    const codes = page(name).match(/`[A-Z]{2}-\d{2,3}`/g) ?? [];
    expect(codes.length).toBeGreaterThan(3);
    expect(codes.filter((code) => !isReasonCode(code.slice(1, -1)))).toEqual([]);
  });
});
