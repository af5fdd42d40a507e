// SPDX-License-Identifier: Apache-2.0
import { concatBytes, encodeUtf8 } from '@witnessmark/core';
import { formatEntryBundle, MAX_ENTRY_BYTES, parseEntryBundle } from '@witnessmark/tlog';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expectCode } from '../../core/test/expect-code.ts';

describe('entry bundles', () => {
  const bundle = formatEntryBundle([encodeUtf8('one'), new Uint8Array(0), encodeUtf8('three')]);

  it('hold each entry after its length', () => {
    expect(bundle).toEqual(
      concatBytes(
        Uint8Array.of(0, 3),
        encodeUtf8('one'),
        Uint8Array.of(0, 0),
        Uint8Array.of(0, 5),
        encodeUtf8('three'),
      ),
    );
  });

  it('round-trip', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 }), (entries) => {
        expect(parseEntryBundle(formatEntryBundle(entries), entries.length)).toEqual(entries);
      }),
    );
  });

  it('take MAX_ENTRY_BYTES and refuse one more', () => {
    const largest = new Uint8Array(MAX_ENTRY_BYTES).fill(1);
    expect(parseEntryBundle(formatEntryBundle([largest]), 1)).toEqual([largest]);
    expectCode('ERR_TLOG_ENTRY_TOO_LARGE', () => formatEntryBundle([new Uint8Array(MAX_ENTRY_BYTES + 1)]));
  });

  it('are refused with another count', () => {
    for (const count of [0, 1, 2, 4]) expectCode('ERR_TLOG_ENTRY_BUNDLE', () => parseEntryBundle(bundle, count));
  });

  it('are refused at every shorter length, and with a byte more', () => {
    for (let end = 0; end < bundle.length; end += 1) {
      expectCode('ERR_TLOG_ENTRY_BUNDLE', () => parseEntryBundle(bundle.subarray(0, end), 3));
    }
    expectCode('ERR_TLOG_ENTRY_BUNDLE', () => parseEntryBundle(concatBytes(bundle, Uint8Array.of(0)), 3));
  });

  it('may be empty', () => {
    expect(parseEntryBundle(formatEntryBundle([]), 0)).toEqual([]);
  });
});
