// SPDX-License-Identifier: Apache-2.0
/** Entry bundles, as defined by https://c2sp.org/tlog-tiles: entries one after the other, each after its length as uint16. */
import type { Bytes } from '@witnessmark/core';
import { TlogError } from './error.ts';

const LENGTH_BYTES = 2;
export const MAX_ENTRY_BYTES = 65_535;

/** Splits a bundle into entries, as views of `bytes`; throws `ERR_TLOG_ENTRY_BUNDLE` unless it holds exactly `count`. */
export function parseEntryBundle(bytes: Bytes, count: number): Bytes[] {
  const entries: Bytes[] = [];
  let at = 0;
  for (let index = 0; index < count; index += 1) {
    const start = at + LENGTH_BYTES;
    if (start > bytes.length) throw bundleError(count, `it ends before entry ${index}`);
    const end = start + (((bytes[at] as number) << 8) | (bytes[at + 1] as number));
    if (end > bytes.length) throw bundleError(count, `it ends inside entry ${index}`);
    entries.push(bytes.subarray(start, end));
    at = end;
  }
  if (at !== bytes.length) throw bundleError(count, `${bytes.length - at} bytes follow the last one`);
  return entries;
}

/** Throws `ERR_TLOG_ENTRY_TOO_LARGE` for an entry whose length does not fit. */
export function formatEntryBundle(entries: readonly Bytes[]): Bytes {
  let length = 0;
  for (const entry of entries) length += LENGTH_BYTES + entry.length;
  const bundle = new Uint8Array(length);
  let at = 0;
  for (const entry of entries) {
    if (entry.length > MAX_ENTRY_BYTES) {
      throw new TlogError(
        'ERR_TLOG_ENTRY_TOO_LARGE',
        `an entry has at most ${MAX_ENTRY_BYTES} bytes, not ${entry.length}`,
      );
    }
    bundle[at] = entry.length >> 8;
    bundle[at + 1] = entry.length & 0xff;
    bundle.set(entry, at + LENGTH_BYTES);
    at += LENGTH_BYTES + entry.length;
  }
  return bundle;
}

function bundleError(count: number, what: string): TlogError {
  return new TlogError('ERR_TLOG_ENTRY_BUNDLE', `not a bundle of ${count} entries: ${what}`);
}
