// SPDX-License-Identifier: Apache-2.0
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeUtf8, encodeUtf8, RefusedError } from '@witnessmark/core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { TRUST_LIMITS } from '../src/limits.ts';
import { formatMetadata, parseMetadata, parseRoot, signedBytes, type MetadataType } from '../src/metadata.ts';
import { toPublicKey, toTufKey } from '../src/tuf-key.ts';
import { isTargetPath, targetFileName } from '../src/target-path.ts';
import { copyWorld, createWorld, KEYS, NOW, type Loose, type World } from './support/world.ts';
import { generateSoftwareKey } from '@witnessmark/custody';

const FILES: readonly (readonly [MetadataType, string])[] = [
  ['root', '1.root.json'],
  ['timestamp', 'timestamp.json'],
  ['snapshot', '2.snapshot.json'],
  ['targets', '2.targets.json'],
  ['targets', '1.effectivity.json'],
];

let world: World;
beforeAll(async () => {
  world = await createWorld();
  await world.release('image two');
});

function read(name: string): Uint8Array {
  return Uint8Array.from(readFileSync(join(world.directory, 'metadata', name)));
}

describe('metadata', () => {
  it.each(FILES)('of type %s reads back what was written', (type, name) => {
    const metadata = parseMetadata(type, read(name));
    expect(formatMetadata(metadata)).toEqual(read(name));
    expect(decodeUtf8(signedBytes(metadata))).toContain(`"_type":"${type}"`);
  });

  it.each(FILES)('of type %s is no metadata of another type (TR-109)', (type, name) => {
    for (const [other] of FILES.filter(([candidate]) => candidate !== type)) {
      expect(() => parseMetadata(other, read(name))).toThrow(expect.objectContaining({ code: 'TR-109' }));
    }
  });

  it.each(FILES)('of type %s is read up to its size limit and not beyond (TR-109)', (type, name) => {
    const limit = TRUST_LIMITS.maxMetadataBytes[type];
    const pad = (length: number): Uint8Array => {
      const bytes = new Uint8Array(length).fill(0x20);
      bytes.set(read(name));
      return bytes;
    };
    expect(parseMetadata(type, pad(limit)).signed.version).toBeGreaterThan(0);
    expect(() => parseMetadata(type, pad(limit + 1))).toThrow(expect.objectContaining({ code: 'TR-109' }));
  });

  it('is never believed after any change of its bytes', async () => {
    const damaged = copyWorld(world);
    const [, name] = FILES[1] as (typeof FILES)[number];
    const original = read(name);
    await fc.assert(
      fc.asyncProperty(fc.nat(original.length - 1), fc.integer({ min: 1, max: 255 }), async (at, mask) => {
        const bytes = Uint8Array.from(original);
        bytes[at] = (bytes[at] as number) ^ mask;
        writeFileSync(join(damaged.directory, 'metadata', name), bytes);
        const outcome = await damaged
          .client()
          .update(NOW)
          .catch((error: unknown) => error);
        // What the signature does not cover may be written in another case.
        if (!(outcome instanceof RefusedError)) {
          expect(decodeUtf8(bytes).toLowerCase()).toBe(decodeUtf8(original).toLowerCase());
        }
      }),
      { numRuns: 150 },
    );
  });

  it('of no form at all is refused, never crashed upon (TR-109)', () => {
    fc.assert(
      fc.property(fc.constantFrom(...FILES), fc.jsonValue(), (file, signed) => {
        const bytes = encodeUtf8(JSON.stringify({ signed, signatures: [] }));
        expect(() => parseMetadata(file[0], bytes)).toThrow(RefusedError);
      }),
    );
  });
});

describe('a root', () => {
  const change = (apply: (signed: Loose) => void): (() => unknown) => {
    const document = JSON.parse(decodeUtf8(world.initialRoot));
    apply(document.signed);
    return () => parseRoot(encodeUtf8(JSON.stringify(document)));
  };

  it.each([
    ['no consistent snapshots', (signed: Loose) => (signed.consistent_snapshot = false)],
    ['a role without keys', (signed: Loose) => (signed.roles.snapshot.keyids = [])],
    ['a role with an unknown key', (signed: Loose) => (signed.roles.snapshot.keyids = ['toString'])],
    ['a role that lists a key id twice', (signed: Loose) => signed.roles.root.keyids.push(signed.roles.root.keyids[0])],
    ['a threshold above the number of keys', (signed: Loose) => (signed.roles.root.threshold = 4)],
    ['a threshold of one and a half', (signed: Loose) => (signed.roles.root.threshold = 1.5)],
    ['no targets role', (signed: Loose) => delete signed.roles.targets],
    [
      'an RSA key',
      (signed: Loose) =>
        Object.assign(Object.values<Loose>(signed.keys)[0], { keytype: 'rsa', scheme: 'rsassa-pss-sha256' }),
    ],
    ['a key that is no key', (signed: Loose) => (Object.values<Loose>(signed.keys)[0].keyval.public = 'no key')],
    ['a key without value', (signed: Loose) => (Object.values<Loose>(signed.keys)[0].keyval = {})],
  ])('with %s is refused (TR-109)', (_, apply) => {
    expect(change(apply)).toThrow(expect.objectContaining({ code: 'TR-109' }));
  });

  it('without a change is read', () => {
    expect(change(() => undefined)).not.toThrow();
  });
});

describe('a key', () => {
  it.each(['ecdsa-sha2-nistp256', 'ed25519'] as const)('%s is the same after a round trip', (scheme) => {
    const { publicKey } = generateSoftwareKey(scheme);
    expect(toPublicKey(toTufKey(publicKey))).toEqual(publicKey);
  });

  it('has the id that TUF computes', () => {
    const key = toTufKey(KEYS.alice.publicKey);
    expect(Object.keys(JSON.parse(decodeUtf8(world.initialRoot)).signed.keys)).toContain(key.keyID);
  });
});

describe('a target path', () => {
  it.each(['images/gw-210_4.2.1.bin', 'trusted-root.json', 'a/b/c'])('may be %s', (path) => {
    expect(isTargetPath(path)).toBe(true);
  });

  it.each(['', '/', '/a', 'a/', 'a//b', '.', '..', 'a/../b', '.hidden', 'a b', 'a\\b', 'ä', 'a\n', 'C:/a', 'a%2fb'])(
    'may not be %j',
    (path) => {
      expect(isTargetPath(path)).toBe(false);
    },
  );

  it('is found by its digest', () => {
    expect(targetFileName('images/gw.bin', 'ab')).toBe('targets/images/ab.gw.bin');
    expect(targetFileName('trusted-root.json', 'ab')).toBe('targets/ab.trusted-root.json');
  });
});
