// SPDX-License-Identifier: Apache-2.0
import { execFileSync, spawnSync } from 'node:child_process';
import { createPrivateKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  findRecipient,
  formatRecipient,
  openSealedImage,
  parseRecipient,
  parseSealedImage,
  rewrapContentKey,
  sealImage,
  SEALING_LIMITS,
  type ContentKeyRecipient,
} from '@witnessmark/boundary';
import { concatBytes, equalBytes, sha256Hex, type Bytes } from '@witnessmark/core';
import { generateSoftwareKey, generateSoftwareKeyAgreement, SoftwareKeyAgreement } from '@witnessmark/custody';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const SEED = new Uint8Array(32).fill(7);
const IMAGE = Uint8Array.from(randomBytes(70_001));
const line = generateSoftwareKeyAgreement();
const spare = generateSoftwareKeyAgreement();
const thief = generateSoftwareKeyAgreement();

const hasOpenssl = spawnSync('openssl', ['version']).error === undefined;

async function seal(
  image: Bytes = IMAGE,
  seed: Bytes = SEED,
  recipients = [line.publicKey, spare.publicKey],
): Promise<Bytes> {
  const order = { length: image.length, sha256: sha256Hex(image), open: () => Promise.resolve([image]) };
  const sealed = sealImage(order, recipients, seed);
  const chunks: Bytes[] = [];
  for await (const chunk of await sealed.open()) chunks.push(chunk);
  const bytes = concatBytes(...chunks);
  expect(bytes).toHaveLength(sealed.length);
  return bytes;
}

describe('a sealed image', () => {
  it('opens with each key it is sealed to, and holds nothing in clear', async () => {
    const bytes = await seal();
    expect(equalBytes(await openSealedImage(bytes, line), IMAGE)).toBe(true);
    expect(equalBytes(await openSealedImage(bytes, spare), IMAGE)).toBe(true);
    expect(Buffer.from(bytes).includes(Buffer.from(IMAGE.subarray(0, 16)))).toBe(false);
    expect(bytes.length - IMAGE.length).toBeLessThan(SEALING_LIMITS.maxOverheadBytes);
  });

  it('has the same bytes for the same seed, image and recipients, and others for any other', async () => {
    const bytes = await seal();
    expect(equalBytes(await seal(), bytes)).toBe(true);
    const other = Uint8Array.from(IMAGE);
    other[0]! ^= 1;
    const changed = await seal(other);
    // Another key: where the images are equal, the ciphertexts are not.
    const [first, second] = [bytes, changed].map((envelope) => parseSealedImage(envelope).ciphertext.subarray(64));
    expect(equalBytes(first!, second!)).toBe(false);
    expect(equalBytes(await seal(IMAGE, new Uint8Array(32).fill(8)), bytes)).toBe(false);
    expect(equalBytes(await seal(IMAGE, SEED, [line.publicKey]), bytes)).toBe(false);
  });

  it('opens for sizes of any kind, in chunks of any kind', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 1, maxLength: 300 }),
        fc.integer({ min: 1, max: 64 }),
        async (image, size) => {
          const chunks = Array.from({ length: Math.ceil(image.length / size) }, (_, index) =>
            image.subarray(index * size, (index + 1) * size),
          );
          const order = { length: image.length, sha256: sha256Hex(image), open: () => Promise.resolve(chunks) };
          const parts: Bytes[] = [];
          for await (const part of await sealImage(order, [line.publicKey], SEED).open()) parts.push(part);
          expect(equalBytes(await openSealedImage(concatBytes(...parts), line), image)).toBe(true);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('A8: gives nothing to another key', async () => {
    const bytes = await seal();
    await expect(openSealedImage(bytes, thief)).rejects.toMatchObject({ code: 'BX-202' });
    // With the key ids exchanged the thief is a recipient by name; the content key still does not unwrap.
    const [recipient] = parseSealedImage(bytes).recipients as [ContentKeyRecipient];
    const renamed = { ...recipient, keyid: thief.publicKey.keyid };
    await expect(openSealedImage(bytes, thief, renamed)).rejects.toMatchObject({ code: 'BX-202' });
  });

  it('is refused with any byte changed', async () => {
    const bytes = await seal(IMAGE.subarray(0, 40));
    for (let at = 0; at < bytes.length; at += 1) {
      const damaged = Uint8Array.from(bytes);
      damaged[at]! ^= 1 << (at % 8);
      const refusal = await openSealedImage(damaged, line).then(
        () => null,
        (error: unknown) => error,
      );
      // A byte of the other recipient's part changes nothing for this one; everything else must be noticed.
      if (refusal === null) expect(parseSealedImage(damaged).recipients).toHaveLength(2);
      else expect((refusal as { code?: string }).code).toMatch(/^BX-20[12]$/);
    }
  });

  it('is refused cut off at any byte, and with bytes behind it', async () => {
    const bytes = await seal(IMAGE.subarray(0, 40));
    for (let length = 0; length < bytes.length; length += 1) {
      expect(() => parseSealedImage(bytes.subarray(0, length))).toThrow(expect.objectContaining({ code: 'BX-201' }));
    }
    expect(() => parseSealedImage(concatBytes(bytes, Uint8Array.of(0)))).toThrow(
      expect.objectContaining({ code: 'BX-201' }),
    );
  });

  it('is read in one encoding only: what decodes encodes to the same bytes', async () => {
    const [recipient] = parseSealedImage(await seal()).recipients as [ContentKeyRecipient];
    const bytes = formatRecipient(recipient);
    expect(parseRecipient(bytes)).toEqual(recipient);
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 0, max: 255 }), (at, value) => {
        const changed = Uint8Array.from(bytes);
        changed[at] = value;
        let read: ContentKeyRecipient;
        try {
          read = parseRecipient(changed);
        } catch (error) {
          expect((error as { code?: string }).code).toBe('BX-201');
          return;
        }
        expect(equalBytes(formatRecipient(read), changed)).toBe(true);
      }),
      { numRuns: 400 },
    );
  });

  it('refuses what it cannot seal: recipients, seed, kind of key', () => {
    const order = { length: 1, sha256: sha256Hex(Uint8Array.of(1)), open: () => Promise.resolve([Uint8Array.of(1)]) };
    const keys = Array.from(
      { length: SEALING_LIMITS.maxRecipients + 1 },
      () => generateSoftwareKeyAgreement().publicKey,
    );
    expect(() => sealImage(order, [], SEED)).toThrow(TypeError);
    expect(() => sealImage(order, keys, SEED)).toThrow(TypeError);
    expect(sealImage(order, keys.slice(1), SEED).length).toBeLessThan(SEALING_LIMITS.maxOverheadBytes);
    expect(() => sealImage(order, keys.slice(1), SEED.subarray(1))).toThrow(TypeError);
    expect(() => sealImage(order, [generateSoftwareKey('ed25519').publicKey], SEED)).toThrow(TypeError);
  });
});

describe('a content key on its way to a station', () => {
  it('opens with the transport key it was wrapped for, and with no other', async () => {
    const bytes = await seal();
    const transport = generateSoftwareKeyAgreement();
    const own = findRecipient(parseSealedImage(bytes), line.publicKey.keyid);
    const answer = parseRecipient(formatRecipient(await rewrapContentKey(own, line, transport.publicKey)));
    expect(answer.keyid).toBe(transport.publicKey.keyid);
    expect(equalBytes(await openSealedImage(bytes, transport, answer), IMAGE)).toBe(true);
    await expect(openSealedImage(bytes, thief, answer)).rejects.toMatchObject({ code: 'BX-202' });
  });

  it('is not handed on by somebody it is not for', async () => {
    const own = findRecipient(parseSealedImage(await seal()), line.publicKey.keyid);
    await expect(rewrapContentKey(own, thief, thief.publicKey)).rejects.toMatchObject({ code: 'BX-202' });
    expect(() => findRecipient({ recipients: [own] }, thief.publicKey.keyid)).toThrow(
      expect.objectContaining({ code: 'BX-202' }),
    );
  });
});

describe.skipIf(!hasOpenssl)('a sealed image in the hands of openssl', () => {
  let dir: string;
  const keyFile = (name: string): string => join(dir, `${name}.pem`);
  const makeKey = (name: string): SoftwareKeyAgreement => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    writeFileSync(keyFile(name), privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
    return new SoftwareKeyAgreement(privateKey);
  };

  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'witnessmark-sealed-'));
  });

  afterAll(() => {
    rmSync(dir, { recursive: true, force: true });
  });

  function decrypt(name: string, envelope: string): { status: number | null; out: string } {
    const out = join(dir, `${name}.out`);
    const args = [
      'cms',
      '-decrypt',
      '-binary',
      '-inform',
      'DER',
      '-in',
      envelope,
      '-inkey',
      keyFile(name),
      '-out',
      out,
    ];
    return { status: spawnSync('openssl', args).status, out };
  }

  it('opens with the key, and A8: gives no byte to another one', async () => {
    const first = makeKey('first');
    const second = makeKey('second');
    makeKey('third');
    const envelope = join(dir, 'image.p7m');
    writeFileSync(envelope, await seal(IMAGE, SEED, [first.publicKey, second.publicKey]));
    for (const name of ['first', 'second']) {
      const { status, out } = decrypt(name, envelope);
      expect(status).toBe(0);
      expect(readFileSync(out).equals(IMAGE)).toBe(true);
    }
    const { status, out } = decrypt('third', envelope);
    expect(status).not.toBe(0);
    expect(existsSync(out) ? readFileSync(out).length : 0).toBe(0);
  });

  it('says it is AuthEnvelopedData with AES-256-GCM and a key agreement of SHA-256', async () => {
    const envelope = join(dir, 'shown.p7m');
    writeFileSync(envelope, await seal(IMAGE.subarray(0, 64), SEED, [line.publicKey]));
    const text = execFileSync('openssl', ['cms', '-cmsout', '-print', '-inform', 'DER', '-in', envelope], {
      encoding: 'utf8',
    });
    expect(text).toContain('contentType: id-smime-ct-authEnvelopedData');
    expect(text).toContain('aes-256-gcm');
    expect(text).toContain('dhSinglePass-stdDH-sha256kdf-scheme');
    expect(text).toContain('id-aes256-wrap');
  });

  it('A8: fails where one bit of content or tag was changed', async () => {
    makeKey('own');
    const own = new SoftwareKeyAgreement(createPrivateKey(readFileSync(keyFile('own'))));
    const bytes = await seal(IMAGE, SEED, [own.publicKey]);
    for (const at of [bytes.length - 1, bytes.length - 1000]) {
      const damaged = Uint8Array.from(bytes);
      damaged[at]! ^= 1;
      const envelope = join(dir, 'damaged.p7m');
      writeFileSync(envelope, damaged);
      expect(decrypt('own', envelope).status).not.toBe(0);
      await expect(openSealedImage(damaged, own)).rejects.toMatchObject({ code: 'BX-201' });
    }
  });
});
