// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const PAGE = readFileSync(new URL('../../../spec/device-id.md', import.meta.url), 'utf8');
const ROW = /^\| `([a-z-]+)`\s*\| `([0-9a-f]+)`\s*\| `([0-9a-f]{64})`\s*\| `GW-210-([0-9A-Z-]+)`\s*\|$/gm;
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

describe('spec/device-id.md', () => {
  const rows = [...PAGE.matchAll(ROW)].map((row) => row.slice(1) as [string, string, string, string]);

  it('has vectors', () => {
    expect(rows.length).toBe(4);
  });

  it.each(rows)('gives for %s %s the id and the serial its text describes', (scheme, value, deviceId, label) => {
    const id = createHash('sha256').update(`witnessmark hardware id v1\n${scheme}\n${value}\n`).digest();
    expect(id.toString('hex')).toBe(deviceId);
    const bits = [...createHash('sha256').update(id).digest()]
      .map((byte) => byte.toString(2).padStart(8, '0'))
      .join('');
    const characters = Array.from(
      { length: 12 },
      (_, at) => ALPHABET[Number.parseInt(bits.slice(at * 5, at * 5 + 5), 2)],
    );
    expect(characters.join('').replace(/(.{4})(?=.)/g, '$1-')).toBe(label);
  });
});
