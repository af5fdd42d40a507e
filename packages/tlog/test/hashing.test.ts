// SPDX-License-Identifier: Apache-2.0
import { encodeHex, encodeUtf8, decodeHex } from '@witnessmark/core';
import { EMPTY_ROOT, Frontier, hashChildren, hashLeaf } from '@witnessmark/tlog';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { naiveLeaf } from './naive-tree.ts';

describe('hashing', () => {
  it('gives the published roots of the Certificate Transparency test tree', () => {
    const entries = [
      '',
      '00',
      '10',
      '2021',
      '3031',
      '40414243',
      '5051525354555657',
      '606162636465666768696a6b6c6d6e6f',
    ];
    const roots = [
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
      'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
      'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
      '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
      '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
      'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
      '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
    ];
    const tree = Frontier.empty();
    for (const [index, entry] of entries.entries()) {
      tree.append(hashLeaf(decodeHex(entry)));
      expect(encodeHex(tree.root())).toBe(roots[index]);
    }
  });

  it('hashes nothing to the root of the empty tree', () => {
    expect(encodeHex(EMPTY_ROOT)).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    expect(Frontier.empty().root()).toEqual(EMPTY_ROOT);
  });

  it('hashes entries of any length, before and past what a log takes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (entry) => {
        expect(hashLeaf(entry)).toEqual(naiveLeaf(entry));
      }),
    );
    for (const length of [0, 65_534, 65_535, 65_536, 70_000]) {
      const entry = new Uint8Array(length).fill(7);
      expect(hashLeaf(entry)).toEqual(naiveLeaf(entry));
    }
  });

  it('forgets the entry before', () => {
    const long = hashLeaf(encodeUtf8('a long entry that leaves its bytes behind'));
    expect(hashLeaf(encodeUtf8('short'))).toEqual(naiveLeaf(encodeUtf8('short')));
    expect(hashLeaf(encodeUtf8('a long entry that leaves its bytes behind'))).toEqual(long);
  });

  it('keeps leaves and nodes apart', () => {
    const left = hashLeaf(encodeUtf8('l'));
    const right = hashLeaf(encodeUtf8('r'));
    expect(hashChildren(left, right)).not.toEqual(hashLeaf(Uint8Array.of(...left, ...right)));
    expect(hashChildren(left, right)).not.toEqual(hashChildren(right, left));
  });

  it.each([0, 31, 33, 64])('takes a hash of %i bytes for a mistake of the caller', (length) => {
    expect(() => hashChildren(new Uint8Array(length), EMPTY_ROOT)).toThrow(TypeError);
    expect(() => hashChildren(EMPTY_ROOT, new Uint8Array(length))).toThrow(TypeError);
  });
});
